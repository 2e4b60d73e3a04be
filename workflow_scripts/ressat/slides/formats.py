"""Whether OpenSlide reads a file as a slide, told from its name, its beginning and, for TIFF, its tags.

Runs for every slide of the sheet while the workflow is parsed, where there is no OpenSlide: standard
library only, a few kilobytes read per TIFF, no pixel. The rules for TIFF are those by which
OpenSlide 4.0 accepts a file (from its format documentation, and tested), on the safe side where its
builds differ: a needless conversion costs minutes, a slide that cannot be opened costs the run.
"""

import os
from itertools import pairwise
from pathlib import Path

from ressat.base.errors import InputError, about
from ressat.slides.level_zero import FIRST, slide_place
from ressat.slides.tiff_tags import REDUCED, TRANSPARENCY, Tag, Tiff, TiffImage, read_tiff, stated_bits

DICOM_MARK, DICOM_MARK_AT = b"DICM", 128

SLIDE_SUFFIXES = (".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide", ".dcm", ".czi")
# Formats that are neither: what they are, for those who have such a slide.
UNREADABLE = {
    ".vsi": "an Olympus slide",
    ".ets": "a part of an Olympus slide",
    ".isyntax": "a Philips iSyntax slide",
    ".kfb": "a KFBio slide",
    ".sdpc": "a Sqray slide",
    ".lif": "a Leica LIF file",
    ".nd2": "a Nikon ND2 file",
    ".zvi": "a Zeiss ZVI file",
}
# Scanners' formats whose files begin like something else that is read: mrxs is a JPEG beside a folder.
NAMED_ALONE = (".mrxs", ".vms", ".vmu")
# .qptiff is Akoya's, .btf and .tf8 stand for BigTIFF.
TIFF_SUFFIXES = (".tif", ".tiff", ".qptiff", ".btf", ".tf8")
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
# How pictures begin, whatever their names; a RIFF file may also be a film or a sound.
PICTURE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
RIFF, WEBP, WEBP_AT = b"RIFF", b"WEBP", 8

# none, LZW, JPEG, deflate, PackBits, deflate (old number), zstd: what every build of OpenSlide decodes.
COMPRESSIONS = {1, 5, 7, 8, 32773, 32946, 50000}
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
SEPARATE = 2  # planar configuration: each channel stored separately


def needs_conversion(path: str | os.PathLike) -> bool:
    """Say whether a slide must be converted before OpenSlide can read it correctly.

    Parameters
    ----------
    path
        A slide of the sheet. Scanner formats are used as they are and pictures are always converted, also
        under the name of a TIFF or a scanner's format; a TIFF's tags are read, whatever its name.

    Returns
    -------
    bool
        True where the file must be rewritten first: OpenSlide does not open it, does not see all
        levels of its pyramid, mistakes another image for one of them, misreads its pixels, or does not see
        its pixel size (OME-TIFF).

    Raises
    ------
    InputError
        The name's extension is of no readable format, the TIFF's header or directories are damaged, or the
        slide is not in it at full resolution.
    """
    suffix = Path(path).suffix.lower()
    if suffix in SLIDE_SUFFIXES:
        if suffix in NAMED_ALONE or is_dicom(path):
            return False
        return is_picture(path) or _is_another_tiff(path)
    if suffix in PICTURE_SUFFIXES or (suffix in TIFF_SUFFIXES and is_picture(path)):
        return True
    if suffix not in TIFF_SUFFIXES and is_dicom(path):  # its files are often named by numbers alone
        return False
    if suffix in UNREADABLE:
        raise InputError(
            f"{UNREADABLE[suffix]} ({suffix}), which neither OpenSlide nor libvips reads",
            expected="a slide that OpenSlide reads, a TIFF or a picture",
            action="export it as OME-TIFF, for example with bfconvert, QuPath or the scanner's own software",
            file=path,
        )
    if suffix not in TIFF_SUFFIXES:
        known = " ".join(SLIDE_SUFFIXES + TIFF_SUFFIXES + PICTURE_SUFFIXES)
        raise InputError(
            f"the name ends in '{suffix}'" if suffix else "the name has no extension",
            expected=f"a slide, TIFF or picture ({known})",
            action="save the image as TIFF or PNG",
            file=path,
        )
    tiff = read_tiff(path)
    with about(file=path):
        return tiff.has_unknown_type or not _opens(tiff)


def is_dicom(path: str | os.PathLike) -> bool:
    """Say whether a file begins as DICOM does, whatever its name."""
    try:
        with open(path, "rb") as handle:
            return handle.read(DICOM_MARK_AT + len(DICOM_MARK))[DICOM_MARK_AT:] == DICOM_MARK
    except OSError:
        return False


def is_picture(path: str | os.PathLike) -> bool:
    """Say whether a file begins as JPEG, PNG or WebP does, whatever its name."""
    try:
        with open(path, "rb") as handle:
            start = handle.read(WEBP_AT + len(WEBP))
    except OSError:
        return False
    return start.startswith(PICTURE_STARTS) or (start.startswith(RIFF) and start[WEBP_AT:] == WEBP)


