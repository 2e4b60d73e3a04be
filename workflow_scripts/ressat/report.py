"""What the report shows, gathered from the results' files, and the page made of it."""

import json
import math
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import anndata
import jinja2
import numpy as np
import pandas as pd

from ressat import figures, keys
from ressat.files import check_version
from ressat.report_maps import SCALE_ENDS, Prediction
from ressat.tables import read_table
from ressat.tile_table import Tiles

# Last word of an encoder's name whose weights were drawn and not learnt.
UNTRAINED = "random"
WATERMARK = "UNTRAINED WEIGHTS"
LABELS = {
    "training_mean": "training mean",
    "colour_ridge": "colour ridge",
    "hest_ridge": "HEST-Bench ridge",
    "tuned_ridge": "tuned ridge",
    "tuned_ridge_attended": "tuned ridge, attended",
    "tuned_ridge_smoothed": "tuned ridge, smoothed",
}
# Of the tile overlays and stain previews, px.
OVERLAY_EDGE, PREVIEW_EDGE = 800, 1000
LIBRARIES = ("anndata", "h5py", "Jinja2", "matplotlib", "numpy", "pandas", "pillow")
# Rows of the table of usable genes; the file has them all.
USABLE_SHOWN = 25
TEMPLATES = Path(__file__).resolve().parent / "templates"


@dataclass(frozen=True)
class Scores:
    """The tables of results/evaluation."""

    per_gene: pd.DataFrame
    per_section: pd.DataFrame
    summary: pd.DataFrame
    usable_genes: pd.DataFrame

    @classmethod
    def read(
        cls, per_gene: str | Path, per_section: str | Path, summary: str | Path, usable_genes: str | Path
    ) -> "Scores":
        """Read the four tables; of the summaries, those over all genes."""
        sections, patients = (read_table(path) for path in (per_section, summary))
        return cls(
            read_table(per_gene),
            sections[sections["panel"] == keys.ALL_GENES],
            patients[patients["panel"] == keys.ALL_GENES],
            read_table(usable_genes),
        )


def read_quality(
    sample: str, about: Mapping, tiles: str, overlay: str, stain: str, preview: str, counts: str | None
) -> dict:
    """Gather what is known of one section's quality, and its pictures.

    Parameters
    ----------
    sample, about
        The section's name; its ``patient`` and ``role``.
    tiles, overlay, stain, preview
        Files of results/tiles and results/stain.
    counts
        results/expression/{sample}.h5ad; None for a section without counts.
    """
    table = Tiles.read(tiles)
    fitted = json.loads(Path(stain).read_text(encoding="utf-8"))
    check_version(fitted, stain)
    found = None
    if counts is not None:
        # Backed, because of the counts themselves nothing is shown.
        adata = anndata.read_h5ad(counts, backed="r")
        found = {"genes": adata.n_vars, **adata.uns[keys.UNS]}
        adata.file.close()
    return {
        "sample": sample,
        **about,
        "counts": found,
        "tiles": len(table.coords),
        "tile_um": table.geometry.tile_um,
        "padded": table.edge_tiles,
        "tissue": float(table.tissue.mean()),
        "mpp": table.scale.mpp,
        "mpp_source": table.scale.source,
        "fingerprint": table.fingerprint,
        "stain": fitted,
        "overlay": figures.data_uri(figures.shrunk(overlay, OVERLAY_EDGE)),
        "preview": figures.data_uri(figures.shrunk(preview, PREVIEW_EDGE)),
    }


def glance(scores: Scores, headline: str) -> dict:
    """Put the answer together: mean per-gene Pearson of each layer beside the baselines.

    Parameters
    ----------
    scores
        The tables.
    headline
        The layer that leads.

    Returns
    -------
    dict
        ``figures`` (the model's layers, then the best baseline, over all patients), ``columns`` and
        ``rows`` of the table of sections, ``overall`` (its last row) and ``undefined`` (baselines
        without any correlation, which have no column).
    """
    summary = scores.summary[scores.summary["level"] == "study"]
    summary = summary.assign(label=[_label(layer) for layer in summary["layer"]])
    layers = summary[summary["model"] == keys.MODEL].sort_values(
        "layer", key=lambda names: names != headline, kind="stable"
    )
    baselines = summary[summary["model"] == keys.BASELINE]
    defined = baselines.dropna(subset="mean_pearson").sort_values("mean_pearson", ascending=False)
    best = defined.head(1).assign(label=lambda rows: "best baseline: " + rows["label"])
    shown = pd.concat([layers, defined])
    sections = scores.per_section
    rows = []
    for (fold, section), group in sections.groupby(["fold", "section"], sort=False):
        values = group.set_index("layer")["mean_pearson"].reindex(shown["layer"])
        lead = group.set_index("layer").loc[headline]
        rows.append(
            {
                "fold": fold,
                "section": section,
                "patient": lead["patient"],
                "spots": lead["n_spots"],
                "genes": lead["n_genes"] - lead["n_undefined"],
                "left_out": lead["n_undefined"],
                "values": values.tolist(),
                "best": values.max(),
            }
        )
    return {
        "protocol": ", ".join(summary["protocol"].unique()),
        "patients": int(layers["n_patients"].max()),
        "figures": pd.concat([layers, best])[["model", "label", "mean_pearson"]].to_dict("records"),
        "columns": shown[["model", "label"]].to_dict("records"),
        "rows": rows,
        "overall": shown["mean_pearson"].tolist(),
        "undefined": baselines.loc[baselines["mean_pearson"].isna(), "label"].tolist(),
    }


