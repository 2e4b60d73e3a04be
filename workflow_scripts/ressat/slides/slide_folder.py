"""What to give instead where the sheet's slide is a folder, or a file that is nothing without its folder.

Runs while the workflow is parsed: standard library only, names and a few bytes are read.
"""

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ressat.base.errors import InputError
from ressat.slides.formats import PICTURE_SUFFIXES, SLIDE_SUFFIXES, TIFF_SUFFIXES, is_dicom

MRXS, MRXS_INDEX = ".mrxs", "slidedat.ini"
# Files that stand for a whole slide of several files, which are not to be named one by one.
LISTS = (".vms", ".vmu")
INDEX_SUFFIXES = (MRXS, *LISTS)
LIST_BYTES = 1 << 16
# Files of a folder that are looked at; a folder of slides may have thousands.
LOOKED_AT = 2000
NAMED = 3


def refuse_folder(path: Path) -> None:
    """Refuse a folder where a slide's file is wanted, saying what it is and which file to give.

    Raises
    ------
    InputError
        If the path leads to a folder.
    """
    if os.path.isdir(path):
        problem, action = _meaning(path)
        raise InputError(problem, expected="the slide's file", action=action, file=path)


def require_companions(path: Path) -> None:
    """Refuse a .mrxs without the folder that holds its pixels, and a .vms or .vmu without its files.

    Raises
    ------
    InputError
        If it has no such folder, or one without its index; if files that it names are not beside it; or if
        OpenSlide does not know its name's ending.
    """
    if path.suffix.lower() in LISTS:
        _require_listed(path)
    if path.suffix.lower() != MRXS:
        return
    if path.suffix != MRXS:
        raise InputError(
            f"the name ends in {path.suffix}, which OpenSlide does not know",
            expected=f"a name that ends in {MRXS}, in small letters",
            action=f"rename it to {path.stem}{MRXS}, or give a link of that name",
            file=path,
        )
    folder = path.with_suffix("")
    if any(name.lower() == MRXS_INDEX for name in _names(folder)):
        return
    lacks = "has no Slidedat.ini" if os.path.isdir(folder) else "is not there"
    linked = Path(os.path.realpath(path)).with_suffix("")
    beside_target = os.path.islink(path) and os.path.isdir(linked)
    raise InputError(
        f"a {MRXS} file is only the index of a slide; its pixels are in a folder of the same name beside it, "
        f"and {folder} {lacks}",
        expected=f"the file and its folder {folder.name}, side by side",
        action=f"link {linked} here too, or give the path {os.path.realpath(path)}"
        if beside_target
        else f"copy the folder {folder.name} from the slide's source too, beside the file",
        file=path,
    )


def _require_listed(path: Path) -> None:
    try:
        with open(path, "rb") as handle:
            text = handle.read(LIST_BYTES).decode("utf-8", "replace")
    except OSError:  # told by what opens the slide
        return
    listed = [name.strip() for name in re.findall(r"(?m)^(?:ImageFile|MapFile)[^=\n]*=(.+)$", text)]
    missing = [name for name in listed if name and not os.path.exists(path.with_name(name))]
    if missing:
        raise InputError(
            f"a {path.suffix} file is only the list of a slide's files, and {len(missing)} of the "
            f"{len(listed)} that it names are not beside it (first: {missing[0]})",
            expected="all files of the slide, side by side",
            action="copy the others from the slide's source too",
            file=path,
        )


def _meaning(folder: Path) -> tuple[str, str]:
    """What a folder is, as a clause, and what to do, as an imperative."""
    names = _names(folder)
    dicom = [file for file in _files(folder) if is_dicom(file)]
    if dicom:
        largest = max(dicom, key=lambda file: file.stat().st_size)
        return (
            f"a folder with {len(dicom)} DICOM file{'s' * (len(dicom) > 1)}",
            f"give one file of the slide, such as {largest}: OpenSlide finds its others by itself",
        )
    if any(name.lower() == MRXS_INDEX for name in names):
        index = folder.with_name(folder.name + MRXS)
        return (
            f"the folder with the pixels of the slide {index.name}",
            f"give {index} instead"
            if os.path.exists(index)
            else f"copy the file {index.name}, which is not there, beside it, and give that one",
        )
    if _holds_ets(folder):
        return (
            "the folder with the pixels of an Olympus slide (.vsi), which OpenSlide does not read",
            "export the slide as OME-TIFF, for example with bfconvert or QuPath",
        )
    if any(name in names for name in (".zattrs", ".zgroup", "zarr.json")):
        return (
            "a folder of an OME-Zarr image, which OpenSlide does not read",
            "export the image as OME-TIFF, for example with bioformats2raw's raw2ometiff or QuPath",
        )
    known = (*SLIDE_SUFFIXES, *TIFF_SUFFIXES, *PICTURE_SUFFIXES)
    slides = [file for file in _files(folder) if file.suffix.lower() in known]
    slides = [file for file in slides if file.suffix.lower() in INDEX_SUFFIXES] or slides
    if len(slides) == 1:
        return "a folder, with one image in it", f"give {slides[0]} instead"
    if slides:
        some = ", ".join(file.name for file in slides[:NAMED]) + (", ..." if len(slides) > NAMED else "")
        return f"a folder with {len(slides)} images ({some})", "give one of them"
    return (
        "an empty folder" if not names else "a folder, with no image in it",
        "give the slide's file",
    )


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:  # missing, not a folder, or not readable
        return []


def _files(folder: Path) -> list[Path]:
    """Visible files of a folder, in order; if there are none, those of its folders."""

    def within(parent: Path) -> Iterator[Path]:
        for name in _names(parent):
            if not name.startswith(".") and os.path.isfile(parent / name):
                yield parent / name

    inner = (file for name in _names(folder) for file in within(folder / name))
    return list(islice(within(folder), LOOKED_AT)) or list(islice(inner, LOOKED_AT))


def _holds_ets(folder: Path) -> bool:
    inner = [folder, *(folder / name for name in _names(folder)[:LOOKED_AT])]
    return any(name.lower().endswith(".ets") for parent in inner for name in _names(parent))
