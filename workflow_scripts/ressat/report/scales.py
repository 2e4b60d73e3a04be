"""At which scale genes are usable, as the page shows it: no smoothed score stands without its scale."""

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ressat.base.tables import read_table
from ressat.evaluation.depth import depth_free
from ressat.evaluation.text_columns import SCALES


class Scales:
    """The scales coarser than the spot, and what genes reach there.

    Parameters
    ----------
    table
        results/evaluation/scales.tsv.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._by_gene = dict(iter(table.groupby(["protocol", "gene"], sort=False)))
        self._by_protocol = dict(iter(table.groupby("protocol", sort=False)))

    @classmethod
    def read(cls, path: str | Path) -> "Scales":
        """Read results/evaluation/scales.tsv."""
        return cls(read_table(path, SCALES))

    def usable(self, usable_genes: pd.DataFrame) -> dict[str, list[dict]]:
        """Count the genes by the finest scale at which they are usable.

        Parameters
        ----------
        usable_genes
            results/evaluation/usable_genes.tsv.

        Returns
        -------
        dict of str, list of dict
            By protocol, for each coarser scale from fine to coarse: ``genes``, the number of those that are
            usable there and at no finer one; ``scale`` in words; and ``effective``, the mean number of
            independent spots that the maps of a gene are worth there.
        """
        by_protocol = usable_genes.groupby("protocol")["finest_scale"]
        return {
            protocol: [
                {
                    "genes": int((by_protocol.get_group(protocol) == scale).sum()),
                    "scale": _words(rows.iloc[0]),
                    "effective": rows["n_effective"].mean(),
                }
                for scale, rows in table.groupby("scale")
            ]
            for protocol, table in self._by_protocol.items()
        }

    def of_gene(self, row: Mapping) -> list[tuple[str, float, float]]:
        """Return, from fine to coarse, a scale in words and a gene's mean r there, plain and depth-free.

        Parameters
        ----------
        row
            Of results/evaluation/usable_genes.tsv.
        """
        rows = self._by_gene[row["protocol"], row["gene"]].sort_values("scale").to_dict("records")
        return [(_words(one), one["pearson"], one[depth_free("pearson")]) for one in rows]


def finest(scale: float) -> str:
    """Name the finest scale at which a gene is usable, in spot pitches."""
    if math.isnan(scale):
        return "none"
    return f"{scale:g} pitches" if scale else "spot"


def _words(row: Mapping) -> str:
    """A scale in spot pitches and, where it is known, in um: two significant digits."""
    ends = [row[f"scale_um_{end}"] for end in ("lowest", "highest")]
    um = dict.fromkeys(f"{float(f'{value:.2g}'):g}" for value in ends if not math.isnan(value))
    return f"{row['scale']:g} spot pitches" + (f" ({' to '.join(um)} µm)" if um else "")
