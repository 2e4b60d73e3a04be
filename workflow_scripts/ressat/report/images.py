"""Pictures that are embedded in a page."""

import base64
import io
from pathlib import Path

from PIL import Image

from ressat.base.own_file import own_file


def shrunk(path: str | Path, edge: int) -> bytes:
    """Return a picture among the results as JPEG whose longer edge has at most ``edge`` pixels.

    Raises
    ------
    InputError
        If it is damaged.
    """
    with own_file(path), Image.open(path) as image:
        image = image.convert("RGB")
    image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    return jpeg(image)


def jpeg(image: Image.Image) -> bytes:
    """Return a picture as JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80, optimize=True)
    return buffer.getvalue()


def data_uri(picture: bytes) -> str:
    """Return a JPEG as a data URI, which embeds it in the page."""
    return f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
