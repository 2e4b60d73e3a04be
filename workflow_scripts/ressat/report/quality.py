"""The report's chapter on the quality of sections: counts, tiles, stains, and their pictures."""

from collections.abc import Mapping

from ressat.base.files import UNS
from ressat.base.own_file import read_json
from ressat.base.results_h5ad import read_results
from ressat.report import images
from ressat.stain.section_stain import SectionStain
from ressat.tiles.table import Tiles

# Longer edges of the tile overlays and stain previews, px.
OVERLAY_EDGE, PREVIEW_EDGE = 800, 1000


def read_quality(
    sample: str, about: Mapping, tiles: str, overlay: str, stain: str, preview: str, counts: str | None
) -> dict:
    """Gather what is known about one section's quality, and its pictures.

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
    SectionStain.read(stain)  # refuses what is damaged; the page shows the file
    section_stain = read_json(stain)
    counts_record = None
    if counts is not None:
        # Backed, because the counts themselves are not shown.
        adata = read_results(counts, backed="r")
        counts_record = {"genes": adata.n_vars, **adata.uns[UNS]}
        adata.file.close()
    return {
        "sample": sample,
        **about,
        "counts": counts_record,
        "tiles": len(table.coords),
        "tile_um": table.geometry.tile_um,
        "tile_px": table.geometry.tile_px,
        "padded": table.edge_tiles,
        "tissue": float(table.tissue.mean()),
        "mpp": table.scale.mpp,
        "mpp_source": table.scale.source,
        "fingerprint": table.fingerprint,
        "stain": section_stain,
        "overlay": images.data_uri(images.shrunk(overlay, OVERLAY_EDGE)),
        "preview": images.data_uri(images.shrunk(preview, PREVIEW_EDGE)),
    }
