"""Prov-GigaPath: a ViT-g/16."""

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
    name="prov_gigapath",
    title="Prov-GigaPath",
    family="vit",
    layers={CLASS_TOKEN: 1536, PATCH_MEAN: 1536},
    default_layers=(CLASS_TOKEN,),
    hest_layers=(CLASS_TOKEN,),
    mean=IMAGENET_MEAN,
    sd=IMAGENET_SD,
    words="the class token of the frozen tile encoder of Prov-GigaPath, a ViT-g/16",
    citation=(
        "Xu et al. A whole-slide foundation model for digital pathology from real-world data. Nature 2024."
    ),
    licence="Apache-2.0, for research only",
    page="https://huggingface.co/prov-gigapath/prov-gigapath",
    parameters=1_134_953_984,
    gated=True,
    px=224,
    # 256 px at 0.5 um/px, of which the middle 224 are read.
    tile_um=112.0,
    precision=BF16,
    architecture=Architecture(
        "vit_giant_patch14_dinov2",
        {
            "img_size": 224,
            "patch_size": 16,
            "embed_dim": 1536,
            "depth": 40,
            "num_heads": 24,
            "mlp_ratio": 5.33334,
        },
    ),
)
