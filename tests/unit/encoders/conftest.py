import pytest
import torch

from ressat.encoders.families.resnet import random_weights


@pytest.fixture(scope="session")
def state() -> dict[str, torch.Tensor]:
    """The weights of an untrained ResNet50; not to be changed."""
    return random_weights(0)
