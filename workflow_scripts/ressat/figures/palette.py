"""Colours of charts and figures: Okabe and Ito's, which colour-blind readers tell apart."""

BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY = "#56B4E9"
# Of text and axes, and of what should stay in the background.
INK, QUIET = "#1b2733", "#8c959d"
# Of clusters and sections; the palette's yellow is too light next to tissue, so a darker one replaces it.
CATEGORIES = (BLUE, VERMILION, GREEN, ORANGE, "#CC79A7", SKY, "#8c6d1f", "#4b5563")
