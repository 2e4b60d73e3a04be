"""The one error that a user can cause, and how it reads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from ressat.base.names import visible

Arguments, Result = ParamSpec("Arguments"), TypeVar("Result")


class InputError(Exception):
    """Something wrong in the user's data or settings, described in one sentence.

    Parameters
    ----------
    problem
        What is wrong, e.g. ``"mpp is 35.28 um/px"``.
    expected
        What was expected instead.
    action
        What the user can do about it, as an imperative.
    section
        Name of the section (the sheet's ``sample``) concerned; see `about`.
    file
        Path of the file concerned, as the user wrote it; see `about`.
    """

    def __init__(
        self,
        problem: str,
        *,
        expected: str | None = None,
        action: str | None = None,
        section: str | None = None,
        file: object | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem, self.expected, self.action = problem, expected, action
        self.section = section
        self.file = None if file is None else str(file)

    def __str__(self) -> str:
        where = [f"section {self.section}" if self.section else "", self.file or ""]
        sentence = ": ".join([part for part in where if part] + [self.problem])
        if self.expected:
            sentence += f"; expected {self.expected}"
        if self.action:
            sentence += f"; {self.action}"
        # Names that differ in what nobody sees must differ in a message.
        sentence = visible(sentence)
        # Library messages may span several lines, and a question needs no full stop.
        sentence = " ".join(line.strip() for line in sentence.splitlines())
        return sentence if sentence.endswith("?") else sentence + "."

    def __reduce__(self) -> tuple:
        # Processes that read tiles send their errors to the main process.
        return _restored, (self.problem, self.expected, self.action, self.section, self.file)


@contextmanager
def about(*, section: str | None = None, file: object | None = None) -> Iterator[None]:
    """Add the section and the file to an `InputError` raised in the block, unless it already names them.

    Readers do not know the section and, deeper down, not even the file, so their callers name them.

    Parameters
    ----------
    section
        Name of the section.
    file
        Path of the file, as the user wrote it.
    """
    try:
        yield
    except InputError as error:
        error.section = error.section or section
        error.file = error.file or (None if file is None else str(file))
        raise


def about_its_file(
    read: Callable[Concatenate[str, Arguments], Result],
) -> Callable[Concatenate[str, Arguments], Result]:
    """Make a function's errors name its first argument as the file; see `about`."""

    @wraps(read)
    def reader(file: str, *args: Arguments.args, **options: Arguments.kwargs) -> Result:
        with about(file=file):
            return read(file, *args, **options)

    return reader


def sentences(error: "InputError | ExceptionGroup[InputError]") -> str:
    """Return what is wrong, one line per error."""
    errors = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    return "\n".join(str(one) for one in errors)


def _restored(
    problem: str, expected: str | None, action: str | None, section: str | None, file: str | None
) -> InputError:
    return InputError(problem, expected=expected, action=action, section=section, file=file)
