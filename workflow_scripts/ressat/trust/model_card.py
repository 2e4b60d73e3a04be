"""The card of a model that is shared, in the form of Hugging Face's model cards."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import jinja2

from ressat.encoders.layer_names import encoders_of
from ressat.encoders.untrained import is_untrained
from ressat.evaluation.protocol import caveat
from ressat.model.bundle import Bundle
from ressat.model.reliability import NOT_TESTED, TESTED, USABLE

TEMPLATES = Path(__file__).resolve().parent / "templates"
# So many of the best genes are named.
NAMED = 12


def model_card(
    bundle: Bundle,
    encoders: Mapping[str, Mapping[str, str]],
    scores: Iterable[Mapping[str, object]],
    *,
    is_itself_tested: bool,
) -> str:
    """Write what a model is for, what it learnt from, how good it is, and what it must not be used for.

    Parameters
    ----------
    bundle
        The model, with its reliability.
    encoders
        ``title``, ``licence`` and ``page`` of those of the study, by name; the first is that of plain layers.
    scores
        Of the study's tests, see `ressat.trust.reliability.study_scores`; none where nothing was tested.
    is_itself_tested
        Whether a tested model learnt from the very same sections, and is the same.

    Returns
    -------
    str
        Markdown without paths, with a header in YAML.
    """
    known = bundle.reliability
    order = sorted(
        (place for place, verdict in enumerate(known.genes["verdict"]) if verdict == USABLE),
        key=lambda place: -known.genes["pearson"][place],
    )
    counts = {
        "usable": len(order),
        "not_tested": known.genes["verdict"].count(NOT_TESTED),
        "all": len(bundle.genes),
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|")
    read = encoders_of(bundle.trained.head.inputs.layers) or list(encoders)[:1]
    patients = list(dict.fromkeys(bundle.provenance["patients"].values()))
    return environment.get_template("model_card.md.j2").render(
        bundle=bundle,
        provenance=bundle.provenance,
        requires=bundle.requires,
        patients=patients,
        encoders=[encoders[name] for name in read],
        scores=list(scores),
        known=known,
        is_tested=known.source == TESTED,
        is_itself_tested=is_itself_tested,
        caveat=caveat(known.protocol, len(known.patients)),
        is_untrained=is_untrained([bundle.provenance["encoder"]]),
        counts=counts,
        best=[(bundle.genes[place], known.genes["pearson"][place]) for place in order[:NAMED]],
        # A new patient is one more of those that were tested.
        claimed=len(known.patients) / (len(known.patients) + 1),
    )
