"""Which members of the registries a study uses, and what the report says of them."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from ressat.counts.formats.registry import FORMATS
from ressat.encoders.encoder import RANDOM
from ressat.workflow.code_version import versions_of
from ressat.workflow.study import Study
from ressat.workflow.study_encoder import StudyEncoder


def members_of(
    study: Study, sample: str | None = None, encoders: Iterable[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """Names of the members of each registry that are used, by the registry's folder.

    Parameters
    ----------
    study
        The study whose settings name them.
    sample
        The section whose format of counts is meant, so that a section added in another format changes nothing
        for the others; None for the formats of all sections.
    encoders
        Names of the encoders that are meant, so that a further encoder changes nothing for the others; None
        for those that the model reads.
    """
    formats = _formats(study, [sample] if sample else study.sections)
    read = [study.encoders[name].description for name in encoders or study.encoders_read]
    return {
        "counts/formats": formats,
        "counts/readers": formats,
        "stain/methods": (study.config["stain"]["method"],),
        # An encoder of the user's own is a file of the study.
        "encoders": tuple(dict.fromkeys(one.name for one in read if not one.definition)),
        "encoders/families": tuple(dict.fromkeys(one.family for one in read)),
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


def encoder_versions(study: Study) -> Callable[[str, str], str]:
    """Return a function that gives a script's version for an encoder of the study, which alone matters."""
    by_encoder = {name: versions_of(members_of(study, encoders=[name])) for name in study.encoders}
    return lambda script, encoder: by_encoder[encoder](script)


def words_of(study: Study) -> dict:
    """What the report's methods say of the counts, the encoder and the scheme, each with its citation."""
    formats = [FORMATS.load(name) for name in _formats(study, study.sections)]
    return {
        "counts": [(format.words, format.citation) for format in formats],
        "encoders": {name: _encoder_words(study.encoders[name]) for name in study.encoders_read},
        # By the comparison, where there is one.
        "compared": {name: _encoder_words(encoder) for name, encoder in study.encoders.items()}
        if len(study.encoders) > 1 and study.tested
        else {},
        "scheme": study.scheme.words,
    }


def licences_of(study: Study) -> dict[str, dict[str, str]]:
    """Return title, licence and page of the encoders that the model may read, by name."""
    read = {name: study.encoders[name].description for name in study.encoders_read}
    return {
        name: {"title": one.title, "licence": one.licence, "page": one.page} for name, one in read.items()
    }


def _encoder_words(encoder: StudyEncoder) -> dict:
    description = encoder.description
    published = description.published.get(encoder.settings["weights"])
    return {
        "title": description.title,
        "network": Path(description.definition).name if description.definition else description.name,
        "words": (description.words, description.citation),
        "weights": published and (published.words, published.citation),
        "file": encoder.weights and re.split(r"[/\\]", encoder.weights)[-1],
        # Where weights come from that are not downloaded here.
        "source": None if description.published or description.definition else description.page,
        "is_random": encoder.settings["weights"] == RANDOM,
    }


def _formats(study: Study, samples: Iterable[str]) -> tuple[str, ...]:
    """Names of the formats that the counts of some sections are in."""
    return tuple(sorted({study.counts[name].format for name in samples if name in study.counts}))
