"""The unit that a study's expression is in: what is predicted, and what predictions are scored against."""

from collections.abc import Mapping
from dataclasses import dataclass

from ressat.base.errors import InputError
from ressat.base.layers import EXPRESSION_UNIT

TARGET_SUM = 1e4  # counts per 10,000
# As config.yaml names them, and schemas/config.schema.json.
PLAIN, THINNED = "log1p_cp10k", "thinned"


@dataclass(frozen=True)
class ExpressionUnit:
    """A unit of expression.

    Attributes
    ----------
    name
        ``log1p_cp10k``: the logarithm of 1 plus counts per 10,000; or ``thinned``: what it is on average over
        random thinnings of a spot's counts to a depth.
    depth
        Counts that a spot is thinned to; None where it is not.
    """

    name: str = PLAIN
    depth: int | None = None

    def __post_init__(self) -> None:
        if self.name not in (PLAIN, THINNED):
            raise InputError(f"the unit of expression {self.name!r}", expected=f"{PLAIN} or {THINNED}")
        if (self.name == THINNED) != (self.depth is not None and self.depth > 0):
            raise InputError(
                f"the unit of expression {self.name} with the depth {self.depth}",
                expected=f"a depth above 0 for {THINNED}, and none for {PLAIN}",
            )

    @classmethod
    def of(cls, settings: Mapping) -> "ExpressionUnit":
        """Return the unit that ``expression`` of config.yaml names; only `THINNED` has a depth."""
        name = settings["unit"]
        return cls(name, int(settings["depth"]) if name == THINNED else None)

    @property
    def words(self) -> str:
        """What files, report and figures call it."""
        if self.depth is None:
            return EXPRESSION_UNIT
        return f"{EXPRESSION_UNIT}, thinned to {self.depth:,} counts"


LOG1P_CP10K = ExpressionUnit()
