"""What is known of how well a model predicts each gene; it travels with the model."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ressat.base.errors import InputError
from ressat.base.fields import (
    ANYTHING,
    LONGEST_NAME,
    Field,
    ListOf,
    Number,
    OneOf,
    Optional,
    Record,
    Text,
    by_name,
    check_field,
)
from ressat.base.layers import COMBINED

# Where scores come from: sections that no model of the fold learnt from, or, where no section was tested,
# pieces of the training sections that were held back in turn.
TESTED, HELD_BACK = "tested", "held back"
# What is said of a model that was saved before there was this.
UNKNOWN = "unknown"
# What is said of a gene: a truth value would not do, since a gene that was not tested is neither.
USABLE, NOT_USABLE, NOT_TESTED = "usable", "not usable", "not tested"
LONGEST_PROTOCOL = 1000
UNKNOWN_HERE = "the model was saved before any section was tested"
# More scores than any study has would take hours to look at.
MOST_PATIENTS, MOST_SCORES = 10_000, 100_000_000
# A correlation, with room for rounding; a share such as an FDR; undefined ones are nan.
CORRELATION = Number(-1.001, 1.001, undefined=True)
SHARE = Number(0, 1, undefined=True)
# Scores of genes, by their names in usable_genes.tsv; what stands beside a ceiling is over the same sections.
CORRELATIONS = (
    "pearson", "pearson_depth_free", "tuned_ridge", "tuned_ridge_depth_free", "pearson_with_ceiling",
    "pearson_with_ceiling_depth_free",
)  # fmt: skip
SHARES = ("ceiling", "ceiling_depth_free", "fdr", "fdr_depth_free")
# What is known of each gene.
GENE_COLUMNS: dict[str, Field] = {
    **dict.fromkeys(CORRELATIONS, CORRELATION),
    **dict.fromkeys(SHARES, SHARE),
    "n_patients": Number(0, 1e6, whole=True),
    "verdict": OneOf([USABLE, NOT_USABLE, NOT_TESTED]),
    "reason": Text(1000, empty=True),
}


@dataclass(frozen=True)
class Reliability:
    """What is known of how well a model's genes are predicted.

    Attributes
    ----------
    source
        `TESTED` or `HELD_BACK`.
    protocol
        What the scores stand for, in words.
    layer
        The layer that was scored, such as ``combined``.
    patients
        Names of the patients with scores.
    by_patient
        Pearson's r of each gene by patient, nan where undefined.
    genes
        The columns `GENE_COLUMNS`, a value for each of the model's genes.
    """

    source: str
    protocol: str
    layer: str
    patients: list[str]
    by_patient: dict[str, list[float]]
    genes: dict[str, list]

    @property
    def summary(self) -> dict[str, object]:
        """What predictions record of it beside the genes."""
        return {
            "source": self.source,
            "protocol": self.protocol,
            "layer": self.layer,
            "patients": self.patients,
        }

    @property
    def content(self) -> dict:
        """The entry of a saved model."""
        return asdict(self)

    @classmethod
    def of(cls, content: Mapping | None) -> "Reliability | None":
        """Return what an entry of a saved model that was checked says."""
        return None if content is None else cls(**content)


def reliability_field(number: int) -> Field:
    """Return what the entry of a model of so many genes must be."""
    columns = {name: ListOf(field, number, number) for name, field in GENE_COLUMNS.items()}
    return Optional(
        Record(
            {
                "source": OneOf([TESTED, HELD_BACK]),
                "protocol": Text(LONGEST_PROTOCOL, seen=False),
                "layer": Text(LONGEST_NAME),
                "patients": ListOf(Text(LONGEST_NAME, seen=False), most=MOST_PATIENTS, distinct=True),
                "by_patient": ANYTHING,
                "genes": Record(columns),
            }
        )
    )


def check_reliability(content: dict, number: int) -> None:
    """Refuse an entry whose scores are not of the model's patients and genes.

    Raises
    ------
    InputError
        Naming the first entry that is wrong.
    """
    if content is None:
        return
    if len(content["patients"]) * number > MOST_SCORES:
        raise InputError(
            f"reliability has {len(content['patients'])} patients, and the model {number} genes",
            expected=f"at most {MOST_SCORES} scores",
        )
    scores = ListOf(CORRELATION, number, number)
    check_field(content["by_patient"], by_name(content["patients"], scores), "reliability.by_patient")


def held_back_reliability(by_gene: np.ndarray, pieces: Sequence[str]) -> Reliability:
    """Return what training itself tells of a model's genes, for which no section was tested.

    Parameters
    ----------
    by_gene
        See `ressat.model.mixture.Mixture`.
    pieces
        What was held back in turn, in words.
    """
    plain, depth_free = np.round(by_gene, 6).tolist()
    undefined = [float("nan")] * len(plain)
    genes = {
        **{name: list(undefined) for name in (*CORRELATIONS, *SHARES)},
        "pearson": plain,
        "pearson_depth_free": depth_free,
        "n_patients": [0] * len(plain),
        "verdict": [NOT_TESTED] * len(plain),
        "reason": [UNKNOWN_HERE] * len(plain),
    }
    protocol = f"pieces of the training sections held back in turn ({'; '.join(pieces)})"
    return Reliability(HELD_BACK, protocol[:LONGEST_PROTOCOL].rstrip(), COMBINED, [], {}, genes)
