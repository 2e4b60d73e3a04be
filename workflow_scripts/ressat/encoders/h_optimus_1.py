"""H-optimus-1: a ViT-g/14 with 4 registers."""

from ressat.encoders.encoder import BF16, CLASS_TOKEN, PATCH_MEAN, Architecture, Encoder

MEMBER = Encoder(
    name="h_optimus_1",
    title="H-optimus-1",
    family="vit",
    layers={CLASS_TOKEN: 1536, PATCH_MEAN: 1536},
    default_layers=(CLASS_TOKEN,),
    hest_layers=(CLASS_TOKEN,),
    mean=(0.707223, 0.578729, 0.703617),
    sd=(0.211883, 0.230117, 0.177517),
    words="the class token of the frozen H-optimus-1, a ViT-g/14 with 4 registers",
    citation="Bioptimus. H-optimus-1. huggingface.co/bioptimus/H-optimus-1, 2025.",
    licence="CC-BY-NC-ND-4.0",
    page="https://huggingface.co/bioptimus/H-optimus-1",
    parameters=1_134_774_272,
    gated=True,
    px=224,
    # 224 px at 0.5 um/px.
    tile_um=112.0,
    precision=BF16,
    architecture=Architecture("vit_giant_patch14_reg4_dinov2", {"img_size": 224, "init_values": 1e-5}),
)
