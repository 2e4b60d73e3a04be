"""Phikon-v2: a ViT-L/16."""

from ressat.encoders.encoder import (
    CLASS_TOKEN,
    FP32,
    IMAGENET_MEAN,
    IMAGENET_SD,
    PATCH_MEAN,
    Architecture,
    Encoder,
)

MEMBER = Encoder(
    name="phikon_v2",
    title="Phikon-v2",
    family="vit",
    layers={CLASS_TOKEN: 1024, PATCH_MEAN: 1024},
    default_layers=(CLASS_TOKEN,),
    hest_layers=(CLASS_TOKEN,),
    mean=IMAGENET_MEAN,
    sd=IMAGENET_SD,
    words="the class token of the frozen Phikon-v2, a ViT-L/16",
    citation=(
        "Filiot, Jacob, Mac Kain, Saillard. Phikon-v2, a large and public feature extractor for "
        "biomarker prediction. arXiv:2409.09173, 2024."
    ),
    licence="Owkin non-commercial licence",
    page="https://huggingface.co/owkin/phikon-v2",
    parameters=303_350_784,
    gated=False,
    px=224,
    # 224 px at 0.5 um/px.
    tile_um=112.0,
    precision=FP32,
    architecture=Architecture("vit_large_patch16_224", {"img_size": 224, "init_values": 1e-5}),
)
