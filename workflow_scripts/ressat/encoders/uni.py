"""UNI: a ViT-L/16."""

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
    name="uni",
    title="UNI",
    family="vit",
    layers={CLASS_TOKEN: 1024, PATCH_MEAN: 1024},
    default_layers=(CLASS_TOKEN,),
    hest_layers=(CLASS_TOKEN,),
    mean=IMAGENET_MEAN,
    sd=IMAGENET_SD,
    words="the class token of the frozen UNI, a ViT-L/16",
    citation=(
        "Chen et al. Towards a general-purpose foundation model for computational pathology. Nat Med 2024."
    ),
    licence="CC-BY-NC-ND-4.0",
    page="https://huggingface.co/MahmoodLab/UNI",
    parameters=303_350_784,
    gated=True,
    px=224,
    # 256 px at 0.5 um/px, resized to 224.
    tile_um=128.0,
    precision=BF16,
    architecture=Architecture(
        "vit_large_patch16_224", {"img_size": 224, "patch_size": 16, "init_values": 1e-5}
    ),
)
