import io

import numpy as np
import pytest
from PIL import Image

from ressat.base.errors import InputError
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


@pytest.mark.parametrize("kept", [0, 20, 0.5])
def test_half_a_picture_is_refused_by_name(tmp_path, kept):
    path = tmp_path / "overlay.png"
    Image.effect_noise((200, 200), 50).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if kept < 1 else kept])
    with pytest.raises(InputError, match=r"overlay\.png: it cannot be read .*; remove it and run again"):
        images.shrunk(path, 100)
