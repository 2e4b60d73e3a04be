"""HEST: its file of patches says what coordinates mean, in one of three ways, by its age.

That of the features has no attributes.
"""

from ressat.features.elsewhere.layout import Attributes, PatchLayout, numbers


def layout(attributes: Attributes) -> PatchLayout | None:
    """Return how patches lie; None for a file of another format."""
    coords, images = attributes.get("coords", {}), attributes.get("img", {})
    if "patch_size_src" in coords:
        return PatchLayout(*numbers(coords, "patch_size_src"))
    if "factor" not in images:
        return None
    (patch_px,), (factor,) = numbers(images, "patch_size"), numbers(images, "factor")
    if "pixel_size" in images:  # August 2024: the edge of the image of a patch, and how far it was shrunk
        return PatchLayout(float(round(patch_px * factor)))
    # Before: the edge in level-0 pixels, and coordinates are row and column of the centre.
    return PatchLayout(patch_px, centred=True, rows_first=True)
