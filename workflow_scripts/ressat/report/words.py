"""What the page calls scores, and numbers of genes in words."""

import math

# A score, and its twin.
PLAIN, DEPTH_FREE = "plain", "depth-free"


def number_of_genes(number: float) -> str:
    """Say a number of genes, which over several sections may be a mean."""
    if math.isnan(number):
        return "an unknown number of genes"
    if not float(number).is_integer():
        return f"{number:,.1f} genes on average"
    return f"{number:,.0f} gene{'' if number == 1 else 's'}"
