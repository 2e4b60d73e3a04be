"""Registries: the members of a kind, each in a module of its own that is loaded by name.

A registry is a constant in a module `registry.py`, in the folder that holds the members. Standard library
only.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ressat.base.errors import InputError


@dataclass(frozen=True)
class Registry:
    """The members of a kind.

    Attributes
    ----------
    kind
        What they are, in the singular, for messages.
    package
        Dotted name of the folder that has a module of the same name for each, with the member as its constant
        `MEMBER`.
    names
        Names of all members, in the order in which they are offered.
    """

    kind: str
    package: str
    names: tuple[str, ...]

    def load(self, name: str) -> Any:
        """Return a member.

        Raises
        ------
        InputError
            If no member has this name; the message suggests the nearest one.
        """
        if name not in self.names:
            meant = nearest(name, self.names)
            raise InputError(
                f"the unknown {self.kind} {name}",
                expected=f"one of {', '.join(self.names)}",
                action=f"did you mean {meant}?" if meant else "choose one of them",
            )
        return import_module(f"{self.package}.{name}").MEMBER


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant; None where none is close."""
    close = difflib.get_close_matches(name.lower(), list(known), n=1)
    return close[0] if close else None
