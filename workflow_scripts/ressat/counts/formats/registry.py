"""The formats of counts, in the order in which they are tried on a path."""

from ressat.base.registry import Registry

FORMATS = Registry(
    "format of counts", "ressat.counts.formats", ("spatialdata", "h5ad", "legacy", "space_ranger")
)
