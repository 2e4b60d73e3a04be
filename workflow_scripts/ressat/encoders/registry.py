"""The encoders that a study may use: each described by a module next to this one."""

from ressat.base.registry import Registry

ENCODERS = Registry("encoder", "ressat.encoders", ("resnet50",))
