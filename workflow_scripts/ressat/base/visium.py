"""Facts about 10x Genomics' Visium. Standard library only."""

# Distance between the centres of neighbouring spots and diameter of a spot, um.
PITCH_UM, SPOT_UM = 100.0, 55.0
# What the spot diameter in Space Ranger's scale factors usually stands for, um.
SPACE_RANGER_SPOT_UM = 65.0
# The folder of Visium HD's bins of one size; the number is their edge in um.
BIN_FOLDER = r"square_(\d{3})um"
