"""How results were made: paragraphs that could stand in a paper, written from the settings in force."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import jinja2

from ressat.base import keys

TEMPLATES = Path(__file__).resolve().parent / "templates"
REFERENCES = {
    "openslide": "Goode et al. OpenSlide: a vendor-neutral foundation for "
    "digital pathology. J Pathol Inform 2013.",
    "macenko": "Macenko et al. A method for normalizing histology slides for quantitative "
    "analysis. ISBI 2009.",
    "reinhard": "Reinhard et al. Color transfer between images. IEEE CG&A 2001.",
    "resnet": "He, Zhang, Ren, Sun. Deep residual learning for image recognition. CVPR 2016.",
    "imagenet": "Deng et al. ImageNet: a large-scale hierarchical image database. CVPR 2009.",
    "scanpy": "Wolf, Angerer, Theis. SCANPY: large-scale single-cell gene expression data "
    "analysis. Genome Biol 2018.",
    "squidpy": "Palla et al. Squidpy: a scalable framework for spatial omics analysis. Nat Methods 2022.",
    "attention": "Vaswani et al. Attention is all you need. NeurIPS 2017.",
    "adamw": "Loshchilov, Hutter. Decoupled weight decay regularization. ICLR 2019.",
    "dutilleul": "Dutilleul. Modifying the t test for assessing the correlation between two spatial "
    "processes. Biometrics 1993.",
    "benjamini": "Benjamini, Heller. Screening for partial conjunction hypotheses. Biometrics 2008.",
    "thinning": "Neufeld et al. Data thinning for convolution-closed distributions. JMLR 2024.",
    "snakemake": "Mölder et al. Sustainable data analysis with Snakemake. F1000Research 2021.",
}
SCHEMES = {
    keys.HOLDOUT: "on sections set aside as test sections",
    keys.LEAVE_ONE_PATIENT_OUT: "by leaving out each patient in turn",
    keys.LEAVE_ONE_SECTION_OUT: "by leaving out each section in turn",
    "patient_kfold": "by leaving out groups of patients in turn",
}
HEAD = ("members", "hidden", "dropout", "context")


def methods(
    settings: Mapping, models: Sequence[Mapping], sections: Sequence[Mapping], untrained: bool, scored: bool
) -> tuple[list[str], list[str]]:
    """Describe how predictions were made and judged.

    Parameters
    ----------
    settings
        The study's config.
    models
        What each fold's predictions record; see `ressat.report.page.models`.
    sections
        Quality of all sections; see `ressat.report.page.read_quality`.
    untrained
        Whether the ResNet50 has random weights.
    scored
        Whether predictions were held against counts.

    Returns
    -------
    tuple of list of str, list of str
        Paragraphs, as plain text, and the references that they cite, in order.
    """
    cited: list[str] = []

    def cite(name: str) -> str:
        if name not in cited:
            cited.append(name)
        return f"[{cited.index(name) + 1}]"

    chosen = [dict(made["chosen"]) for made in models if made.get("chosen")] or [settings["model"]]
    weights = settings["features"]["weights"]
    # What is written is escaped where it is put into the page.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("report_methods.txt.j2").render(
        **{name: settings[name] for name in ("tiling", "stain", "genes", "model", "evaluation")},
        cite=cite,
        tile_um=_each(section["tile_um"] for section in sections),
        tile_px=_each(section["tile_px"] for section in sections),
        references=_each(section["stain"].get("reference_name") for section in sections),
        fallbacks=_each(section["sample"] for section in sections if section["stain"]["fallback"]),
        untrained=untrained,
        weights=re.split(r"[/\\]", weights)[-1],
        imagenet=weights.startswith("IMAGENET"),
        models=models,
        bundle=_each(
            f"trained on {', '.join(made['trained_on'])}; SHA-256 {made['model_sha256'][:12]}"
            for made in models
        ),
        layers=_each(" and ".join(map(str, one["layers"])) for one in chosen),
        head={name: _each(one[name] for one in chosen) for name in HEAD},
        scheme=SCHEMES[settings["evaluation"]["scheme"]],
        scored=scored,
    )
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n--\n")]
    return paragraphs, [REFERENCES[name] for name in cited]


def _each(values: Iterable[object]) -> str:
    """The one value, or all that occur; empty without any."""
    found = list(dict.fromkeys(f"{value:g}" if isinstance(value, float) else str(value) for value in values))
    return f"{', '.join(found[:-1])} and {found[-1]}" if len(found) > 1 else "".join(found)
