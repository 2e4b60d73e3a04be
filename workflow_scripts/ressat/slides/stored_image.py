"""One of the images that a file holds, as libvips loads it."""

import os
from dataclasses import dataclass, replace

import pyvips

from ressat.base.errors import InputError

# The loader is chosen by a file's first bytes. libvips knows many more formats, and its own choice would
# depend on what it was built with.
LOADERS = {
    b"\xff\xd8\xff": "jpegload",
    b"\x89PNG\r\n\x1a\n": "pngload",
    b"II*\0": "tiffload",
    b"MM\0*": "tiffload",
    b"II+\0": "tiffload",
    b"MM\0+": "tiffload",
}


def loader_name(path: str | os.PathLike) -> str:
    """Return the name of libvips' loader for a file.

    Raises
    ------
    InputError
        If it does not begin like a picture of a known format.
    """
    with open(path, "rb") as handle:
        start = handle.read(12)
    if start[:4] == b"RIFF" and start[8:] == b"WEBP":
        return "webpload"
    for magic, loader in LOADERS.items():
        if start.startswith(magic):
            return loader
    raise InputError(
        "the picture cannot be read (it does not begin like one)" if start else "the file is empty",
        expected="a whole JPEG, PNG, WebP or TIFF picture",
        action="copy it again from its source, or save it again as TIFF or PNG",
    )


@dataclass(frozen=True)
class StoredImage:
    """An image in a file.

    Attributes
    ----------
    path
        The file.
    loader
        See `loader_name`.
    pages
        Of a TIFF, the directory of its main chain that holds the image, or the three that hold its red, green
        and blue.
    subifd
        Of a TIFF, the SubIFD of that directory, if the image is one.
    patches
        Bytes to read in place of those in the file, by their place; see `ressat.slides.tiff_tags.Tiff`.
    channels
        Those to load, counted from 0; all if None.
    """

    path: str | os.PathLike
    loader: str
    pages: tuple[int, ...] = (0,)
    subifd: int | None = None
    patches: tuple[tuple[int, bytes], ...] = ()
    channels: tuple[int, ...] | None = None

    def load(self, **options: object) -> pyvips.Image:
        """Load it, by default from top to bottom, and so that an error in its data raises."""
        # With "error" libvips returns black where it cannot decode a TIFF tile, and garbage after a damaged
        # place in a JPEG. "warning" includes "error"; private TIFF tags and odd metadata still pass.
        options = {"access": "sequential", "fail_on": "warning", "revalidate": True} | options
        if self.loader != "tiffload":
            return getattr(pyvips.Image, self.loader)(os.fspath(self.path), **options)
        # The default limits libtiff to 50 MB, which refuses a picture stored as one compressed strip.
        options["unlimited"] = True
        if self.subifd is not None:
            options["subifd"] = self.subifd
        images = [self._page(page, options) for page in self.pages]
        if len(images) == 1 and self.channels is not None:
            first, *others = (images[0].extract_band(channel) for channel in self.channels)
            return first.bandjoin(others).copy(interpretation=images[0].interpretation)
        if len(images) == 1:
            return images[0]
        return images[0].bandjoin(images[1:]).copy(interpretation="srgb")

    def level(self, subifd: int) -> "StoredImage":
        """Return a SubIFD of this image."""
        return replace(self, subifd=subifd)

    def _page(self, page: int, options: dict[str, object]) -> pyvips.Image:
        # Given only where it is not the first, of which libvips also knows how many there are.
        options = options | ({"page": page} if page else {})
        if not self.patches:
            return pyvips.Image.tiffload(os.fspath(self.path), **options)
        return pyvips.Image.new_from_source(_patched(self.path, self.patches), "", **options)


def _patched(path: str | os.PathLike, patches: tuple[tuple[int, bytes], ...]) -> pyvips.SourceCustom:
    """Return a source that reads a file with some of its bytes replaced.

    libvips takes tags out of order for damage, although the pixels are whole: tifffile, for one, writes a
    description of its own after the user's.
    """
    handle = open(path, "rb")  # noqa: SIM115, closed with the source

    def read(size: int) -> bytes:
        start = handle.tell()
        data = bytearray(handle.read(size))
        for place, content in patches:
            first, last = max(start, place), min(start + len(data), place + len(content))
            if first < last:
                data[first - start : last - start] = content[first - place : last - place]
        return bytes(data)

    source = pyvips.SourceCustom()
    source.on_read(read)
    source.on_seek(handle.seek)
    return source