def _is_another_tiff(path: str | os.PathLike) -> bool:
    """Whether a file of a scanner's name is a plain TIFF whose first image is not the slide."""
    try:
        tiff = read_tiff(path)
    except InputError:  # told by the check of the section
        return False
    if _is_scanner_file(tiff.images[0]):
        return _is_stack(tiff)
    with about(file=path):
        return not tiff.images[0].is_tiled or slide_place(tiff) != FIRST


def _opens(tiff: Tiff) -> bool:
    main, others = tiff.images[0], tiff.images[1:]
    # OpenSlide reads the offsets of a classic TIFF eight bytes wide (Hamamatsu's files beyond 4 GB need
    # it) and looks into the wrong half of them in big-endian files.
    if tiff.is_classic_big_endian:
        return False
    if _is_scanner_file(main):
        return not _is_stack(tiff)
    # Of all other files OpenSlide takes the first image for the slide.
    if not main.is_tiled or slide_place(tiff) != FIRST:
        return False
    flagged = [image for image in others if image.first(Tag.NEW_SUBFILE_TYPE) & REDUCED]
    levels = [main] + [image for image in flagged if image.is_tiled]
    # OpenSlide treats any of these as a level of the pyramid, even a picture of the label.
    if not all(_is_read_right(level) and (level is main or is_smaller_copy(level, main)) for level in levels):
        return False
    # OpenSlide opens an OME-TIFF like any TIFF: without its pixel size and, if the channels are separate
    # images, as its first channel. Tiles of separate planes are left as they are: libvips cannot read them.
    if b"openmicroscopy.org" in main.text(Tag.IMAGE_DESCRIPTION) or Tag.SUB_IFDS in main.integers:
        return main.first(Tag.PLANAR_CONFIG) == SEPARATE and main.first(Tag.SAMPLES_PER_PIXEL) in (3, 4)
    return not any(is_smaller_copy(image, main) for image in others if image not in flagged)


def _is_scanner_file(main: TiffImage) -> bool:
    """Whether OpenSlide knows the scanner, and so which image is which, by the first of them."""
    # The two scanner formats whose first image need not be tiled.
    if Tag.NDPI_FORMAT in main.integers or b"iScan" in main.text(Tag.XMP):
        return True
    return main.is_tiled and _is_scanner_format(main)


def _is_stack(tiff: Tiff) -> bool:
    """Whether an Aperio file holds pyramids one after the other, of planes of focus: OpenSlide refuses it."""
    widths = [image.size[0] for image in tiff.images if image.is_tiled]
    is_aperio = tiff.images[0].text(Tag.IMAGE_DESCRIPTION).startswith(b"Aperio")
    return is_aperio and any(one < following for one, following in pairwise(widths))


def _is_scanner_format(image: TiffImage) -> bool:
    description = image.text(Tag.IMAGE_DESCRIPTION)
    return (
        description.startswith(b"Aperio")
        or b"www.leica-microsystems.com/scn/" in description
        or image.text(Tag.SOFTWARE).startswith((b"Philips", b"MedScan"))
        or image.text(Tag.MAKE).startswith(b"Huron")
    )


def is_smaller_copy(image: TiffImage, main: TiffImage) -> bool:
    """Say whether an image, by its shape, is a level of another's pyramid.

    Thumbnails, labels and overview pictures are striped, or of another shape.
    """
    (width, height), (full_width, full_height) = image.size, main.size
    if not image.is_tiled or not width < full_width:
        return False
    # Each halving rounds both edges.
    return abs(height * full_width - full_height * width) <= 2 * max(full_width, full_height)


def _is_read_right(image: TiffImage) -> bool:
    photometric, samples = image.first(Tag.PHOTOMETRIC, -1), image.first(Tag.SAMPLES_PER_PIXEL, 1)
    one_sample = photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE) and samples == 1
    return (
        image.first(Tag.COMPRESSION, 1) in COMPRESSIONS
        and image.first(Tag.BITS_PER_SAMPLE, 1) in (8, 16)
        # OpenSlide takes 16 bits as they are, even if the values are said to use fewer.
        and (image.first(Tag.BITS_PER_SAMPLE, 1) == 8 or stated_bits(image) in (None, 16))
        and image.first(Tag.SAMPLE_FORMAT, 1) == 1  # unsigned: signed and floating-point pixels are misread
        and image.first(Tag.ORIENTATION, 1) == 1  # else each tile would be rotated on its own
        and (one_sample or (photometric in (RGB, CMYK, YCBCR) and samples in (3, 4)))
        # OpenSlide takes a fourth channel for transparency, whatever the file says of it.
        and (samples != 4 or photometric == CMYK or image.first(Tag.EXTRA_SAMPLES, 1) in TRANSPARENCY)
    )
