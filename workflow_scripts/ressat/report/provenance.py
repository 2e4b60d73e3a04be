"""How results were made, for the report: models, their training, settings, fingerprints of counts."""

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from ressat.report.maps import Prediction

# The folders in a path from the root, from home or from a variable.
PRIVATE_PATH = re.compile(r"(?:(?<=[\s\"'(])|^)(~|\$\w+|\$\{\w+\})?/(?:[^/\s:;,]+/)*(?=[^/\s:;,])")


def models(predictions: Sequence[Prediction]) -> list[dict]:
    """Return what each fold's predictions record of their model, with the sections predicted.

    ``elsewhere`` names those sections whose features other software had made, with its name.
    """
    by_fold: dict[str, dict] = {}
    for prediction in predictions:
        record = prediction.record
        trained_on = [str(name) for name in record["trained_on"]]
        row = by_fold.setdefault(
            record["fold"], {**record, "trained_on": trained_on, "sections": [], "elsewhere": {}}
        )
        row["sections"].append(record["section"])
        if record.get("made_elsewhere"):
            row["elsewhere"][record["section"]] = record["made_elsewhere"]
    return list(by_fold.values())


def training(fold: str, history: pd.DataFrame) -> dict:
    """Return at which step a fold's training ended, and out of how many it was chosen.

    Parameters
    ----------
    fold
        Name.
    history
        results/folds/{fold}/history.tsv.
    """
    last = history.groupby("stage")["step"].max()
    return {"fold": fold, "chosen": int(last["final"]), "tried": int(last["selection"]), "history": history}


def settings_table(config: Mapping) -> dict[str, dict[str, str]]:
    """Return settings as text, by group; of a path only its file name, since the page is shared."""

    def text(value: object) -> str:
        if isinstance(value, list):
            return ", ".join(text(item) for item in value) or "none"
        if isinstance(value, Mapping):
            return "; ".join(f"{name} {text(item)}" for name, item in value.items())
        if isinstance(value, bool) or value is None:
            return {True: "true", False: "false", None: "none"}[value]
        return re.split(r"[/\\]", str(value).rstrip("/\\"))[-1]

    single = {name: text(value) for name, value in config.items() if not isinstance(value, Mapping)}
    groups = {name: value for name, value in config.items() if isinstance(value, Mapping)}
    return {"study": single} | {
        group: {name: text(value) for name, value in values.items()} for group, values in groups.items()
    }


def missing_sections(rows: Sequence[Mapping]) -> list[dict]:
    """Return what is missing by section: ``section``, ``places`` (folds and sides) and ``reason``.

    Of absolute paths in reasons only the file name is left, since the page is shared.
    """
    sections: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        reason = PRIVATE_PATH.sub("", row["reason"])
        sections.setdefault((row["section"], reason), []).append(f"{row['side']} in fold {row['fold']}")
    return [
        {"section": section, "places": ", ".join(places), "reason": reason}
        for (section, reason), places in sections.items()
    ]


def fingerprints(folds: Sequence[pd.DataFrame]) -> dict[str, str]:
    """Return the SHA-256 of each section's counts, from results/folds/{fold}/sections.tsv of all folds."""
    return {row.section: row.counts_sha256 for table in folds for row in table.itertuples()}
