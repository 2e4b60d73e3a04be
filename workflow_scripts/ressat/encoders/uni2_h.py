"""UNI2-h: a ViT-H/14 with 8 registers."""

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
    name="uni2_h",
    title="UNI2-h",
    family="vit",
    layers={CLASS_TOKEN: 1536, PATCH_MEAN: 1536},
    default_layers=(CLASS_TOKEN,),
    hest_layers=(CLASS_TOKEN,),
    mean=IMAGENET_MEAN,
    sd=IMAGENET_SD,
    words="the class token of the frozen UNI2-h, a ViT-H/14 with 8 registers",
    citation=(
        "Chen et al. Towards a general-purpose foundation model for computational pathology. Nat Med 2024."
    ),
    licence="CC-BY-NC-ND-4.0",
    page="https://huggingface.co/MahmoodLab/UNI2-h",
    parameters=681_394_176,
    gated=True,
    px=224,
    # 256 px at 0.5 um/px, resized to 224.
    tile_um=128.0,
    precision=BF16,
    architecture=Architecture(
        "vit_giant_patch14_224",
        {
            "img_size": 224,
            "patch_size": 14,
            "depth": 24,
            "num_heads": 24,
            "embed_dim": 1536,
            "mlp_ratio": 5.33334,
            "init_values": 1e-5,
            "no_embed_class": True,
            "reg_tokens": 8,
            "mlp_layer": "SwiGLUPacked",
            "act_layer": "SiLU",
        },
    ),
)
