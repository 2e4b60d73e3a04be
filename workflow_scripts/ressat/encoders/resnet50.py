"""ResNet50, by default with torchvision's weights for ImageNet."""

from ressat.encoders.encoder import Encoder, PublishedWeights

IMAGENET = "Deng et al. ImageNet: a large-scale hierarchical image database. CVPR 2009."

MEMBER = Encoder(
    name="resnet50",
    title="ResNet50",
    family="resnet",
    layers={"layer3": 1024, "layer4": 2048},
    default_layers=("layer3",),
    # HEST-Bench's ResNet50 is cut after its third stage.
    hest_layers=("layer3",),
    # Of ImageNet's pixels.
    mean=(0.485, 0.456, 0.406),
    sd=(0.229, 0.224, 0.225),
    published={
        name: PublishedWeights(
            f"https://download.pytorch.org/models/resnet50-{digits}.pth",
            digits,
            f"torchvision's weights {name}, learnt on ImageNet",
            IMAGENET,
        )
        for name, digits in (("IMAGENET1K_V1", "0676ba61"), ("IMAGENET1K_V2", "11ad3fa6"))
    },
    words="the mean activations of layers 3 and 4 of a frozen ResNet50",
    citation="He, Zhang, Ren, Sun. Deep residual learning for image recognition. CVPR 2016.",
    licence="BSD-3-Clause (torchvision)",
    page="https://docs.pytorch.org/vision/stable/models/resnet.html",
    # Without the classifier.
    parameters=23_508_032,
)
