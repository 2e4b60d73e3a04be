"""The HDF5 datasets that tile files and feature files share."""

import h5py
import numpy as np

from ressat.base.own_file import damaged

COORDS = "coords"
BARCODES = "barcodes"
TISSUE = "tissue"
LOWRES = "lowres"
ROUNDING = 1e-6


def read_spots(file: h5py.File) -> dict[str, np.ndarray]:
    """Read the places, names and tissue of a section's tiles; see `ressat.tiles.table.Tiles`.

    Raises
    ------
    InputError
        If they do not belong together, or hold what a tile cannot have.
    """
    coords, tissue = file[COORDS][()], file[TISSUE][()]
    barcodes = file[BARCODES].asstr()[()].astype(str)
    number = len(barcodes)
    if barcodes.ndim != 1 or coords.shape != (number, 2) or tissue.shape != (number,):
        shapes = f"{coords.shape}, {barcodes.shape} and {tissue.shape}"
        raise damaged(f"coords, barcodes and tissue do not belong together: their shapes are {shapes}")
    if len(np.unique(barcodes)) != number:
        raise damaged("a barcode is there twice")
    if not ((tissue > -ROUNDING) & (tissue < 1 + ROUNDING)).all():
        raise damaged("a share of tissue is not between 0 and 1")
    return {COORDS: coords, BARCODES: barcodes, TISSUE: tissue}
