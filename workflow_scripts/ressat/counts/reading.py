"""A section's counts, whatever format they are in."""

from collections.abc import Mapping

from ressat.base import keys
from ressat.counts.spot_counts import SpotCounts


def read_counts(
    section: str, format: str, files: Mapping[str, object], options: Mapping[str, object]
) -> SpotCounts:
    """Read a section's counts.

    Parameters
    ----------
    section
        The section's name.
    format, files
        Of `ressat.workflow.expression_source.expression_files`.
    options
        bin_um, layer, table and region of the sheet, each where the section has it.

    Returns
    -------
    SpotCounts
        All spots that the files hold, unchecked; see `ressat.counts.usable_spots`.

    Raises
    ------
    InputError
        If a file is not what it should be.
    """
    # Only what a format needs is imported: a check of a section takes a second, anndata alone takes more.
    named = {name: str(file) for name, file in files.items() if name != "elements"}
    if format == keys.SPACE_RANGER:
        from ressat.counts.space_ranger import read_space_ranger

        return read_space_ranger(section, named, options)
    if format == keys.LEGACY:
        from ressat.counts.legacy_st import read_legacy

        return read_legacy(section, named)
    if format == keys.H5AD:
        from ressat.counts.h5ad import read_h5ad

        return read_h5ad(section, named, options)
    from ressat.counts.spatialdata import read_spatialdata

    return read_spatialdata(section, named, options)
