"""Any H&E image can be the stain reference: a slide's tissue, or a picture."""

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image

from ressat.base.errors import InputError, about
from ressat.stain import reference
from ressat.stain.methods.registry import METHODS
from ressat.stain.reference import reference_pixels
from ressat.stain.section_stain import fit_reference
from ressat.stain.tissue_pixels import tissue_pixels

Y, X = np.mgrid[0:900, 0:1200]
TISSUE = ((X - 500) / 350) ** 2 + ((Y - 450) / 300) ** 2 < 1


@pytest.fixture
def rgb(draw_tissue, grey_levels):
    return grey_levels(draw_tissue(TISSUE))


@pytest.mark.parametrize("name", ["a.png", "b.tif", "c.jpg"])
def test_a_picture_gives_its_pixels(rgb, tmp_path, name):
    Image.fromarray(rgb).save(tmp_path / name, quality=95)
    drawn = reference_pixels(tmp_path / name, 50_000, seed=1)
    assert (drawn.shape, drawn.dtype) == ((50_000, 3), np.uint8)
    assert drawn.mean(axis=0) == pytest.approx(rgb.mean(axis=(0, 1)), abs=1.5)
    if name != "c.jpg":
        assert set(map(tuple, drawn.tolist())) <= set(map(tuple, rgb.reshape(-1, 3).tolist()))


@pytest.mark.parametrize("file", ["slide.tiff", "picture.png"])
def test_the_draw_is_bounded_and_repeatable(rgb, write_slide, tmp_path, monkeypatch, file):
    monkeypatch.setattr(reference, "PLACES", 30)
    path = tmp_path / file
    write_slide(rgb, mpp=4.0) if file == "slide.tiff" else Image.fromarray(rgb).save(path)
    first, again, other = (reference_pixels(path, 10_000, seed) for seed in (1, 1, 2))
    assert len(first) == 10_000
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(reference_pixels(path, 10**9, seed=1)) >= rgb.size // 3


@pytest.mark.parametrize("mpp", [4.0, None])
def test_a_slides_pixels_come_from_around_its_tissue(rgb, write_slide, mpp):
    path = write_slide(rgb, downsamples=(4,), mpp=mpp)
    drawn = reference_pixels(path, 100_000, seed=1)
    assert len(tissue_pixels(drawn)) / len(drawn) > len(tissue_pixels(rgb.reshape(-1, 3))) / TISSUE.size
    macenko = METHODS.load("macenko")
    whole = macenko.fit(rgb.reshape(-1, 3))
    assert np.abs(macenko.fit(drawn).vectors - whole.vectors).max() < 0.02


def test_a_slide_without_tissue_is_refused_as_a_reference(write_slide):
    path = write_slide(np.full((600, 600, 3), 245, np.uint8), mpp=4.0)
    drawn = reference_pixels(path, 10_000, seed=1)
    assert drawn.shape == (0, 3)
    with (
        pytest.raises(InputError, match=r"slide\.tiff: its stains cannot be fitted \(only 0 tissue pixels"),
        about(file=path),
    ):
        fit_reference("slide.tiff", "macenko", drawn)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_glass(rgb, tmp_path, mode):
    """Programs leave black under transparent pixels, which would count as the densest of tissue."""
    alpha = np.where(TISSUE, 255, 0).astype(np.uint8)
    image = Image.fromarray(np.dstack([np.where(TISSUE[..., None], rgb, 0).astype(np.uint8), alpha])).convert(
        mode
    )
    image.save(tmp_path / "cut_out.png")
    drawn = reference_pixels(tmp_path / "cut_out.png", 50_000, seed=1)
    assert (drawn == 255).all(axis=1).mean() == pytest.approx(1 - TISSUE.mean(), abs=0.02)


def test_a_picture_in_grey_is_refused_as_a_reference(rgb, tmp_path):
    path = tmp_path / "grey.png"
    Image.fromarray(rgb).convert("L").save(path)
    with (
        pytest.raises(InputError, match=r"grey\.png: its stains cannot be fitted \(one stain only"),
        about(file=path),
    ):
        fit_reference("grey.png", "macenko", reference_pixels(path, 50_000, seed=1))


