"""H0-mini: a ViT-B/14 with 4 registers, distilled from H-optimus-0."""

from ressat.encoders.encoder import BF16, CLASS_TOKEN, PATCH_MEAN, Architecture, Encoder

MEMBER = Encoder(
    name="h0_mini",
    title="H0-mini",
    family="vit",
    layers={CLASS_TOKEN: 768, PATCH_MEAN: 768},
    default_layers=(CLASS_TOKEN, PATCH_MEAN),
    hest_layers=(CLASS_TOKEN,),
    mean=(0.707223, 0.578729, 0.703617),
    sd=(0.211883, 0.230117, 0.177517),
    words=(
        "the class token and the mean of the patch tokens of the frozen H0-mini, a ViT-B/14 with "
        "4 registers, distilled from H-optimus-0"
    ),
    citation=(
        "Filiot et al. Distilling foundation models for robust and efficient models in digital "
        "pathology. arXiv:2501.16239, 2025."
    ),
    licence="CC-BY-NC-ND-4.0",
    page="https://huggingface.co/bioptimus/H0-mini",
    parameters=85_739_520,
    gated=True,
    px=224,
    # 224 px at 0.5 um/px.
    tile_um=112.0,
    precision=BF16,
    architecture=Architecture(
        "vit_base_patch14_reg4_dinov2",
        {
            "img_size": 224,
            "mlp_ratio": 5.33334,
            "init_values": 1e-5,
            "mlp_layer": "SwiGLUPacked",
            "act_layer": "SiLU",
        },
    ),
)
