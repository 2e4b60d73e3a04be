"""How results were made: paragraphs that could stand in a paper, written from the settings in force."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import jinja2

from ressat.counts.expression_unit import ExpressionUnit
from ressat.encoders.layer_names import AND
from ressat.stain.methods.registry import METHODS

TEMPLATES = Path(__file__).resolve().parent / "templates"
REFERENCES = {
    "openslide": "Goode et al. OpenSlide: a vendor-neutral foundation for "
    "digital pathology. J Pathol Inform 2013.",
    "scanpy": "Wolf, Angerer, Theis. SCANPY: large-scale single-cell gene expression data "
    "analysis. Genome Biol 2018.",
    "squidpy": "Palla et al. Squidpy: a scalable framework for spatial omics analysis. Nat Methods 2022.",
    "attention": "Vaswani et al. Attention is all you need. NeurIPS 2017.",
    "adamw": "Loshchilov, Hutter. Decoupled weight decay regularization. ICLR 2019.",
    "dutilleul": "Dutilleul. Modifying the t test for assessing the correlation between two spatial "
    "processes. Biometrics 1993.",
    "benjamini": "Benjamini, Heller. Screening for partial conjunction hypotheses. Biometrics 2008.",
    "sequence": "Maurer, Hothorn, Lehmacher. Multiple comparisons in drug clinical trials and preclinical "
    "assays: a-priori ordered hypotheses. Biometrie in der chemisch-pharmazeutischen Industrie 6, 1995.",
    "thinning": "Neufeld et al. Data thinning for convolution-closed distributions. JMLR 2024.",
    "kernel": "Williams, Seeger. Using the Nyström method to speed up kernel machines. NIPS 2001.",
    "partial": "Yule. On the theory of correlation for any number of variables, treated by a new system of "
    "notation. Proc R Soc Lond A 1907.",
    "snakemake": "Mölder et al. Sustainable data analysis with Snakemake. F1000Research 2021.",
}
HEAD = ("members", "hidden", "dropout", "context")


def methods(
    settings: Mapping,
    words: Mapping,
    models: Sequence[Mapping],
    sections: Sequence[Mapping],
    *,
    scored: bool,
) -> tuple[list[str], list[str]]:
    """Describe how predictions were made and judged.

    Parameters
    ----------
    settings
        The study's config.
    words
        What `ressat.workflow.members.words_of` returns.
    models
        What each fold's predictions record; see `ressat.report.provenance.models`.
    sections
        Quality of all sections; see `ressat.report.quality.read_quality`.
    scored
        Whether predictions were compared with counts.

    Returns
    -------
    tuple of list of str, list of str
        Paragraphs, as plain text, and the references that they cite, in order.
    """
    cited: list[str] = []

    def cite(reference: str) -> str:
        if reference not in cited:
            cited.append(reference)
        return f"[{cited.index(reference) + 1}]"

    def with_citation(about: tuple[str, str]) -> str:
        return f"{about[0]} {cite(about[1])}"

    heads = [dict(record["chosen"]) for record in models if record.get("chosen")] or [settings["model"]]
    # The text is escaped when it is put into the page.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("report_methods.txt.j2").render(
        **{name: settings[name] for name in ("tiling", "stain", "genes", "model", "evaluation")},
        cite=cite,
        references=REFERENCES,
        with_citation=with_citation,
        counts=lambda: _each(map(with_citation, words["counts"])),
        encoders=_read_by(models, words["encoders"]),
        compared=[one for name, one in words["compared"].items() if name not in words["encoders"]],
        elsewhere=_each(
            f"{section} ({software})"
            for record in models
            for section, software in record.get("elsewhere", {}).items()
        ),
        stain_method=METHODS.load(settings["stain"]["method"]),
        tile_um=_each(section["tile_um"] for section in sections),
        tile_px=_each(section["tile_px"] for section in sections),
        stain_references=_each(section["stain"].get("reference_name") for section in sections),
        fallbacks=_each(section["sample"] for section in sections if section["stain"]["fallback"]),
        depth=ExpressionUnit.of(settings["expression"]).depth,
        models=models,
        bundle=_each(
            f"trained on {', '.join(record['trained_on'])}; SHA-256 {record['model_sha256'][:12]}"
            for record in models
        ),
        layers=_each(" and ".join(map(str, one["layers"])) for one in heads),
        head={name: _each(one[name] for one in heads) for name in HEAD},
        kernel_shares=_each(one.get("kernel_share", 0) for one in heads),
        scheme=words["scheme"],
        scored=scored,
    )
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n--\n")]
    return paragraphs, cited


def _read_by(models: Sequence[Mapping], encoders: Mapping[str, Mapping]) -> list[Mapping]:
    """The encoders that models read: a saved one says itself which of a study's these are."""
    networks = {
        name.split()[0] for record in models for name in str(record.get("encoder", "")).split(AND) if name
    }
    return [one for one in encoders.values() if one["network"] in networks] or list(encoders.values())


def _each(values: Iterable[object]) -> str:
    """The one value, or all that occur; empty without any."""
    once = list(dict.fromkeys(f"{value:g}" if isinstance(value, float) else str(value) for value in values))
    return f"{', '.join(once[:-1])} and {once[-1]}" if len(once) > 1 else "".join(once)
