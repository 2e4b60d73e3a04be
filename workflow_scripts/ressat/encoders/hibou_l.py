"""Hibou-L: a ViT-L/14 with 4 registers."""

from ressat.encoders.encoder import CLASS_TOKEN, FP32, PATCH_MEAN, Architecture, Encoder

MEMBER = Encoder(
    name="hibou_l",
    title="Hibou-L",
    family="vit",
    layers={CLASS_TOKEN: 1024, PATCH_MEAN: 1024},
    default_layers=(CLASS_TOKEN,),
    hest_layers=(CLASS_TOKEN,),
    mean=(0.7068, 0.5755, 0.722),
    sd=(0.195, 0.2316, 0.1816),
    words="the class token of the frozen Hibou-L, a ViT-L/14 with 4 registers",
    citation=(
        "Nechaev, Pchelnikov, Ivanova. Hibou: a family of foundational vision transformers for "
        "pathology. arXiv:2406.05074, 2024."
    ),
    licence="Apache-2.0",
    page="https://huggingface.co/histai/hibou-L",
    parameters=303_657_216,
    gated=True,
    px=224,
    # As TRIDENT cuts them: 224 px at 0.5 um/px.
    tile_um=112.0,
    precision=FP32,
    architecture=Architecture(
        "vit_large_patch14_reg4_dinov2",
        {
            "img_size": 224,
            "mlp_ratio": 5.34375,
            "init_values": 1e-5,
            "mlp_layer": "SwiGLUPacked",
            "act_layer": "SiLU",
        },
    ),
)
