"""A small study's sheet with its files, none of which is ever read."""

from collections.abc import Callable

import pytest

from ressat.base.errors import InputError
from ressat.workflow.study import Study

SHEET = """sample\tslide\texpression\tspots\tpatient\trole
A1\tdata/A1.svs\tdata/A1/outs\t\tA\ttrain
B1\tdata/B1.jpg\tdata/B1.tsv.gz\tdata/B1_spots.tsv\tB\ttrain
C1\tdata/C1.svs\tdata/C1.h5ad\t\tC\ttest
X\tdata/X.svs\t\t\tA\tpredict
"""
UNLABELLED = "sample\tslide\trole\nX\tdata/X.svs\tpredict\n"
FILES = [
    "A1.svs", "B1.jpg", "C1.svs", "X.svs", "C1.h5ad", "B1.tsv.gz", "B1_spots.tsv", "reference.png",
    "A1/outs/filtered_feature_bc_matrix.h5", "A1/outs/spatial/tissue_positions.csv",
    "A1/outs/spatial/scalefactors_json.json", "weights.pth", "genes.txt", "model.pt",
]  # fmt: skip

Load = Callable[..., Study]


def refusal(load: Load, *sheet: str, **settings: object) -> str:
    with pytest.raises(InputError) as caught:
        load(*sheet, **settings)
    assert caught.value.file
    assert caught.value.action
    return str(caught.value)
