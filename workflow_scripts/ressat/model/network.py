"""G and A: the head that predicts expression from features, and the interaction of spots."""

import math
from dataclasses import dataclass

import torch
from torch import nn


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
        How many networks are averaged, each with its own initial weights.
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


def spot_interaction(yhat: torch.Tensor) -> torch.Tensor:
    """A(Q, K, V) = softmax(Q K^T / sqrt(d)) V with Q = K = V = yhat; no parameters.

    Computed block by block; the matrix of all pairs is never held as a whole.

    Parameters
    ----------
    yhat
        Direct predictions of the spots of one section in z units, shape (spots, d).

    Returns
    -------
    torch.Tensor
        Attended predictions, shape (spots, d).
    """
    section = yhat[None, None]
    return nn.functional.scaled_dot_product_attention(section, section, section)[0, 0]


def dual_loss(
    y: torch.Tensor, yhat: torch.Tensor, section_spots: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the two terms of L = MSE(y, yhat) + MSE(y, A(yhat)), over spots of one section.

    Parameters
    ----------
    y, yhat
        Observed and predicted, shape (spots, genes).
    section_spots
        How many spots the section has, where the given ones are a random draw from them; None where they
        are all of them. Attention over the draw then estimates that over the section.

    Returns
    -------
    tuple of torch.Tensor
        The direct and the attended term.
    """
    # Written out, for the gradient: for so few spots the whole matrix is faster than blocks of it.
    scores = yhat @ yhat.T * yhat.shape[1] ** -0.5
    spots = len(yhat)
    if section_spots is not None and section_spots > spots:
        # Of n spots w are drawn: each other spot stands for (n - 1) / (w - 1), the spot itself for one.
        stands_for = (section_spots - 1) / (spots - 1)
        scores = scores - math.log(stands_for) * torch.eye(spots, device=yhat.device)
    attended = torch.softmax(scores, dim=1) @ yhat
    return nn.functional.mse_loss(yhat, y), nn.functional.mse_loss(attended, y)
