"""A simulated section for benchmarks, and running the workflow's own scripts on it."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyvips
from scipy import ndimage

SCRIPTS = Path(__file__).resolve().parent.parent / "workflow_scripts"
MPP, SECTION, FOLD, ENCODER = 0.5, "S1", "holdout", "resnet50"
# What simulated features say of themselves, as far as a saved model must agree with it.
MADE = {
    "encoder": ENCODER,
    "weights_sha256": "0" * 64,
    "stain": "none",
    "stain_target": '{"method": "none", "reference": null}',
    "stain_fallback": "",
    "tile_px": 224,
}
# Pixels of the slide per pixel of the drawing that it is enlarged from.
ENLARGED = 100


def write_slide(path: Path, edge: int, rng: np.random.Generator, pyramid: bool = True) -> np.ndarray:
    """Write a slide of tiled JPEG with tissue in its middle; gives the mask, a hundredth as large."""
    small = edge // ENLARGED
    y, x = np.mgrid[:small, :small] / small - 0.5
    noise = ndimage.gaussian_filter(rng.normal(size=(small, small)), 8)
    mask = np.hypot(x, y) + 0.5 * noise < 0.42
    # From eosin's pink to haematoxylin's violet, so that stains can be told apart.
    mixed = ndimage.gaussian_filter(rng.normal(size=(small, small)), 1)
    mixed = np.clip(0.5 + mixed / 4 / mixed.std(), 0, 1)[..., None]
    tissue = mixed * (225, 150, 190) + (1 - mixed) * (110, 80, 160)
    colour = np.where(mask[..., None], tissue, (243, 242, 244)).astype(np.uint8)
    image = pyvips.Image.new_from_array(colour).resize(ENLARGED, kernel="linear")
    grain = pyvips.Image.gaussnoise(edge, edge, mean=0, sigma=6)
    (image + grain).cast("uchar").tiffsave(
        str(path),
        tile=True,
        pyramid=pyramid,
        compression="jpeg",
        Q=85,
        tile_width=256,
        tile_height=256,
        bigtiff=True,
        xres=1000 / MPP,
        yres=1000 / MPP,
        resunit="cm",
    )
    return mask


class Files(dict):
    """Named files, as Snakemake hands them to a script."""

    __getattr__ = dict.__getitem__


def run_script(folder: Path, rule: str, inputs: dict, outputs: dict, threads: int, **params: object) -> None:
    """Run the script of a rule on the simulated section, in this process.

    Parameters
    ----------
    folder
        Where logs go.
    rule
        The script's name.
    inputs, outputs
        Named files.
    threads
        Of the rule.
    **params
        Of the rule.
    """
    sys.path.insert(0, str(SCRIPTS))
    job = SimpleNamespace(
        input=Files(inputs),
        output=Files(outputs),
        log=[str(folder / f"{rule}.log")],
        params=SimpleNamespace(**params),
        wildcards=SimpleNamespace(sample=SECTION, fold=FOLD),
        threads=threads,
    )
    runpy.run_path(str(SCRIPTS / f"{rule}.py"), {"snakemake": job})
