"""Kaiko ViT-L/14 with 4 registers."""

from ressat.encoders.encoder import CLASS_TOKEN, FP32, HALF, PATCH_MEAN, Architecture, Encoder

MEMBER = Encoder(
    name="kaiko_l14",
    title="Kaiko ViT-L/14",
    family="vit",
    layers={CLASS_TOKEN: 1024, PATCH_MEAN: 1024},
    default_layers=(CLASS_TOKEN,),
    hest_layers=(CLASS_TOKEN,),
    mean=HALF,
    sd=HALF,
    words="the class token of the frozen Kaiko ViT-L/14 with 4 registers",
    citation=(
        "Aben et al. Towards large-scale training of pathology foundation models. arXiv:2404.15217, 2024."
    ),
    licence="Kaiko Non-Commercial Public License",
    page="https://github.com/kaiko-ai/towards_large_pathology_fms/releases",
    parameters=304_370_688,
    gated=False,
    # Its positions are those of images of 518 px.
    px=224,
    # As TRIDENT cuts them: 256 px at 0.5 um/px, resized to 224.
    tile_um=128.0,
    precision=FP32,
    architecture=Architecture("vit_large_patch14_reg4_dinov2", {"img_size": 518}),
)
