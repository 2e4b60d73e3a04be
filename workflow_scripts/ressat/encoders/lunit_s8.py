"""Lunit's ViT-S/8, trained by DINO."""

from ressat.encoders.encoder import CLASS_TOKEN, FP32, PATCH_MEAN, Architecture, Encoder

MEMBER = Encoder(
    name="lunit_s8",
    title="Lunit ViT-S/8",
    family="vit",
    layers={CLASS_TOKEN: 384, PATCH_MEAN: 384},
    default_layers=(CLASS_TOKEN,),
    hest_layers=(CLASS_TOKEN,),
    mean=(0.70322989, 0.53606487, 0.66096631),
    sd=(0.21716536, 0.26081574, 0.20723464),
    words="the class token of the frozen Lunit ViT-S/8 trained by DINO",
    citation=(
        "Kang, Song, Park, Yoo, Pereira. Benchmarking self-supervised learning on diverse "
        "pathology datasets. CVPR 2023."
    ),
    licence="Lunit Public License, non-commercial",
    page="https://github.com/lunit-io/benchmark-ssl-pathology/releases/tag/pretrained-weights",
    parameters=21_670_272,
    gated=False,
    px=224,
    # As TRIDENT cuts them: 224 px at 0.5 um/px.
    tile_um=112.0,
    precision=FP32,
    architecture=Architecture("vit_small_patch8_224", {"img_size": 224}),
)
