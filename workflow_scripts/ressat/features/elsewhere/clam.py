"""CLAM: coordinates are corners in level-0 pixels, the size of patches is in pixels of their level.

Only its file of patches says so; that of the features has no attributes.
"""

from ressat.features.elsewhere.layout import Attributes, PatchLayout, numbers


def layout(attributes: Attributes) -> PatchLayout | None:
    """Return how patches lie; None for a file of another format."""
    coords = attributes.get("coords", {})
    if "patch_level" not in coords:
        return None
    (patch_px,) = numbers(coords, "patch_size")
    across, down = numbers(coords, "downsample", 2)
    # Of releases that shrink what they have read.
    (further,) = numbers(coords, "custom_downsample") if "custom_downsample" in coords else (1.0,)
    size = None
    if "level_dim" in coords:
        width, height = numbers(coords, "level_dim", 2)
        size = width * across, height * down
    # The size of a level is rounded to whole pixels of its own.
    return PatchLayout(patch_px * across * further, slide_size=size, slack=max(across, down))
