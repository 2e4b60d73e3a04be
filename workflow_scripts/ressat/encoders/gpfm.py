"""GPFM: a ViT-L/14."""

from ressat.encoders.encoder import (
    BF16,
    CLASS_TOKEN,
    IMAGENET_MEAN,
    IMAGENET_SD,
    PATCH_MEAN,
    Architecture,
    Encoder,
)

MEMBER = Encoder(
    name="gpfm",
    title="GPFM",
    family="vit",
    layers={CLASS_TOKEN: 1024, PATCH_MEAN: 1024},
    default_layers=(CLASS_TOKEN,),
    hest_layers=(CLASS_TOKEN,),
    mean=IMAGENET_MEAN,
    sd=IMAGENET_SD,
    words="the class token of the frozen GPFM, a ViT-L/14",
    citation=(
        "Ma et al. A generalizable pathology foundation model using a unified knowledge "
        "distillation pretraining framework. Nat Biomed Eng 2025."
    ),
    licence="CC-BY-NC-ND-4.0",
    page="https://huggingface.co/majiabo/GPFM",
    parameters=303_227_904,
    gated=False,
    px=224,
    # 512 px at 0.25 um/px, resized to 224.
    tile_um=128.0,
    precision=BF16,
    architecture=Architecture("vit_large_patch14_dinov2", {"img_size": 224, "init_values": 1e-5}),
)
