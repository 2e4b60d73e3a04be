"""The file of gene sets that the setting ``signatures`` names. Standard library only."""

import os
from collections.abc import Mapping

from ressat.base.errors import InputError, about
from ressat.base.names import alike_path_hint
from ressat.base.path_kind import dead_link, refuse_special
from ressat.counts.gene_sets import EXPECTED, read_gene_sets
from ressat.workflow.user_paths import expand_path


def signatures_file(config: Mapping, config_file: str) -> str | None:
    """Return the path of the gene sets; None without the setting."""
    if config["signatures"] is None:
        return None
    with about(file=config_file):
        return expand_path(config["signatures"], "signatures")


def check_signatures_file(path: str | None, config_file: str) -> None:
    """Refuse a file of gene sets that is missing or none.

    Raises
    ------
    InputError
        Saying what it is.
    """
    if path is None:
        return
    with about(file=config_file):
        refuse_special(path)
        if not os.path.isfile(path):
            what = "a folder" if os.path.isdir(path) else dead_link(path)
            raise InputError(
                f"signatures is {path}, and there is no such file" + (f": {what}" if what else ""),
                expected=EXPECTED,
                action=alike_path_hint(path) or "correct it; a path is taken relative to the study's folder",
            )
    read_gene_sets(path)
