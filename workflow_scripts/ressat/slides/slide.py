"""Reading a slide through OpenSlide, and knowing its scale."""

import hashlib
from pathlib import Path

import numpy as np
import openslide
from PIL import Image

from ressat.base.errors import InputError, about
from ressat.base.files import sha256
from ressat.base.machine import refuse_trouble
from ressat.slides.scale import believable_mpp, best_level

# Edge, in pixels of the level read, of the blocks from which a low-resolution image is built, and of those
# that are searched for damage.
BLOCK_PX, SEARCH_PX = 2048, 128


class Slide:
    """A slide opened with OpenSlide; a context manager.

    Parameters
    ----------
    path
        The slide's file.

    Raises
    ------
    InputError
        If OpenSlide cannot open the file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._handle = openslide.OpenSlide(str(path))
        except (openslide.OpenSlideError, OSError) as error:
            with about(file=path):
                refuse_trouble(error)
            raise InputError(
                f"OpenSlide cannot open it ({error})",
                expected="a whole slide in a format that OpenSlide reads",
                action="open it in a viewer, and copy or export it again",
                file=path,
            ) from error
        self._properties = self._handle.properties
        colour = self._properties.get(openslide.PROPERTY_NAME_BACKGROUND_COLOR, "FFFFFF")
        self._background = tuple(bytes.fromhex(colour))

    def __enter__(self) -> "Slide":
        return self

    def __exit__(self, *exc: object) -> None:
        self._handle.close()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of level 0, in pixels."""
        return self._handle.dimensions

    @property
    def downsamples(self) -> tuple[float, ...]:
        """How many level-0 pixels one pixel of each level stands for, along an edge."""
        return self._handle.level_downsamples

    @property
    def level_sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of each level, in its own pixels."""
        return self._handle.level_dimensions

    @property
    def tagged_mpp(self) -> float | None:
        """Scale from the slide's own tags in um/px; None if absent or not believable."""
        try:
            across = float(self._properties[openslide.PROPERTY_NAME_MPP_X])
            down = float(self._properties[openslide.PROPERTY_NAME_MPP_Y])
        except (KeyError, ValueError):
            return None
        return believable_mpp(across, down)

    @property
    def description(self) -> str:
        """The TIFF's image description; empty if there is none."""
        return self._properties.get("tiff.ImageDescription", "")

    def read(self, x: int, y: int, level: int, width: int, height: int) -> Image.Image:
        """Read a region as RGB; what lies outside the image is background.

        Parameters
        ----------
        x, y
            Top left corner in level-0 pixels.
        level
            Pyramid level to read.
        width, height
            Size in pixels of that level.

        Raises
        ------
        InputError
            If the file is damaged at that place.
        """
        region = self._region(x, y, level, width, height)
        rgb = Image.new("RGB", region.size, self._background)
        rgb.paste(region, mask=region.getchannel("A"))
        return rgb

    def _region(self, x: int, y: int, level: int, width: int, height: int) -> Image.Image:
        """Read a region with its transparency."""
        try:
            return self._handle.read_region((x, y), level, (width, height))
        except openslide.OpenSlideError as error:
            with about(file=self.path):
                refuse_trouble(error)
            x, y, width, height = self._damaged_part(x, y, level, width, height)
            raise InputError(
                f"the region at level-0 pixel x={x}, y={y} (level {level}, {width} x {height} px) "
                f"cannot be read ({error})",
                expected="a slide without damage",
                action="copy or export the slide again",
                file=self.path,
            ) from error

    def _damaged_part(self, x: int, y: int, level: int, width: int, height: int) -> tuple[int, int, int, int]:
        """Return corner and size of the first part of a region that cannot be read, or of the whole."""
        try:
            # After an error OpenSlide reads nothing more from the same handle.
            handle = openslide.OpenSlide(str(self.path))
            scale = handle.level_downsamples[level]
        except (openslide.OpenSlideError, OSError):
            return x, y, width, height
        for top in range(0, height, SEARCH_PX):
            for left in range(0, width, SEARCH_PX):
                corner = x + round(left * scale), y + round(top * scale)
                size = min(SEARCH_PX, width - left), min(SEARCH_PX, height - top)
                try:
                    handle.read_region(corner, level, size)
                except openslide.OpenSlideError:
                    return *corner, *size
        return x, y, width, height

    def low_resolution(self, longest_px: int) -> tuple[np.ndarray, float]:
        """Return the whole slide at low resolution, averaged, in bounded memory.

        Parameters
        ----------
        longest_px
            Upper bound of the longer edge of the result.

        Returns
        -------
        tuple of numpy.ndarray, float
            RGB image, uint8, shape (h, w, 3); and its downsample (level-0 px per pixel).
        """
        width, height = self.size
        level = best_level(self.downsamples, max(width, height) / longest_px)
        scale = self.downsamples[level]
        level_width, level_height = self.level_sizes[level]
        factor = max(1, -(-max(level_width, level_height) // longest_px))
        # Blocks are whole multiples of the factor, so that averaging leaves no seams.
        block = max(1, BLOCK_PX // factor) * factor
        image = Image.new("RGB", (-(-level_width // factor), -(-level_height // factor)))
        for top in range(0, level_height, block):
            for left in range(0, level_width, block):
                size = min(block, level_width - left), min(block, level_height - top)
                region = self.read(round(left * scale), round(top * scale), level, *size)
                image.paste(region.reduce(factor), (left // factor, top // factor))
        return np.asarray(image), scale * factor

    def is_transparent(self) -> bool:
        """Say whether nothing of the slide is opaque, by its coarsest level.

        What lies outside the scanned area, or is missing in the file, is transparent too.
        """
        level = len(self.downsamples) - 1
        (width, height), scale = self.level_sizes[level], self.downsamples[level]
        for top in range(0, height, BLOCK_PX):
            for left in range(0, width, BLOCK_PX):
                size = min(BLOCK_PX, width - left), min(BLOCK_PX, height - top)
                region = self._region(round(left * scale), round(top * scale), level, *size)
                if region.getchannel("A").getextrema()[1]:
                    return False
        return True

    def fingerprint(self) -> str:
        """Return a SHA-256 of the slide's content, independent of its path and date.

        For formats of several files (mrxs, vms) the file named in the sheet is only an index;
        OpenSlide's own hash, over metadata and pixels of the lowest level, is mixed in.
        """
        digest = hashlib.sha256(sha256(self.path).encode())
        digest.update(self._properties.get(openslide.PROPERTY_NAME_QUICKHASH1, "").encode())
        return digest.hexdigest()
