"""What the maps for papers show of a section: which genes, their values, and the tissue below them."""

from dataclasses import dataclass

import anndata
import numpy as np
import pandas as pd

from ressat.base.files import UNS
from ressat.base.layers import MODEL, OBSERVED
from ressat.figures.paper_page import shortened
from ressat.figures.tissue_map import faded_tissue
from ressat.stats.neighbours import spot_pitch

# Spots smaller than this on the page are enlarged, mm.
SMALL_SPOT = 0.8


@dataclass(frozen=True)
class SectionMaps:
    """A section, and those of its genes that are drawn.

    Attributes
    ----------
    heading
        What its scores stand for, its name and patient, and which genes these are.
    tissue
        AnnData without genes: the places of its spots, and its image, grey and cut to the spots.
    values
        Of each gene: observed, predicted and difference, shape (spots, 3).
    pearson
        Of each gene in this section.
    um_per_px
        um per pixel of the image.
    pitch_px, spot_px
        Distance of neighbouring spots and diameter of a spot, pixels of the image.
    """

    heading: str
    tissue: anndata.AnnData
    values: dict[str, np.ndarray]
    pearson: dict[str, float]
    um_per_px: float
    pitch_px: float
    spot_px: float

    @classmethod
    def take(
        cls, adata: anndata.AnnData, per_gene: pd.DataFrame, usable_genes: pd.DataFrame, number: int
    ) -> "SectionMaps":
        """Take what is drawn from a tested section's predictions.

        Parameters
        ----------
        adata
            As results/predictions has it.
        per_gene, usable_genes
            The tables of results/evaluation.
        number
            How many genes, at most: the best usable ones, or the best predicted where none is usable.
        """
        record = adata.uns[UNS]
        rows = usable_genes[usable_genes["protocol"] == record["protocol"]].dropna(subset="pearson")
        some_usable = rows["usable"].any()
        genes = rows[rows["usable"] == some_usable].nlargest(number, "pearson")["gene"]
        score = {"model": MODEL, "layer": record["headline"]} | {
            name: record[name] for name in ("fold", "section")
        }
        here = per_gene[np.logical_and.reduce([per_gene[name] == value for name, value in score.items()])]
        values = {}
        for gene in genes:
            one = adata[:, gene]
            observed = np.asarray(one.layers[OBSERVED], dtype=float).ravel()
            predicted = np.asarray(one.X, dtype=float).ravel()
            values[gene] = np.column_stack([observed, predicted, predicted - observed])
        which = "best usable genes" if some_usable else "best predicted genes, none is usable"
        scalefactors = adata.uns["spatial"][record["section"]]["scalefactors"]
        scale = float(scalefactors["tissue_hires_scalef"])
        return cls(
            f"{record['protocol']}: section {shortened(record['section'])}, "
            f"patient {shortened(record['patient'])}; {which}; {record['headline']}, {record['unit']}",
            tissue(adata),
            values,
            here.set_index("gene")["pearson"].reindex(genes).to_dict(),
            um_per_px=float(record["mpp"]) / scale,
            pitch_px=spot_pitch(adata.obsm["spatial"]) * scale,
            spot_px=float(scalefactors["spot_diameter_fullres"]) * scale,
        )

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the image, px."""
        (library,) = self.tissue.uns["spatial"].values()
        return library["images"]["hires"].shape[:2]

    def mm_per_px(self, width: float, height: float) -> float:
        """Return how large a pixel is on a map of at most this size in mm."""
        rows, columns = self.image_size
        return min(width / columns, height / rows)

    def enlarged(self, mm_per_px: float) -> float:
        """Return by how much spots are enlarged: small ones until they touch, so that their colour shows."""
        return max(1.0, min(self.pitch_px / self.spot_px, SMALL_SPOT / (self.spot_px * mm_per_px)))


def tissue(adata: anndata.AnnData) -> anndata.AnnData:
    """Return spots and image of a section's predictions, the image grey and cut to the spots."""
    ((name, library),) = adata.uns["spatial"].items()
    scale = float(library["scalefactors"]["tissue_hires_scalef"])
    diameter = float(library["scalefactors"]["spot_diameter_fullres"])
    centres = adata.obsm["spatial"] * scale
    light, low = faded_tissue(library["images"]["hires"], centres, diameter * scale)
    spots = anndata.AnnData(
        obs=pd.DataFrame(index=adata.obs_names), obsm={"spatial": adata.obsm["spatial"] - low / scale}
    )
    images = {"hires": np.repeat(light[..., None], 3, axis=-1)}
    spots.uns["spatial"] = {name: {"images": images, "scalefactors": dict(library["scalefactors"])}}
    return spots
