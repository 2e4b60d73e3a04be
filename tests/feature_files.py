"""Files of features, and of their patches, as other software writes them."""

from pathlib import Path

import h5py
import numpy as np

COUNT, WIDTH, EDGE = 5, 8, 256
SIZE = (4000, 3000)
CORNERS = np.array([[0, 0], [512, 256], [768, 256], [3900, 2900], [1024, 1000]])
FEATURES = np.random.default_rng(0).normal(size=(COUNT, WIDTH)).astype(np.float32)
BARCODES = np.array([f"ACGT{number}-1" for number in range(COUNT)], dtype="S")


def write(path: Path, datasets: dict[str, np.ndarray], **attributes: dict) -> Path:
    """Write datasets with their attributes."""
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name] = values
        for name, values in attributes.items():
            file[name].attrs.update(values)
    return path


def trident(
    folder: Path, features: np.ndarray = FEATURES, coords: np.ndarray = CORNERS, **stated: object
) -> Path:
    """Features with coordinates whose attributes state all."""
    attributes = {
        "patch_size": 256,
        "patch_size_level0": EDGE,
        "level0_magnification": 20,
        "target_magnification": 20,
        "overlap": 0,
        "name": "S1",
        "savetodir": "/somewhere",
        "level0_width": SIZE[0],
        "level0_height": SIZE[1],
    } | stated
    attributes = {name: value for name, value in attributes.items() if value is not None}
    features_of = {"name": "S1", "savetodir": "/somewhere", "encoder": "uni_v1"}
    return write(
        folder / "trident.h5",
        {"features": features, "coords": coords},
        features=features_of,
        coords=attributes,
    )


def clam(folder: Path, **stated: object) -> tuple[Path, Path]:
    """Features without attributes, and patches read at a level of a quarter of the pixels' number a side."""
    attributes = {
        "patch_size": EDGE // 4,
        "patch_level": 1,
        "downsample": (4.0, 4.0),
        "downsampled_level_dim": (1000, 750),
        "level_dim": (1000, 750),
        "name": "S1",
        "save_path": "/somewhere",
    } | stated
    features = write(folder / "clam.h5", {"features": FEATURES, "coords": CORNERS.astype(np.int32)})
    return features, write(folder / "clam_patches.h5", {"coords": CORNERS}, coords=attributes)


def hest(folder: Path, age: str = "now") -> tuple[Path, Path]:
    """Embeddings without attributes, and the images of their patches, as of some age."""
    centres = CORNERS + EDGE // 2
    images = np.zeros((COUNT, 2, 2, 3), np.uint8)
    coords, on_coords, on_images = {
        "now": (
            CORNERS,
            {"patch_size_src": EDGE, "patch_size_target": 224, "downsample": 8 / 7, "pixel_size": 0.4375},
            {"patch_size_src": EDGE, "patch_size_target": 224, "downsample": 8 / 7, "pixel_size": 0.4375},
        ),
        "August 2024": (CORNERS, {}, {"patch_size": 224, "factor": 8 / 7, "pixel_size": 0.4375}),
        "before": (centres[:, ::-1], {}, {"patch_size": EDGE, "factor": 8 / 7}),
    }[age]
    named = {"barcodes": BARCODES[:, None]}
    features = write(folder / "hest.h5", {"embeddings": FEATURES, "coords": coords, **named})
    patches = {"img": images, "coords": coords, "barcode": BARCODES[:, None]}
    return features, write(folder / "hest_patches.h5", patches, coords=on_coords, img=on_images)
