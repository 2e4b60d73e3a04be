"""Tensors among the entries of a file."""

from dataclasses import dataclass

import torch

from ressat.base.fields import Field


@dataclass(frozen=True)
class Tensor(Field):
    """A tensor in memory of its own.

    Attributes
    ----------
    shape
        Its shape; None stands for any length.
    dtype
        Of its numbers.
    """

    shape: tuple[int | None, ...]
    dtype: torch.dtype

    @property
    def words(self) -> str:
        """What is expected."""
        size = " x ".join("any" if length is None else str(length) for length in self.shape)
        return f"a tensor of {size}, {str(self.dtype).removeprefix('torch.')}"

    def accepts(self, value: object) -> bool:
        """Tell whether it is such a tensor; its numbers are not looked at."""
        if type(value) is not torch.Tensor or value.layout is not torch.strided or value.is_meta:
            return False
        # numpy takes none of which torch wants a gradient, or has put off a change of sign.
        if value.requires_grad or value.is_neg() or value.is_conj():
            return False
        if value.dtype != self.dtype or value.dim() != len(self.shape) or not value.is_contiguous():
            return False
        same = all(length in (None, size) for length, size in zip(self.shape, value.shape, strict=True))
        # A view of little memory may claim to be large.
        return same and value.untyped_storage().nbytes() == value.numel() * value.element_size()
