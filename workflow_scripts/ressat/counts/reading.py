"""A section's counts, whatever format they are in."""

from ressat.counts.format import CountsSource
from ressat.counts.readers.registry import READERS
from ressat.counts.spot_counts import SpotCounts


def read_counts(source: CountsSource) -> SpotCounts:
    """Read a section's counts.

    Parameters
    ----------
    source
        Their format, files and options.

    Returns
    -------
    SpotCounts
        All spots that the files hold, unchecked; see `ressat.counts.usable_spots`.

    Raises
    ------
    InputError
        If a file is not what it should be.
    """
    return READERS.load(source.format)(source.files, source.options)
