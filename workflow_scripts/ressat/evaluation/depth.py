"""The twin that every score has: the same, given the spots' sequencing depth."""

# Behind the name of a column of partial correlations given the logarithm of the spots' total counts, or of
# what follows from them.
DEPTH_FREE = "_depth_free"
# A gene's observed map follows depth if their Pearson's r exceeds this.
FOLLOWS = 0.5


def depth_free(name: str) -> str:
    """Return the name of a column's twin."""
    return f"{name}{DEPTH_FREE}"


# A score's own name, and that of its twin.
BOTH = (str, depth_free)
