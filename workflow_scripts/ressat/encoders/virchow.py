"""Virchow: a ViT-H/14."""

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
    name="virchow",
    title="Virchow",
    family="vit",
    layers={CLASS_TOKEN: 1280, PATCH_MEAN: 1280},
    default_layers=(CLASS_TOKEN, PATCH_MEAN),
    hest_layers=(CLASS_TOKEN, PATCH_MEAN),
    mean=IMAGENET_MEAN,
    sd=IMAGENET_SD,
    words="the class token and the mean of the patch tokens of the frozen Virchow, a ViT-H/14",
    citation=(
        "Vorontsov et al. A foundation model for clinical-grade computational pathology and rare "
        "cancers detection. Nat Med 2024."
    ),
    licence="Apache-2.0",
    page="https://huggingface.co/paige-ai/Virchow",
    parameters=631_229_184,
    gated=True,
    px=224,
    # 224 px at 0.5 um/px.
    tile_um=112.0,
    precision=BF16,
    architecture=Architecture(
        "vit_huge_patch14_224",
        {
            "img_size": 224,
            "mlp_ratio": 5.3375,
            "init_values": 1e-5,
            "mlp_layer": "SwiGLUPacked",
            "act_layer": "SiLU",
        },
    ),
)
