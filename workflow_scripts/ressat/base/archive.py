"""Files of torch.save, looked at before torch unpacks them. Standard library only."""

import zipfile
from pathlib import Path

from ressat.base.errors import InputError


def refuse_unpacking(path: str | Path) -> None:
    """Refuse a file whose records would take more memory than the file has bytes.

    Files of torch.save from before 2020 are no archives: they hold all numbers as they are, and pass.

    Raises
    ------
    InputError
        If a record is compressed, which torch.save never does, or claims to be larger than the file.
    OSError, zipfile.BadZipFile
        If it cannot be read.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive, path)


def record_sizes(path: str | Path) -> list[int]:
    """Return the sizes of the tensors' records in a file of torch.save, after a check of the whole file.

    Raises
    ------
    InputError
        See `refuse_unpacking`; or if a record is damaged.
    OSError, zipfile.BadZipFile
        If it cannot be read, or is no such file.
    """
    with zipfile.ZipFile(path) as archive:
        _check_sizes(archive, path)
        broken = archive.testzip()
        if broken is not None:
            raise InputError(
                f"its record {broken!a:.80} is damaged (checksum)", expected="a file as torch.save wrote it"
            )
        return [record.file_size for record in archive.infolist() if "/data/" in record.filename]


def _check_sizes(archive: zipfile.ZipFile, path: str | Path) -> None:
    records = archive.infolist()
    compressed = [record.filename for record in records if record.compress_type != zipfile.ZIP_STORED]
    claimed, size = sum(record.file_size for record in records), Path(path).stat().st_size
    if compressed or claimed > size:
        raise InputError(
            f"its records are {'compressed' if compressed else 'said to be larger than the file'} "
            f"({claimed} bytes unpacked, {size} in the file)",
            expected="a file as torch.save writes it",
            action="save it again with torch.save",
        )
