"""What the report leads with: how well expression is predicted, and which genes are usable."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ressat.base.layers import BASELINE, MODEL, TUNED_RIDGE
from ressat.base.tables import read_table
from ressat.evaluation.panels import ALL_GENES
from ressat.evaluation.protocol import caveat
from ressat.evaluation.text_columns import PER_GENE, PER_SECTION, SUMMARY, USABLE_GENES
from ressat.figures.labels import label


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
        ``protocol``; ``patients``, their number, and the ``caveat`` that follows; and what `_glance`
        and `_usable` return.
    """
    of_protocols = []
    for protocol, tables in scores.by_protocol():
        patients = int(tables.usable_genes["n_patients"].iloc[0])
        about = {"protocol": protocol, "patients": patients, "caveat": caveat(protocol, patients)}
        of_protocols.append(about | _glance(tables, headline) | _usable(tables, headline))
    return of_protocols


def _glance(scores: Scores, headline: str) -> dict:
    """Mean per-gene Pearson of each layer, next to the baselines.

    ``figures`` (the model's layers, then the best baseline and the tuned ridge, over all patients), ``ahead``
    (baselines that do better than the headline, in words), ``columns`` and ``rows``
    of the table of sections, ``overall`` (its last row) and ``undefined`` (baselines without any
    correlation, which have no column).
    """
    summary = scores.summary[scores.summary["level"] == "study"]
    summary = summary.assign(label=[label(layer) for layer in summary["layer"]])
    layers = summary[summary["model"] == MODEL].sort_values(
        "layer", key=lambda names: names != headline, kind="stable"
    )
    baselines = summary[summary["model"] == BASELINE]
    defined = baselines.dropna(subset="mean_pearson").sort_values("mean_pearson", ascending=False)
    # The tuned ridge always, since it is the bar to beat; another baseline where that does better.
    best = defined.head(1).assign(label=lambda rows: "best baseline: " + rows["label"])
    ridge = defined[(defined["layer"] == TUNED_RIDGE) & ~defined["layer"].isin(best["layer"])]
    score = layers["mean_pearson"].iloc[0]
    ahead = defined[defined["mean_pearson"] > score]
    columns = pd.concat([layers, defined])
    rows = []
    for (fold, section), group in scores.per_section.groupby(["fold", "section"], sort=False):
        values = group.set_index("layer")["mean_pearson"].reindex(columns["layer"])
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
        "figures": pd.concat([layers, best, ridge])[["model", "label", "mean_pearson"]].to_dict("records"),
        "ahead": [f"{row.label} reaches {row.mean_pearson:.2f}" for row in ahead.itertuples()],
        "columns": columns[["model", "label"]].to_dict("records"),
        "rows": rows,
        "overall": columns["mean_pearson"].tolist(),
        "undefined": baselines.loc[baselines["mean_pearson"].isna(), "label"].tolist(),
    }


def _usable(scores: Scores, headline: str) -> dict:
    """Which genes are usable, and what the model adds to the tuned ridge.

    Numbers of genes ``usable``, ``predicted`` and in ``total``; in how many patients a gene is
    ``required`` to be predicted; ``differences`` to the tuned ridge by patient, with their mean in
    ``study``, beside the pooled correlation.
    """
    table = scores.usable_genes
    usable = table[table["usable"]]
    summary = scores.summary
    lead = summary[(summary["model"] == MODEL) & (summary["layer"] == headline)]
    return {
        "usable": len(usable),
        "predicted": int(table["predicted"].sum()),
        "total": len(table),
        "required": int(table["patients_required"].iloc[0]),
        "differences": lead[lead["level"] == "patient"].to_dict("records"),
        "study": lead[lead["level"] == "study"].iloc[0].to_dict(),
    }
