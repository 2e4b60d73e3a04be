"""How much memory and time a job asks for. Standard library only."""

import json
import math
from collections.abc import Callable
from pathlib import Path

from ressat.base.own_file import own_file

# What a million million of products of a network's numbers with its activations may take, in minutes.
MINUTES_PER_TERA = 800


def grown(
    base: float, *, of: str = "", per_mb: float = 0.0, per_mb_of_largest: float = 0.0
) -> Callable[..., int]:
    """Request that grows with the size of some inputs, and doubles with every attempt.

    Parameters
    ----------
    base
        What the job needs whatever its input: MB of memory, or minutes.
    of
        Names of the inputs that count, if the job has them, separated by blanks; default: all of them.
    per_mb
        What it needs in addition per MB (10^6 bytes) of all these files, if it holds them all at once.
    per_mb_of_largest
        What it needs in addition per MB of the largest of them, if it reads them one by one.

    Returns
    -------
    callable
        For a rule's resources. It raises FileNotFoundError while an input does not exist yet, which
        Snakemake treats as "known later".
    """

    def request(wildcards: object, input: object, attempt: int) -> int:
        sizes = _sizes_mb(input, of.split()) if per_mb or per_mb_of_largest else []
        return _doubled(base + per_mb * sum(sizes) + per_mb_of_largest * max(sizes, default=0), attempt)

    return request


def grown_with_tiles(
    base: float, per_thousand: float, *, of: str = "", per_mb: float = 0.0
) -> Callable[..., int]:
    """Request that grows with the number of a section's tiles, and doubles with every attempt.

    Parameters
    ----------
    base
        What the job needs whatever the section: MB of memory, or minutes.
    per_thousand
        What it needs in addition per thousand tiles.
    of
        Names of inputs whose size counts too, separated by blanks.
    per_mb
        What it needs in addition per MB (10^6 bytes) of these files.

    Returns
    -------
    callable
        For the resources of a rule with the input ``counted``, results/tiles/{sample}.json.
    """

    def request(wildcards: object, input: object, attempt: int) -> int:
        # Of any version: Snakemake asks before it makes an old file anew.
        with own_file(input.counted):
            tiles = json.loads(Path(input.counted).read_text(encoding="utf-8"))["tiles"]
            for_tiles = per_thousand * tiles / 1000
        sizes = _sizes_mb(input, of.split()) if of else []
        return _doubled(base + for_tiles + per_mb * sum(sizes), attempt)

    return request


def network_minutes(parameters: int, tokens: int) -> float:
    """Return the minutes that a thousand tiles may take on a CPU: reading them, and the forward pass.

    Three times what two cores take in fp32 and more (docs/performance.md).

    Parameters
    ----------
    parameters
        How many numbers the network has; 0 if unknown.
    tokens
        How many tokens a vision transformer makes of a tile; all its numbers are multiplied for each of them.
        0 for a network of another kind.
    """
    # Without tokens: of ResNet50, which takes less time than the minutes that are always asked for.
    products = parameters * (tokens or 50)
    # Attention multiplies tokens with one another, which counts where they are many.
    return 5 + MINUTES_PER_TERA * products / 1e12 * (1 + tokens / 2000)


def _doubled(request: float, attempt: int) -> int:
    return math.ceil(request) * 2 ** (attempt - 1)


def _sizes_mb(inputs: object, names: list[str]) -> list[float]:
    # Which inputs there are differs by the format of the counts.
    groups = [getattr(inputs, name, []) for name in names] or [list(inputs)]
    files = [file for group in groups for file in ([group] if isinstance(group, str) else group)]
    return [Path(file).stat().st_size / 1e6 for file in files]
