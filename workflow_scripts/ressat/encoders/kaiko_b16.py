"""Kaiko ViT-B/16."""

from ressat.encoders.encoder import CLASS_TOKEN, FP32, HALF, PATCH_MEAN, Architecture, Encoder

MEMBER = Encoder(
    name="kaiko_b16",
    title="Kaiko ViT-B/16",
    family="vit",
    layers={CLASS_TOKEN: 768, PATCH_MEAN: 768},
    default_layers=(CLASS_TOKEN,),
    hest_layers=(CLASS_TOKEN,),
    mean=HALF,
    sd=HALF,
    words="the class token of the frozen Kaiko ViT-B/16",
    citation=(
        "Aben et al. Towards large-scale training of pathology foundation models. arXiv:2404.15217, 2024."
    ),
    licence="Kaiko Non-Commercial Public License",
    page="https://github.com/kaiko-ai/towards_large_pathology_fms/releases",
    parameters=85_798_656,
    gated=False,
    px=224,
    # As TRIDENT cuts them: 256 px at 0.5 um/px, resized to 224.
    tile_um=128.0,
    precision=FP32,
    architecture=Architecture("vit_base_patch16_224", {"img_size": 224}),
)
