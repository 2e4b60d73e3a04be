"""Files with encoders of a user's own, for the tests."""

OWN = '''
import torch


class Shades(torch.nn.Module):
    """Mean grey levels of a coarse grid, by a linear map."""

    layers = {"shades": 6, "grid": 12}
    default_layers = ("grid",)
    mean = (0.5, 0.5, 0.5)
    sd = (0.5, 0.5, 0.5)
    px = 16
    tile_um = 100
    title = "Shades"
    citation = "Doe. Shades. 2026."
    licence = "MIT"

    def __init__(self, weights):
        super().__init__()
        self.linear = torch.nn.Linear(12, 6)
        if weights is not None:
            self.load_state_dict(torch.load(weights, weights_only=True))

    def forward(self, tiles):
        grid = torch.nn.functional.adaptive_avg_pool2d(tiles, 2).flatten(1)
        return {"shades": self.linear(grid), "grid": grid}
'''