def usable(scores: Scores, headline: str, number: int = USABLE_SHOWN) -> list[dict]:
    """Put together, for each protocol, which genes are usable and what the model adds to the tuned ridge.

    Parameters
    ----------
    scores
        The tables.
    headline
        The layer that leads.
    number
        Genes shown.

    Returns
    -------
    list of dict
        ``protocol``; numbers of genes ``usable``, ``predicted`` and in ``total``; ``genes``, the first rows
        of the table; the ``claim`` that is made of them; ``patients`` with the difference to the tuned ridge
        of each, its mean over them in ``study``, with the pooled correlation beside it.
    """
    lead = scores.summary[(scores.summary["model"] == keys.MODEL) & (scores.summary["layer"] == headline)]
    answers = []
    for protocol, table in scores.usable_genes.groupby("protocol", sort=False):
        here = lead[lead["protocol"] == protocol]
        chosen = table[table["usable"]]
        study = here[here["level"] == "study"].iloc[0].to_dict()
        answers.append(
            {
                "protocol": protocol,
                "usable": len(chosen),
                "predicted": int(table["predicted"].sum()),
                "total": len(table),
                "genes": chosen.head(number).to_dict("records"),
                "claim": chosen["claim"].iloc[0] if len(chosen) else "",
                "patients": here[here["level"] == "patient"].to_dict("records"),
                "study": study,
            }
        )
    return answers


def histograms(scores: Scores, headline: str, watermark: str | None) -> list[dict]:
    """Draw the distribution of per-gene Pearson of every test section."""
    lead = (scores.per_gene["model"] == keys.MODEL) & (scores.per_gene["layer"] == headline)
    baselines = scores.per_section["model"] == keys.BASELINE
    medians = scores.per_section[baselines].pivot(
        index=["fold", "section"], columns="layer", values="median_pearson"
    )
    # Best first, the same in all sections: the order decides a baseline's mark.
    medians = medians[medians.mean().sort_values(ascending=False).index]
    # Zero is in view whatever the scores are.
    shown = np.r_[scores.per_gene.loc[lead, "pearson"], medians.to_numpy().ravel(), -0.1, 0.1]
    limits = float(np.nanmin(shown)), float(np.nanmax(shown))
    pictures = []
    for (fold, section), group in scores.per_gene[lead].groupby(["fold", "section"], sort=False):
        here = medians.loc[(fold, section)]
        picture = figures.pearson_histogram(
            group["pearson"].to_numpy(), here.rename(_label).to_dict(), limits, _label(headline), watermark
        )
        pictures.append({"fold": fold, "section": section, "src": figures.data_uri(picture)})
    return pictures


def training(fold: str, history: str | Path, watermark: str | None) -> dict:
    """Draw both stages of a fold's training, and name the step that was chosen."""
    table = read_table(history)
    selection, final = (table[table["stage"] == stage] for stage in ("selection", "final"))
    chosen = int(final["step"].max())
    return {
        "fold": fold,
        "chosen": chosen,
        "tried": int(selection["step"].max()),
        "selection": figures.data_uri(figures.training_curves(selection, chosen, watermark)),
        "final": figures.data_uri(figures.training_curves(final, None, watermark)),
    }


def shown_settings(config: Mapping) -> dict[str, dict[str, str]]:
    """Return settings as text, by group; of a path its file name alone, since the page is passed on."""

    def text(value: object) -> str:
        if isinstance(value, list):
            return ", ".join(text(item) for item in value)
        if isinstance(value, bool) or value is None:
            return {True: "true", False: "false", None: "none"}[value]
        return re.split(r"[/\\]", str(value))[-1]

    single = {name: text(value) for name, value in config.items() if not isinstance(value, Mapping)}
    groups = {name: value for name, value in config.items() if isinstance(value, Mapping)}
    return {"study": single} | {
        group: {name: text(value) for name, value in values.items()} for group, values in groups.items()
    }


def is_untrained(predictions: Sequence[Prediction], config: Mapping) -> bool:
    """Tell whether the network has random weights, by the predictions' records or by the settings."""
    encoders = {str(prediction.made["encoder"]).split()[-1] for prediction in predictions}
    return UNTRAINED in {config["features"]["weights"], *encoders}


def models(predictions: Sequence[Prediction]) -> list[dict]:
    """Return what each fold's predictions record of their model, with the sections predicted."""
    by_fold: dict[str, dict] = {}
    for prediction in predictions:
        made = prediction.made
        trained_on = [str(name) for name in made["trained_on"]]
        row = by_fold.setdefault(made["fold"], {**made, "trained_on": trained_on, "sections": []})
        row["sections"].append(made["section"])
    return list(by_fold.values())


def render(**content: object) -> str:
    """Fill the template; every text is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["r"] = lambda value: "undefined" if math.isnan(value) else f"{value:.2f}"
    versions = {"Python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
    return environment.get_template("report.html.j2").render(
        **content,
        colour_bar=figures.data_uri(figures.colour_bar()),
        unit=keys.EXPRESSION_UNIT,
        within_patient=keys.WITHIN_PATIENT,
        scale_ends=SCALE_ENDS,
        versions=versions,
    )


def _label(name: str) -> str:
    return LABELS.get(name, name.replace("_", " "))
