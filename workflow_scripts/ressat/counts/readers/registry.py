"""The readers of counts: a function of files and options for each format."""

from ressat.base.registry import Registry
from ressat.counts.formats.registry import FORMATS

READERS = Registry("reader of counts", "ressat.counts.readers", FORMATS.names)
