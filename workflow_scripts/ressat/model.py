"""G and A: the head that predicts expression from features, and the interaction of spots."""

from dataclasses import dataclass

import torch
from torch import nn

# Rows of the interaction matrix computed at a time in prediction.
BLOCK_ROWS = 1024


@dataclass(frozen=True)
class HeadSettings:
    """Shape and regularisation of G.

    Attributes
    ----------
    hidden
        Width of the hidden layer; 0 for a linear head.
    dropout
        Share of the features and of the hidden units left out in each training step.
    members
        How many networks are averaged, each from initial weights of its own.
    """

    hidden: int
    dropout: float
    members: int


class Head(nn.Module):
    """G: from standardised features to z-scored expression, spot by spot; the mean of its members.

    Parameters
    ----------
    features, genes
        Widths of input and output.
    settings
        Shape and regularisation.
    """

    def __init__(self, features: int, genes: int, settings: HeadSettings) -> None:
        super().__init__()
        self.members = nn.ModuleList(_member(features, genes, settings) for _ in range(settings.members))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return yhat, shape (spots, genes), from features of shape (spots, features)."""
        return torch.stack([member(features) for member in self.members]).mean(dim=0)


def _member(features: int, genes: int, settings: HeadSettings) -> nn.Sequential:
    if not settings.hidden:
        return nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(features, genes))
    return nn.Sequential(
        nn.Dropout(settings.dropout),
        nn.Linear(features, settings.hidden),
        nn.GELU(),
        nn.Dropout(settings.dropout),
        nn.Linear(settings.hidden, genes),
    )


def spot_interaction(yhat: torch.Tensor, block_rows: int | None = None) -> torch.Tensor:
    """A(Q, K, V) = softmax(Q K^T / sqrt(d)) V with Q = K = V = yhat; no parameters.

    Parameters
    ----------
    yhat
        Direct predictions of the spots of one section in z units, shape (spots, d).
    block_rows
        Queries computed at a time, which bounds memory by block_rows x spots; None for all.

    Returns
    -------
    torch.Tensor
        Attended predictions, shape (spots, d).
    """
    scale = yhat.shape[1] ** -0.5
    blocks = yhat.split(block_rows or max(1, len(yhat)))
    return torch.cat([torch.softmax(queries @ yhat.T * scale, dim=1) @ yhat for queries in blocks])


def dual_loss(y: torch.Tensor, yhat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the two terms of L = MSE(y, yhat) + MSE(y, A(yhat)), over the spots of one section."""
    return nn.functional.mse_loss(yhat, y), nn.functional.mse_loss(spot_interaction(yhat), y)
