"""Names of the HDF5 datasets that tile files and feature files share."""

COORDS = "coords"
BARCODES = "barcodes"
TISSUE = "tissue"
LOWRES = "lowres"