def test_a_picture_too_large_to_be_read_whole_is_refused(rgb, tmp_path, monkeypatch):
    Image.fromarray(rgb).save(tmp_path / "large.png")
    monkeypatch.setattr(reference, "MAX_PICTURE_PIXELS", 1_000_000)
    with pytest.raises(
        InputError, match=r"large\.png: a picture of 1200 x 900 px; expected at most 1 million pixels; cut"
    ):
        reference_pixels(tmp_path / "large.png", 10_000, seed=1)


@pytest.mark.parametrize("name", ["ref.png", "ref.jpg", "ref.tif", "ref.svs"])
@pytest.mark.parametrize(
    "content", [None, b"", b"not an image", b"\x89PNG\r\n\x1a\n" + bytes(50), b"\xff\xd8\xff\xe0" + bytes(50)]
)
def test_a_file_that_is_no_image_is_named(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}.*; expected "):
        reference_pixels(tmp_path / name, 10_000, seed=1)


def test_a_png_with_a_damaged_chunk_is_named(rgb, tmp_path):
    """Pillow calls this a SyntaxError."""
    Image.fromarray(rgb).save(tmp_path / "ref.png")
    content = (tmp_path / "ref.png").read_bytes()
    second = content.index(b"IDAT", content.index(b"IDAT") + 4)
    (tmp_path / "ref.png").write_bytes(content[:second] + b"\xe4\xd0A\x9a" + content[second + 4 :])
    with pytest.raises(InputError, match=r"ref\.png: it cannot be read as an image \(broken PNG"):
        reference_pixels(tmp_path / "ref.png", 1_000, seed=1)


@pytest.mark.filterwarnings("ignore:::PIL")
@pytest.mark.parametrize("name", ["ref.png", "ref.jpg", "ref.tif", "deflate.tif", "tiled.tif"])
def test_a_damaged_file_is_named_or_read(rgb, write_slide, tmp_path, name):
    """Whatever a cut or a flipped byte does, it ends in a sentence, not in a trace of calls."""
    path, image = tmp_path / name, rgb[:300, :300]
    if name == "tiled.tif":
        write_slide(image, name)
    elif name == "deflate.tif":
        Image.fromarray(image).save(path, compression="tiff_deflate")
    else:
        Image.fromarray(image).save(path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    messages = []
    for trial in range(60):
        damaged = bytearray(whole)
        if trial < 20:
            del damaged[rng.integers(len(whole)) :]
        else:
            for at in rng.integers(0, min(len(whole), 4000 if trial < 40 else len(whole)), 8):
                damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            reference_pixels(path, 1_000, seed=1)
        except InputError as error:
            messages.append(str(error))
    assert len(messages) > 10
    assert all(name in message for message in messages)


@pytest.mark.parametrize("flag", [0, 1])
def test_the_largest_image_of_a_tiff_is_the_reference(rgb, tmp_path, flag):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        overview = np.full((90, 120, 3), 7, np.uint8)
        writer.write(overview, photometric="rgb", metadata=None, subfiletype=flag)
        writer.write(rgb, photometric="rgb", metadata=None)
    drawn = reference_pixels(tmp_path / "a.tif", 50_000, seed=1)
    assert drawn.mean(axis=0) == pytest.approx(rgb.mean(axis=(0, 1)), abs=1.5)


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("name", ["a.png", "tiles.tif"])
def test_a_reference_of_fewer_bits_than_16_is_refused(rgb, tmp_path, bits, name):
    few = (rgb.astype(np.uint32) * (2**bits - 1) // int(rgb.max())).astype(np.uint16)
    if name == "a.png":
        pyvips.Image.new_from_array(few, interpretation="rgb16").write_to_file(str(tmp_path / name))
    else:
        tifffile.imwrite(tmp_path / name, few, photometric="rgb", metadata=None, tile=(256, 256))
    said = rf"{name}: .*its largest value is about \d+ of 65535: it seems to have {bits} bits"
    with pytest.raises(InputError, match=said), about(file=name):
        reference_pixels(tmp_path / name, 1000, seed=1)
