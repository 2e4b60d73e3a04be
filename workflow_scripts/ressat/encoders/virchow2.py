"""Virchow2: a ViT-H/14 with 4 registers."""

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
    name="virchow2",
    title="Virchow2",
    family="vit",
    layers={CLASS_TOKEN: 1280, PATCH_MEAN: 1280},
    default_layers=(CLASS_TOKEN, PATCH_MEAN),
    hest_layers=(CLASS_TOKEN, PATCH_MEAN),
    mean=IMAGENET_MEAN,
    sd=IMAGENET_SD,
    words=(
        "the class token and the mean of the patch tokens of the frozen Virchow2, a ViT-H/14 with 4 registers"
    ),
    citation=(
        "Zimmermann et al. Virchow2: scaling self-supervised mixed magnification models in "
        "pathology. arXiv:2408.00738, 2024."
    ),
    licence="CC-BY-NC-ND-4.0",
    page="https://huggingface.co/paige-ai/Virchow2",
    parameters=631_239_424,
    gated=True,
    px=224,
    # 224 px at 0.5 um/px; it was trained at 0.25, 1 and 2 um/px too.
    tile_um=112.0,
    precision=BF16,
    architecture=Architecture(
        "vit_huge_patch14_224",
        {
            "img_size": 224,
            "mlp_ratio": 5.3375,
            "init_values": 1e-5,
            "reg_tokens": 4,
            "mlp_layer": "SwiGLUPacked",
            "act_layer": "SiLU",
        },
    ),
)
