"""What the report leads with: how well expression is predicted, and which genes are usable."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ressat.base.layers import BASELINE, MODEL, ORACLE, TUNED_RIDGE
from ressat.base.tables import read_table
from ressat.evaluation.depth import BOTH, depth_free
from ressat.evaluation.panels import ALL_GENES
from ressat.evaluation.protocol import caveat
from ressat.evaluation.text_columns import PER_GENE, PER_SECTION, SUMMARY, USABLE_GENES
from ressat.figures.labels import label
from ressat.report.levels import section_levels, shares
from ressat.report.words import DEPTH_FREE, PLAIN

# Of genes that are usable only through sequencing depth, or only given it, the first are named.
MOST_NAMES = 12


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
        """Read the four tables, and keep the summaries over all genes."""
        sections, patients = read_table(per_section, PER_SECTION), read_table(summary, SUMMARY)
        return cls(
            read_table(per_gene, PER_GENE),
            sections[sections["panel"] == ALL_GENES],
            patients[patients["panel"] == ALL_GENES],
            read_table(usable_genes, USABLE_GENES),
        )

    def by_protocol(self) -> Iterator[tuple[str, "Scores"]]:
        """Yield the tables of each protocol separately: scores of different protocols must not be mixed."""
        tables = vars(self).values()
        for protocol in self.summary["protocol"].unique():
            yield protocol, Scores(*(table[table["protocol"] == protocol] for table in tables))


def answers(scores: Scores, headline: str) -> list[dict]:
    """Put the answer together for each protocol.

    Parameters
    ----------
    scores
        The tables.
    headline
        The headline layer.

    Returns
    -------
    list of dict
        ``protocol``; ``patients``, their number, and the ``caveat`` that follows; ``levels``, see
        `ressat.report.levels.section_levels`, and what `_glance` and `_usable` return.
    """
    of_protocols = []
    for protocol, tables in scores.by_protocol():
        patients = int(tables.usable_genes["n_patients"].iloc[0])
        about = {"protocol": protocol, "patients": patients, "caveat": caveat(protocol, patients)}
        about["levels"] = section_levels(_of_layer(tables.per_section, headline))
        of_protocols.append(about | _glance(tables, headline) | _usable(tables, headline))
    return of_protocols


def _glance(scores: Scores, headline: str) -> dict:
    """Mean per-gene Pearson of each layer, next to the baselines; every score beside its depth-free twin.

    ``study`` (the headline over all patients), ``shares`` (what it reaches of the noise ceiling, see
    `ressat.report.levels.shares`), ``figures`` (the model's other layers, then the best baseline
    and the tuned ridge), ``ahead`` (baselines that do better than the headline, in words), ``oracle`` (what
    a map of the observed depth reaches; NaN where nothing is known of it), ``columns``, ``rows`` and
    ``overall`` (the last row) of the table of sections, and ``undefined`` (baselines without any
    correlation, which have no column).
    """
    summary = scores.summary[scores.summary["level"] == "study"]
    summary = summary.assign(label=[label(layer) for layer in summary["layer"]])
    layers = summary[summary["model"] == MODEL].sort_values(
        "layer", key=lambda names: names != headline, kind="stable"
    )
    lead = layers.iloc[0]
    baselines = summary[summary["model"] == BASELINE]
    defined = baselines.dropna(subset="mean_pearson").sort_values("mean_pearson", ascending=False)
    # The tuned ridge always, since it is the bar to beat; another baseline where that does better.
    best = defined.head(1).assign(label=lambda rows: "best baseline: " + rows["label"])
    ridge = defined[(defined["layer"] == TUNED_RIDGE) & ~defined["layer"].isin(best["layer"])]
    oracle = summary[summary["model"] == ORACLE].dropna(subset="mean_pearson")
    columns = pd.concat([layers, defined, oracle.assign(label=lambda rows: "oracle: " + rows["label"])])
    return {
        "study": lead.to_dict(),
        "shares": shares(lead),
        "figures": pd.concat([layers.iloc[1:], best, ridge]).to_dict("records"),
        "ahead": list(_ahead(lead, defined)),
        "oracle": oracle["mean_pearson"].mean(),
        "columns": columns[["model", "label"]].to_dict("records"),
        "rows": _rows(scores.per_section, columns, headline),
        "overall": [
            {
                "words": words,
                "values": columns[of("mean_pearson")].tolist(),
                "genes": lead["n_genes"] - lead[of("n_undefined")],
            }
            for words, of in zip((PLAIN, DEPTH_FREE), BOTH, strict=True)
        ],
        "undefined": baselines.loc[baselines["mean_pearson"].isna(), "label"].tolist(),
    }


def _ahead(lead: pd.Series, baselines: pd.DataFrame) -> Iterator[str]:
    """Say which baselines do better than the headline, and by which score."""
    for _, row in baselines.iterrows():
        plain, twin = (row[of("mean_pearson")] > lead[of("mean_pearson")] for of in BOTH)
        reached = [f"{row['mean_pearson']:.2f}"] if plain else []
        reached += [f"{row[depth_free('mean_pearson')]:.2f} {DEPTH_FREE}"] if twin else []
        if reached:
            yield f"{row['label']} reaches {' and '.join(reached)}"


def _rows(per_section: pd.DataFrame, columns: pd.DataFrame, headline: str) -> list[dict]:
    """Rows of the table of sections: about each, and its ``scores``, plain and depth-free.

    ``best`` is the highest value that is no oracle's; ``of_training`` the median of the spots' total counts,
    as a multiple of training's.
    """
    rows = []
    no_oracle = (columns["model"] != ORACLE).to_numpy()
    for (fold, section), group in per_section.groupby(["fold", "section"], sort=False):
        layers = group.set_index("layer")
        lead = layers.loc[headline]
        of_section = []
        for words, of in zip((PLAIN, DEPTH_FREE), BOTH, strict=True):
            values = layers[of("mean_pearson")].reindex(columns["layer"])
            undefined = lead[of("n_undefined")]
            of_section.append(
                {
                    "words": words,
                    "values": values.tolist(),
                    "best": values[no_oracle].max(),
                    "genes": lead["n_genes"] - undefined,
                    "left_out": undefined,
                }
            )
        rows.append(
            {
                "fold": fold,
                "section": section,
                "patient": lead["patient"],
                "spots": lead["n_spots"],
                "median_counts": lead["median_counts"],
                "of_training": lead["median_counts"] / lead["training_median_counts"],
                "following": lead["share_following_depth"],
                "scores": of_section,
            }
        )
    return rows


def _usable(scores: Scores, headline: str) -> dict:
    """Which genes are usable, and what the model adds to the tuned ridge.

    Numbers of genes ``without_ceiling``, ``usable``, ``predicted``, ``predicted_depth_free`` and in
    ``total``; those that pass ``only_through_depth`` and ``only_depth_free``, see `_names`; in how many
    patients a gene is ``required`` to be predicted; and ``differences`` to the tuned ridge by patient.
    """
    table = scores.usable_genes
    summary = scores.summary
    lead = _of_layer(summary, headline)
    return {
        "without_ceiling": int(table["ceiling"].isna().sum()),
        "usable": int(table["usable"].sum()),
        "predicted": int(table["predicted"].sum()),
        "predicted_depth_free": int(table["predicted_depth_free"].sum()),
        "total": len(table),
        "only_through_depth": _names(table[table["only_through_depth"]]),
        "only_depth_free": _names(table[table["only_depth_free"]]),
        "required": int(table["patients_required"].iloc[0]),
        "differences": lead[lead["level"] == "patient"].to_dict("records"),
    }


def _of_layer(table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """Rows of the model's headline layer."""
    return table[(table["model"] == MODEL) & (table["layer"] == headline)]


def _names(table: pd.DataFrame) -> dict:
    """The ``number`` of genes, and the ``first`` ones by name."""
    return {"number": len(table), "first": table["gene"].head(MOST_NAMES).tolist()}
