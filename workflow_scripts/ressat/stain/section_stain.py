"""One section's stain transform: fitted, with a fallback, and stored as JSON."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ressat.base.errors import InputError
from ressat.base.fields import ANY_TEXT, ANYTHING, Number, OneOf, Optional, Record, by_name, check_field
from ressat.base.files import FORMAT_VERSION, write_text
from ressat.base.own_file import own_file, read_json
from ressat.stain.method import StainFitError, StainMethod
from ressat.stain.methods.registry import METHODS
from ressat.stain.tissue_pixels import tissue_pixels
from ressat.stain.transform import PixelTransform

# What the file holds.
STORED = Record(
    {
        "section": ANY_TEXT,
        "method": OneOf(METHODS.names),
        "fallback": Optional(ANY_TEXT),
        "pixels": Number(0, 1e12, whole=True),
        "reference_name": ANY_TEXT,
        "source": ANYTHING,
        "reference": ANYTHING,
    }
)


@dataclass(frozen=True)
class SectionStain:
    """What a section's stains are and what they are normalised to.

    Attributes
    ----------
    section
        The section's name; of a reference image, its file name.
    method
        Name of a method of `METHODS`.
    source, reference
        Stains of the section and of the reference; None where there is nothing to transform.
    reference_name
        ``published``, or the section or image that the reference was fitted on.
    pixels
        How many tissue pixels the fit used.
    fallback
        Why the section is left as it is although a method was asked for; None where it worked.
    """

    section: str
    method: str
    source: object | None
    reference: object | None
    reference_name: str
    pixels: int
    fallback: str | None

    @property
    def transform(self) -> PixelTransform | None:
        """The transform of the section's pixels; None for the identity."""
        if self.source is None or self.reference is None:
            return None
        return METHODS.load(self.method).transform(self.source, self.reference)

    @property
    def target(self) -> str:
        """What pixels are normalised to, as text; equal for sections whose features are comparable."""
        reference = None if self.reference is None else _to_dict(self.reference)
        return json.dumps({"method": self.method, "reference": reference}, sort_keys=True)

    @classmethod
    def from_target(cls, target: str, name: str) -> "SectionStain":
        """Return the reference that a `target` names, so that other sections can be normalised to it.

        Raises
        ------
        InputError
            If it is not the text that `target` gives, or its stains are not those of an H&E image.
        """
        try:
            content = json.loads(target)
        except (ValueError, RecursionError) as error:
            expected = "JSON with method and reference"
            raise InputError(f"no stain reference ({type(error).__name__})", expected=expected) from error
        check_field(content, Record({"method": OneOf(METHODS.names), "reference": ANYTHING}), "")
        method, reference = content["method"], content["reference"]
        stains = _from_dict(method, reference)
        if stains is None and METHODS.load(method) is not None:
            raise InputError("reference is None", expected=f"the stains that {method} normalises to")
        return cls(name, method, stains, stains, name, 0, None)

    def write(self, path: str | Path) -> None:
        """Write the file described in docs/outputs.md, as a whole."""
        content: dict = {
            "section": self.section,
            "method": self.method,
            "fallback": self.fallback,
            "pixels": self.pixels,
            "reference_name": self.reference_name,
            "source": None if self.source is None else _to_dict(self.source),
            "reference": None if self.reference is None else _to_dict(self.reference),
            "version": FORMAT_VERSION,
        }
        transform = self.transform
        if transform is not None:
            content |= METHODS.load(self.method).details(transform)
        write_text(path, json.dumps(content, indent=2) + "\n")

    @classmethod
    def read(cls, path: str | Path) -> "SectionStain":
        """Read the file that `write` wrote.

        Raises
        ------
        InputError
            If the file is of another version of the format, is damaged, or its stains are degenerate.
        """
        with own_file(path):
            content = read_json(path)
            content.pop("version")
            # Written for people; the transform follows from source and reference.
            content.pop("matrix", None)
            check_field(content, STORED, "")
            method = content["method"]
            stains = {name: _from_dict(method, content.pop(name)) for name in ("source", "reference")}
            return cls(**content, **stains)


def fit_section(section: str, method: str, rgb: np.ndarray, reference: SectionStain | None) -> SectionStain:
    """Fit a section's stains, and leave the section as it is where that is not possible.

    Parameters
    ----------
    section
        The section's name.
    method
        Name of a method of `METHODS`.
    rgb
        Pixels from all over the section, uint8, shape (n, 3).
    reference
        The fit of the reference section or image; None for the published reference.

    Returns
    -------
    SectionStain
        With ``fallback`` saying why, where the section could not be fitted.

    Raises
    ------
    TypeError
        If the reference was fitted with another method.
    """
    fitting: StainMethod | None = METHODS.load(method)
    if fitting is None:
        return SectionStain(section, method, None, None, "none", 0, None)
    if reference is not None and reference.method != method:
        raise TypeError("source and reference were fitted with different methods")
    target = fitting.published if reference is None else reference.source
    name = "published" if reference is None else reference.section
    pixels = len(tissue_pixels(rgb))
    try:
        return SectionStain(section, method, fitting.fit(rgb), target, name, pixels, None)
    except StainFitError as reason:
        return SectionStain(section, method, None, target, name, pixels, str(reason))


def fit_reference(name: str, method: str, rgb: np.ndarray) -> SectionStain:
    """Fit the stains of the reference, to which everything else is normalised.

    Raises
    ------
    InputError
        If it cannot be fitted: a cohort normalised to a broken reference is worth nothing.
    """
    try:
        source = METHODS.load(method).fit(rgb)
    except StainFitError as reason:
        raise InputError(
            f"its stains cannot be fitted ({reason})",
            expected="a stain reference with H&E-stained tissue",
            action="name another stain.reference in config.yaml",
        ) from reason
    return SectionStain(name, method, source, source, name, len(tissue_pixels(rgb)), None)


def _to_dict(stains: object) -> dict:
    return {name: np.asarray(value).tolist() for name, value in vars(stains).items()}


def _from_dict(method: str, content: dict | None) -> object | None:
    """Stains by name of the array; they are checked as those of a fit are."""
    fitting: StainMethod | None = METHODS.load(method)
    if content is None:
        return None
    if fitting is None:
        raise InputError(f"stains although the method is {method}", expected="null")
    check_field(content, by_name(vars(fitting.published), ANYTHING), f"the stains of {method}")
    try:
        stains = fitting.stains(**{name: np.array(value, dtype=float) for name, value in content.items()})
        fitting.check(stains)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(
            f"its stains are not those of an H&E image ({error})",
            expected=f"stains as {method} estimates them",
            action="remove the file and run again; if a saved model carries them, train it again",
        ) from error
    return stains
