"""Params in Snakemake's own report, which puts them in its page without escaping. Standard library only."""

import json


def as_shown(value: object) -> str:
    """Return a param's value as JSON in which no text can end the script of the page that it stands in.

    The rule's script gets the value back with ``json.loads``. Rules give it as a function: in other text
    Snakemake fills in what stands in braces.
    """
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
