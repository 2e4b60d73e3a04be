"""What the entries of a file must be, written down as a structure that files are compared with.

Standard library only. No check recurses deeper than its description, and a list is counted before its entries
are looked at.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ressat.base.errors import InputError
from ressat.base.names import has_control

# Longest name, and how much of a wrong value is shown.
LONGEST_NAME, SHOWN = 200, 60
MARKUP = frozenset("<>")


class Field(ABC):
    """What an entry must be.

    Attributes
    ----------
    words
        What is expected, for messages.
    """

    words: str

    @abstractmethod
    def accepts(self, value: object) -> bool:
        """Tell whether a value is of this kind, apart from its own entries."""

    def entries(self, value: object, name: str) -> "Entries":
        """Return a value's own entries: what they are called, what they are, and must be."""
        return iter(())


Entries = Iterator[tuple[str, object, Field]]


def check_field(value: object, field: Field, name: str) -> None:
    """Refuse a value that is not what it must be.

    Parameters
    ----------
    value
        Anything.
    field
        What it must be.
    name
        What it is called, such as ``settings``: an entry of it is then ``settings.hidden``. If that is
        empty, an entry goes by its own name.

    Raises
    ------
    InputError
        Naming the first entry that is wrong, what it is and what was expected.
    """
    if value is MISSING:
        raise InputError(f"{name} is missing", expected=field.words)
    if not field.accepts(value):
        raise InputError(f"{name or 'it'} is {shown(value)}", expected=field.words)
    for path, entry, of in field.entries(value, name):
        check_field(entry, of, path)


def shown(value: object) -> str:
    """Return a value as messages show it: short, and in printable characters."""
    if isinstance(value, list | tuple | dict | set):
        # Its entries may be many, and contain one another.
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, str):
        text = ascii(value[:SHOWN])
        return text if len(value) <= SHOWN else f"{text}... ({len(value)} characters)"
    if value is None or isinstance(value, bool | float):
        return str(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() < 200 else "a number of many digits"
    return f"a {type(value).__name__}"


MISSING = object()


class Anything(Field):
    """Whatever stands there; its reader looks at it."""

    words = "an entry"

    def accepts(self, value: object) -> bool:
        """Tell whether it is there."""
        return True


ANYTHING = Anything()


@dataclass(frozen=True)
class Number(Field):
    """A number within limits, which are included.

    Attributes
    ----------
    low, high
        Limits.
    whole
        Whether it is a whole number.
    undefined
        Whether it may be nan.
    """

    low: float
    high: float
    whole: bool = False
    undefined: bool = False

    @property
    def words(self) -> str:
        """What is expected."""
        return f"a {'whole ' * self.whole}number from {self.low:.12g} to {self.high:.12g}"

    def accepts(self, value: object) -> bool:
        """Tell whether it is such a number; True and False are none."""
        if type(value) is float and math.isnan(value):
            return self.undefined
        is_number = type(value) is int or (type(value) is float and not self.whole)
        return is_number and self.low <= value <= self.high


@dataclass(frozen=True)
class Text(Field):
    """Text in one line, without markup and control characters.

    Attributes
    ----------
    longest
        Most characters.
    empty, seen
        Whether there may be none; whether there must be none that nobody sees, as some scripts need.
    """

    longest: int = 100_000
    empty: bool = False
    seen: bool = True

    @property
    def words(self) -> str:
        """What is expected."""
        least = 0 if self.empty else 1
        return f"text of {least} to {self.longest} characters, without markup and control characters"

    def accepts(self, value: object) -> bool:
        """Tell whether it is such text; a name has no blanks at its ends."""
        if type(value) is not str or len(value) > self.longest or not (value or self.empty):
            return False
        is_plain = value.isprintable() if self.seen else not has_control(value)
        return is_plain and MARKUP.isdisjoint(value) and value == value.strip()


NAME = Text(LONGEST_NAME)


class AnyText(Field):
    """Text of any kind, as in files that name other files."""

    words = "text"

    def accepts(self, value: object) -> bool:
        """Tell whether it is text."""
        return type(value) is str


ANY_TEXT = AnyText()


@dataclass(frozen=True)
class Sha256(Field):
    """A SHA-256."""

    words: ClassVar[str] = "64 hexadecimal digits"

    def accepts(self, value: object) -> bool:
        """Tell whether it is one."""
        return type(value) is str and len(value) == 64 and set(value) <= set("0123456789abcdef")


@dataclass(frozen=True)
class OneOf(Field):
    """One of some texts."""

    choices: Collection[str]

    @property
    def words(self) -> str:
        """What is expected."""
        return f"one of {', '.join(self.choices)}"

    def accepts(self, value: object) -> bool:
        """Tell whether it is one of them."""
        return type(value) is str and value in self.choices


@dataclass(frozen=True)
class Optional(Field):
    """Something, or None."""

    of: Field

    @property
    def words(self) -> str:
        """What is expected."""
        return f"{self.of.words}, or null"

    def accepts(self, value: object) -> bool:
        """Tell whether it is either."""
        return value is None or self.of.accepts(value)

    def entries(self, value: object, name: str) -> Entries:
        """Those of the value, unless it is None."""
        return iter(()) if value is None else self.of.entries(value, name)


@dataclass(frozen=True)
class ListOf(Field):
    """A list.

    Attributes
    ----------
    of
        What each entry is.
    least, most
        How many there are.
    distinct
        Whether none occurs twice.
    """

    of: Field
    least: int = 0
    most: int = 1_000_000
    distinct: bool = False

    @property
    def words(self) -> str:
        """What is expected."""
        number = f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"
        return f"a list of {number}: each {self.of.words}"

    def accepts(self, value: object) -> bool:
        """Tell whether it is a list of so many."""
        return type(value) is list and self.least <= len(value) <= self.most

    def entries(self, value: list, name: str) -> Entries:
        """Those of the list."""
        seen = set()
        for index, entry in enumerate(value):
            yield f"{name}[{index}]", entry, self.of
            if self.distinct and entry in seen:
                raise InputError(f"{name} has {shown(entry)} twice", expected="each once")
            if self.distinct:
                seen.add(entry)


@dataclass(frozen=True)
class Record(Field):
    """A dictionary of certain entries, and no others.

    Attributes
    ----------
    fields
        What each is, by name.
    """

    fields: Mapping[str, Field]

    @property
    def words(self) -> str:
        """What is expected."""
        names = list(self.fields)
        return f"a dictionary of {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}"

    def accepts(self, value: object) -> bool:
        """Tell whether it is a dictionary."""
        return type(value) is dict

    def entries(self, value: dict, name: str) -> Entries:
        """Those of the dictionary, those that it lacks, and the first unknown one."""
        start = f"{name}." if name else ""
        for key, field in self.fields.items():
            yield f"{start}{key}", value.get(key, MISSING), field
        unknown = next((key for key in value if key not in self.fields), None)
        if unknown is not None:
            raise InputError(f"{name or 'it'} has the unknown entry {shown(unknown)}", expected=self.words)


def by_name(names: Collection[str], of: Field) -> Record:
    """Return a dictionary with one and the same kind of entry under each of some names."""
    return Record(dict.fromkeys(names, of))
