"""Which members of the registries a study uses, and what the report says of them."""

from collections.abc import Callable, Iterable

from ressat.counts.formats.registry import FORMATS
from ressat.workflow.code_version import versions_of
from ressat.workflow.study import Study


def members_of(study: Study, sample: str | None = None) -> dict[str, tuple[str, ...]]:
    """Names of the members of each registry that are used, by the registry's folder.

    Parameters
    ----------
    study
        The study whose settings name them.
    sample
        The section whose format of counts is meant, so that a section added in another format changes nothing
        for the others; None for the formats of all sections.
    """
    formats = _formats(study, [sample] if sample else study.sections)
    return {
        "counts/formats": formats,
        "counts/readers": formats,
        "stain/methods": (study.config["stain"]["method"],),
        # An encoder of the user's own is a file of the study.
        "encoders": () if study.encoder.definition else (study.encoder.name,),
        "encoders/families": (study.encoder.family,),
        "workflow/schemes": (study.scheme.name,),
    }


def section_versions(study: Study) -> Callable[[str, str], str]:
    """Return a function that gives a script's version for a section, whose format of counts alone matters."""
    by_formats: dict[tuple[str, ...], Callable[[str], str]] = {}

    def version(script: str, sample: str) -> str:
        members = members_of(study, sample)
        formats = members["counts/formats"]
        if formats not in by_formats:
            by_formats[formats] = versions_of(members)
        return by_formats[formats](script)

    return version


def words_of(study: Study) -> dict:
    """What the report's methods say of the counts, the encoder and the scheme, each with its citation."""
    formats = [FORMATS.load(name) for name in _formats(study, study.sections)]
    published = study.encoder.published.get(study.config["features"]["weights"])
    return {
        "counts": [(format.words, format.citation) for format in formats],
        "encoder": (study.encoder.words, study.encoder.citation),
        "encoder_title": study.encoder.title,
        "weights": published and (published.words, published.citation),
        # Where weights come from that are not downloaded here.
        "source": None if study.encoder.published or study.encoder.definition else study.encoder.page,
        "scheme": study.scheme.words,
    }


def _formats(study: Study, samples: Iterable[str]) -> tuple[str, ...]:
    """Names of the formats that the counts of some sections are in."""
    return tuple(sorted({study.counts[name].format for name in samples if name in study.counts}))
