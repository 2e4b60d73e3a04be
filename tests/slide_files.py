"""Pictures and TIFFs as people have them, for tests of what reads slides."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyvips
import tifffile
from PIL import Image

WIDTH, HEIGHT = 700, 500
Write = Callable[[Path], None]


def _picture() -> np.ndarray:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    channels = 120 + 100 * np.sin(x / 37 + y / 91), 150 + 80 * np.cos(y / 53), 180 + 60 * np.sin((x + y) / 71)
    return np.stack(channels, -1).astype(np.uint8)


RGB = _picture()
ALPHA = np.where(np.arange(WIDTH) < 300, 100, 255).astype(np.uint8)
RGBA = np.dstack([RGB, np.broadcast_to(ALPHA, (HEIGHT, WIDTH))])
ON_WHITE = RGB * (ALPHA[:, None] / 255) + (255 - ALPHA[:, None])
RGB16 = RGB.astype(np.uint16) * 257
PLANES = np.ascontiguousarray(np.moveaxis(RGB, -1, 0))
JUNK = bytes(range(50, 100))


def pillow(data: np.ndarray = RGB, **kw: object) -> Write:
    """Write with Pillow, by the name's ending."""
    return lambda path: Image.fromarray(data).save(path, **kw)


def palette(path: Path) -> None:
    """Write 256 colours and an index per pixel."""
    Image.fromarray(RGB).quantize(256).save(path)


def tiff(data: np.ndarray = RGB, **kw: object) -> Write:
    """Write a TIFF of one image, in strips unless told otherwise."""
    return lambda path: tifffile.imwrite(path, data, **({"photometric": "rgb", "metadata": None} | kw))


def tiled(data: np.ndarray = RGB, **kw: object) -> Write:
    """Write a TIFF of one image, in tiles."""
    return tiff(data, **({"tile": (128, 128)} | kw))


def vips(interpretation: str, **kw: object) -> Write:
    """Write with libvips, in a colour space."""
    image = pyvips.Image.new_from_array(RGB16).copy(interpretation="rgb16")
    return lambda path: image.colourspace(interpretation).write_to_file(path, **kw)


def ome(
    data: np.ndarray = RGB, levels: int = 1, mpp: float | None = 0.345, unit: str = "µm", **kw: object
) -> Write:
    """Write an OME-TIFF as tifffile does, its smaller levels as SubIFDs."""
    options = {"photometric": "rgb", "tile": (128, 128)} | kw
    planar = data.shape[0] == 3
    metadata = {"axes": "CYX" if planar else "YXS"}
    if mpp is not None:
        for axis in "XY":
            metadata |= {f"PhysicalSize{axis}": mpp, f"PhysicalSize{axis}Unit": unit}

    def write(path: Path) -> None:
        with tifffile.TiffWriter(path, ome=True) as writer:
            writer.write(data, metadata=metadata, subifds=levels - 1, **options)
            for level in range(1, levels):
                step = 2**level
                small = data[:, ::step, ::step] if planar else data[::step, ::step]
                writer.write(np.ascontiguousarray(small), subfiletype=1, metadata=None, **options)

    return write


def pages(images: Sequence[np.ndarray], description: str, **kw: object) -> Write:
    """Write images one after the other, the first with a description of its own."""

    def write(path: Path) -> None:
        with tifffile.TiffWriter(path) as writer:
            for index, image in enumerate(images):
                photometric = "rgb" if image.ndim == 3 else "minisblack"
                text = {"description": description.encode()} if index == 0 else {}
                writer.write(image, photometric=photometric, metadata=None, **(text | kw))

    return write


def ome_xml(*images: str, namespace: str = "http://www.openmicroscopy.org/Schemas/OME/2016-06") -> str:
    """Return the XML of an OME-TIFF around that of its images."""
    return f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{namespace}">{"".join(images)}</OME>'


def ome_image(
    name: str = "",
    size: tuple[int, int] = (WIDTH, HEIGHT),
    channels: Sequence[str] = ('SamplesPerPixel="3"',),
    c: int = 3,
    ifd: int | None = None,
    pixels: str = "",
) -> str:
    """Return the XML of one image."""
    described = "".join(f'<Channel ID="C:{index}" {channel}/>' for index, channel in enumerate(channels))
    data = "<TiffData/>" if ifd is None else f'<TiffData IFD="{ifd}" PlaneCount="1"/>'
    return (
        f'<Image ID="Image:0" Name="{name}"><Pixels DimensionOrder="XYCZT" Type="uint8" SizeX="{size[0]}" '
        f'SizeY="{size[1]}" SizeC="{c}" SizeZ="1" SizeT="1" {pixels}>{described}{data}</Pixels></Image>'
    )


def damaged(path: Path, start: float, stop: float, content: bytes = b"") -> None:
    """Put something in the place of a part of a file, given as shares of its length."""
    whole = path.read_bytes()
    start, stop = int(start * len(whole)), int(stop * len(whole))
    path.write_bytes(whole[:start] + content + whole[stop:])


def spoil_tile(path: Path, index: int) -> None:
    """Overwrite the beginning of one tile or strip of a TIFF's first image."""
    with tifffile.TiffFile(path) as opened:
        offset, length = opened.pages[0].dataoffsets[index], opened.pages[0].databytecounts[index]
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(b"\xaa" * min(400, length))
