import io

import numpy as np
from PIL import Image

from ressat.report import images


def opened(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)))


def test_pictures_are_shrunk_to_jpeg(tmp_path):
    Image.new("RGB", (1600, 800), (200, 100, 150)).save(tmp_path / "overlay.png")
    shrunk = images.shrunk(tmp_path / "overlay.png", 1000)
    assert opened(shrunk).shape == (500, 1000, 3)
    assert images.data_uri(shrunk).startswith("data:image/jpeg;base64,")


def test_small_pictures_are_not_enlarged(tmp_path):
    Image.new("RGB", (300, 200)).save(tmp_path / "overlay.png")
    assert opened(images.shrunk(tmp_path / "overlay.png", 1000)).shape == (200, 300, 3)
