"""The encoders that a study may use: each described by a module next to this one."""

from ressat.base.registry import Registry

ENCODERS = Registry(
    "encoder",
    "ressat.encoders",
    (
        "resnet50",
        "uni",
        "uni2_h",
        "virchow",
        "virchow2",
        "h_optimus_0",
        "h_optimus_1",
        "h0_mini",
        "prov_gigapath",
        "phikon_v2",
        "hibou_b",
        "hibou_l",
        "kaiko_s16",
        "kaiko_s8",
        "kaiko_b16",
        "kaiko_b8",
        "kaiko_l14",
        "lunit_s8",
        "gpfm",
    ),
)
