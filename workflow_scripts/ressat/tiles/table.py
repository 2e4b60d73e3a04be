"""The file that says which tiles a section has."""

import math
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ressat.base.files import FORMAT_VERSION, check_version
from ressat.base.hdf5_file import new_hdf5
from ressat.base.own_file import damaged, own_file
from ressat.slides.scale import Scale
from ressat.tiles.datasets import BARCODES, COORDS, LOWRES, TISSUE, read_spots
from ressat.tiles.tiling import TileGeometry

# Attributes that lengths and areas are computed with.
POSITIVE = ("mpp", "tile_um", "tile_px", "read_px", "level_downsample", "spot_px")


@dataclass(frozen=True)
class Tiles:
    """The tiles of one section.

    Attributes
    ----------
    section
        The section's name.
    coords
        int32, shape (n, 2): level-0 x and y of the tiles' centres.
    barcodes
        str, shape (n,): spot barcodes, or grid ids.
    tissue
        float32, shape (n,): share of each tile that is tissue.
    lowres
        uint8, shape (h, w, 3): the clean low-resolution image.
    lowres_downsample
        Level-0 pixels per pixel of ``lowres``.
    scale
        The slide's scale.
    geometry
        How tiles are read.
    spot_px
        Diameter of a spot in level-0 pixels, for drawing.
    edge_tiles
        How many tiles reach beyond the image.
    fingerprint
        Fingerprint of the slide's content.
    """

    section: str
    coords: np.ndarray
    barcodes: np.ndarray
    tissue: np.ndarray
    lowres: np.ndarray
    lowres_downsample: float
    scale: Scale
    geometry: TileGeometry
    spot_px: float
    edge_tiles: int
    fingerprint: str

    def write(self, path: str | Path) -> None:
        """Write the file described in docs/outputs.md, as a whole."""
        with new_hdf5(path) as file:
            file[COORDS] = self.coords.astype(np.int32)
            file.create_dataset(BARCODES, data=self.barcodes.astype(object), dtype=h5py.string_dtype())
            file[TISSUE] = self.tissue.astype(np.float32)
            lowres = file.create_dataset(LOWRES, data=self.lowres, compression="gzip")
            lowres.attrs["downsample"] = self.lowres_downsample
            file.attrs.update(
                section=self.section,
                mpp=self.scale.mpp,
                mpp_source=self.scale.source,
                tile_um=self.geometry.tile_um,
                tile_px=self.geometry.tile_px,
                level=self.geometry.level,
                read_px=self.geometry.read_px,
                level_downsample=self.geometry.downsample,
                spot_px=self.spot_px,
                edge_tiles=self.edge_tiles,
                slide_fingerprint=self.fingerprint,
                version=FORMAT_VERSION,
            )

    @classmethod
    def read(cls, path: str | Path) -> "Tiles":
        """Read the file that `write` wrote.

        Raises
        ------
        InputError
            If the file is damaged or of another version of the format.
        """
        with own_file(path), h5py.File(path) as file:
            attrs = dict(file.attrs)
            check_version(attrs, path)
            for name in POSITIVE:
                if not 0 < float(attrs[name]) < math.inf:
                    raise damaged(f"{name} is {attrs[name]}")
            lowres = file[LOWRES][()]
            if lowres.ndim != 3 or lowres.shape[2] != 3:
                raise damaged(f"the low-resolution image has the shape {lowres.shape}")
            return cls(
                section=attrs["section"],
                **read_spots(file),
                lowres=lowres,
                lowres_downsample=float(file[LOWRES].attrs["downsample"]),
                scale=Scale(float(attrs["mpp"]), attrs["mpp_source"]),
                geometry=TileGeometry(
                    float(attrs["tile_um"]),
                    int(attrs["tile_px"]),
                    int(attrs["level"]),
                    int(attrs["read_px"]),
                    float(attrs["level_downsample"]),
                ),
                spot_px=float(attrs["spot_px"]),
                edge_tiles=int(attrs["edge_tiles"]),
                fingerprint=attrs["slide_fingerprint"],
            )
