"""The families of networks."""

from ressat.base.registry import Registry

FAMILIES = Registry("family of networks", "ressat.encoders.families", ("resnet", "vit", "own"))
