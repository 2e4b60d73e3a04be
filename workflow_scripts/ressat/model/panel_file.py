"""Reading results/folds/{fold}/genes.tsv, the gene panel."""

from pathlib import Path

import pandas as pd

from ressat.base.errors import about
from ressat.base.own_file import damaged
from ressat.base.tables import read_table
from ressat.evaluation.panels import PANELS
from ressat.model.text_columns import PANEL


def read_panel(path: str | Path) -> pd.DataFrame:
    """Read the panel that `ressat.model.panel.select_genes` chose.

    Raises
    ------
    InputError
        If it is not whole: it lacks a column, names no gene or one twice, or its ranks, which are places
        among its own genes, have gaps.
    """
    panel = read_table(path, PANEL)
    with about(file=path):
        if panel.empty:
            raise damaged("it names no gene")
        if not panel["gene"].is_unique:
            raise damaged(f"gene {panel.loc[panel['gene'].duplicated(), 'gene'].iloc[0]} is there twice")
        for name in PANELS.values():
            if name not in panel:
                raise damaged(f"the column {name} is missing")
            ranks = sorted(panel[name].dropna())
            if ranks != list(range(1, len(ranks) + 1)):
                raise damaged(f"genes are missing: the places in {name} are not 1 to {len(ranks)}")
    return panel
