"""The methods of stain normalisation that a study may use."""

from ressat.base.registry import Registry

METHODS = Registry("stain method", "ressat.stain.methods", ("macenko", "reinhard", "none"))
