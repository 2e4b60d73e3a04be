"""A section's counts, whatever format they are in."""

from collections.abc import Mapping

from ressat import keys
from ressat.spot_counts import SpotCounts


def read_counts(
    section: str, format: str, files: Mapping[str, object], options: Mapping[str, object]
) -> SpotCounts:
    """Read a section's counts.

    Parameters
    ----------
    section
        The section's name.
    format, files
        Of `ressat.expression_source.expression_files`.
    options
        bin_um, layer, table and region of the sheet, each where the section has it.

    Returns
    -------
    SpotCounts
        All spots that the files hold, unchecked; see `ressat.usable_spots`.

    Raises
    ------
    InputError
        If a file is not what it should be.
    """
    # Only what a format needs is imported: a check of a section takes a second, anndata alone takes more.
    named = {name: str(file) for name, file in files.items() if name != "elements"}
    if format == keys.SPACE_RANGER:
        from ressat.space_ranger import read_space_ranger

        return read_space_ranger(section, named, options)
    if format == keys.LEGACY:
        from ressat.legacy_st import read_legacy

        return read_legacy(section, named)
    if format == keys.H5AD:
        from ressat.h5ad_counts import read_h5ad

        return read_h5ad(section, named, options)
    from ressat.spatialdata_counts import read_spatialdata

    return read_spatialdata(section, named, options)
