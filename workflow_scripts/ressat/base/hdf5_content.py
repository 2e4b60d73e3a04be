"""Reading HDF5 files of others: each must hold all of its content itself, and no more than it can hold."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import h5py
from h5py import h5d, h5l, h5o, h5z

from ressat.base.errors import InputError

# A file of counts has tens of links, and with much analysis some thousands; more would keep the check busy.
MOST_LINKS = 30_000
# gzip packs at most 1032 bytes into one, so a dataset of more is not stored in the file. Some is allowed, as
# HDF5 stores nothing of a dataset that was never filled, and other filters pack zeros more tightly.
MOST_PACKED, UNSTORED = 1100, 1 << 30
# What a file may hold unpacked, bytes: anything up to the first, and else this many times its own size. Dense
# tables of counts, nearly all zeros, pack to a hundredth.
ALWAYS_FITS, PLAUSIBLY_PACKED = 1 << 32, 250
SELF = b"."


@contextmanager
def opened_hdf5(path: str | os.PathLike) -> Iterator[h5py.File]:
    """Open a file to read that somebody else wrote, if it holds all of its content itself.

    An external link, external storage or a virtual dataset makes HDF5 read another file of this machine,
    which would be taken for counts or names of genes, and whoever sent the file chose it. Unlike a symbolic
    link that a user made, this is not seen in a folder.

    Parameters
    ----------
    path
        The file.

    Yields
    ------
    h5py.File
        Open for reading.

    Raises
    ------
    InputError
        If something in it leads to another file, or it declares more data than it can hold.
    OSError
        If it cannot be opened, or is not HDF5.
    """
    with h5py.File(path, "r") as file:
        _refuse_foreign(file.id, os.path.getsize(path))
        yield file


def refuse_swollen(declared: int, stored: int) -> None:
    """Refuse content that is far larger than what is stored of it.

    Parameters
    ----------
    declared
        Bytes of all arrays once they are in memory.
    stored
        Bytes of the files that hold them.

    Raises
    ------
    InputError
        If no real counts are packed that tightly.
    """
    if declared > max(ALWAYS_FITS, PLAUSIBLY_PACKED * stored):
        raise InputError(
            f"it declares {declared / 1e9:.3g} GB of data in {stored / 1e9:.3g} GB",
            expected=f"at most {PLAUSIBLY_PACKED} times what is stored",
            action="write the counts alone to a new file, as a sparse matrix",
        )


def refuse_missing_filter(group: h5py.Group | h5py.Dataset) -> None:
    """Refuse data that are packed with a filter which is not installed.

    Parameters
    ----------
    group
        What is to be read.

    Raises
    ------
    InputError
        If so; names the filter.
    """
    found: list[tuple[str, int, str]] = []

    def look(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            layout = item.id.get_create_plist()
            for number in range(layout.get_nfilters()):
                code, _, _, words = layout.get_filter(number)
                if not h5z.filter_avail(code):
                    found.append((name, code, words.decode(errors="replace").strip("\0 ")))

    if isinstance(group, h5py.Dataset):
        look(group.name.strip("/"), group)
    else:
        group.visititems(look)
    if found:
        name, code, words = found[0]
        called = f"{code}, {words}" if words else str(code)
        raise InputError(
            f"{name} is packed with an HDF5 filter that is not installed here ({called})",
            expected="data packed with gzip, or not packed",
            action="write it again where it can be read, with gzip (in anndata, compression='gzip') or none",
        )


def _refuse_foreign(root: h5py.h5g.GroupID, size: int) -> None:
    """Visit every object once, from links as they are stored, without following any but hard ones."""
    groups, seen, links, declared, unstored = [(b"", root)], set(), 0, 0, 0
    while groups:
        path, group = groups.pop()
        for name in group:
            links += 1
            if links > MOST_LINKS:
                raise InputError(
                    f"more than {MOST_LINKS} objects",
                    expected="counts, genes and places",
                    action="write these alone to a new file",
                )
            place = path + b"/" + name
            kind = group.links.get_info(name).type
            if kind == h5l.TYPE_SOFT:
                continue  # leads to another file only through an external link, which is found where it is
            if kind != h5l.TYPE_HARD:
                target = group.links.get_val(name)[0] if kind == h5l.TYPE_EXTERNAL else b"unknown"
                raise _foreign(place, "a link to", target)
            item = h5o.open(group, name)
            address = h5o.get_info(item).addr
            if address in seen:
                continue
            seen.add(address)
            if isinstance(item, h5py.h5g.GroupID):
                groups.append((place, item))
            elif isinstance(item, h5d.DatasetID):
                _refuse_foreign_data(place, item)
                held = item.get_space().get_simple_extent_npoints() * item.get_type().get_size()
                declared += held
                unstored += max(0, held - MOST_PACKED * item.get_storage_size())
                if unstored > UNSTORED:
                    raise InputError(
                        f"{_text(place).lstrip('/')} of shape {item.shape} is more than it can hold",
                        expected="a file that stores all of its data",
                        action="copy or write it again",
                    )
    refuse_swollen(declared, size)


def _refuse_foreign_data(place: bytes, data: h5d.DatasetID) -> None:
    """Refuse a dataset whose values are in other files."""
    layout = data.get_create_plist()
    if layout.get_external_count():
        raise _foreign(place, "the data of", layout.get_external(0)[0])
    if layout.get_layout() == h5d.VIRTUAL:
        names = (layout.get_virtual_filename(number) for number in range(layout.get_virtual_count()))
        other = next((name for name in map(os.fsencode, names) if name != SELF), None)
        if other is not None:
            raise _foreign(place, "the data of", other)


def _foreign(place: bytes, what: str, target: bytes) -> InputError:
    return InputError(
        f"its {_text(place)} is {what} another file ({_text(target)!r})",
        expected="a file that holds all of its content itself",
        action="if you know who made it and why, write a copy that has the data inside",
    )


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")
