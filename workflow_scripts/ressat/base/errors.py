"""The one error that a user can cause, and how it reads."""


class InputError(Exception):
    """Something in the user's data or settings is wrong, said in one sentence.

    Parameters
    ----------
    found
        What was found, e.g. ``"mpp is 35.28 um/px"``.
    expected
        What was expected instead.
    action
        What the user can do about it, as an imperative.
    section
        Name of the section (the sheet's ``sample``) concerned.
    file
        Path of the file concerned, as the user wrote it.
    """

    def __init__(
        self,
        found: str,
        *,
        expected: str | None = None,
        action: str | None = None,
        section: str | None = None,
        file: object | None = None,
    ) -> None:
        self.found, self.expected, self.action = found, expected, action
        self.section = section
        self.file = None if file is None else str(file)
        where = [f"section {section}" if section else "", self.file or ""]
        sentence = ": ".join([part for part in where if part] + [found])
        if expected:
            sentence += f"; expected {expected}"
        if action:
            sentence += f"; {action}"
        # What libraries say may run over several lines, and a question needs no full stop.
        sentence = " ".join(line.strip() for line in sentence.splitlines())
        super().__init__(sentence if sentence.endswith("?") else sentence + ".")

    def about(self, section: str, file: object) -> "InputError":
        """Return the same, with the section and the file named where they were not yet."""
        return InputError(
            self.found,
            expected=self.expected,
            action=self.action,
            section=self.section or section,
            file=self.file or file,
        )


def sentences(error: "InputError | ExceptionGroup[InputError]") -> str:
    """Return what is wrong, a line for each of several."""
    errors = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    return "\n".join(str(one) for one in errors)
