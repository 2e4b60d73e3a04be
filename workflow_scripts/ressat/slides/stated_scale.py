"""The pixel size that an image states itself, where it is believable."""

from ressat.slides.scale import MPP_RANGE, MPP_TOLERANCE


def believable_mpp(across: float, down: float) -> float | None:
    """Return the one pixel size that the sizes along both axes tell.

    Parameters
    ----------
    across, down
        Width and height of a pixel in um.

    Returns
    -------
    float or None
        Their mean; None where one lies outside `MPP_RANGE`, as leftovers of a screen or printer do, or
        where the pixel is not square within `MPP_TOLERANCE`.
    """
    smaller, larger = min(across, down), max(across, down)
    square = MPP_RANGE[0] <= smaller <= larger <= min(MPP_RANGE[1], smaller * (1 + MPP_TOLERANCE))
    return (across + down) / 2 if square else None
