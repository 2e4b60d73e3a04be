"""TRIDENT: coordinates are corners, and the patches' size stands with them."""

from ressat.features.elsewhere.layout import Attributes, PatchLayout, numbers


def layout(attributes: Attributes) -> PatchLayout | None:
    """Return how patches lie; None for a file of another format."""
    coords = attributes.get("coords", {})
    if "patch_size_level0" not in coords:
        return None
    (edge,) = numbers(coords, "patch_size_level0")
    # Older releases do not state the slide's size.
    stated = "level0_width" in coords or "level0_height" in coords
    size = (*numbers(coords, "level0_width"), *numbers(coords, "level0_height")) if stated else None
    return PatchLayout(edge, slide_size=size)
