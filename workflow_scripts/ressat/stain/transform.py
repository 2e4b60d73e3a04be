"""The transform of pixels that every method of stain normalisation comes down to.

One formula on 8-bit RGB, I' = post . exp(matrix . log(pre . I + 1) + offset), so that the code that runs
the network can apply it as two or three 1 x 1 convolutions.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PixelTransform:
    """I' = post . exp(matrix . log(pre . I + 1) + offset), clipped to 0..255.

    Attributes
    ----------
    pre, matrix, post
        Shape (3, 3).
    offset
        Shape (3,).
    """

    pre: np.ndarray
    matrix: np.ndarray
    offset: np.ndarray
    post: np.ndarray

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Transform RGB of any shape (..., 3), uint8, to uint8, in float64."""
        light = np.log1p(image.astype(np.float64) @ self.pre.T)
        result = np.exp(light @ self.matrix.T + self.offset) @ self.post.T
        return np.clip(result, 0, 255).astype(np.uint8)
