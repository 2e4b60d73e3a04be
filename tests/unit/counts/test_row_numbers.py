"""Names that are the numbers of rows are no names, and the column that has these is found."""

import pandas as pd
import pytest

from ressat.counts.row_numbers import are_row_numbers, column_of_names

ENTREZ = ["7157", "2064", "2099", "4288", "920", "60", "100506658"]


def numbers(first: int, last: int, form: str = "{}") -> list[str]:
    return [form.format(number) for number in range(first, last)]


@pytest.mark.parametrize(
    "names",
    [
        numbers(0, 60),
        numbers(1, 61),
        numbers(0, 60)[::-1],
        numbers(0, 120, "{:05d}"),
        numbers(0, 9, "{}.0"),
        numbers(1, 31, "V{}"),
        numbers(0, 30, "X{}"),
        numbers(0, 60)[::2] + numbers(0, 60)[1::3],  # some rows were left out
        numbers(0, 20) + numbers(0, 20),  # two tables, one after the other
        numbers(0, 33_000)[::50],
    ],
)
def test_row_numbers_are_told(names):
    assert are_row_numbers(names)


@pytest.mark.parametrize(
    "names",
    [
        ENTREZ,
        [str(7 * number + 3) for number in range(40)],
        [str(number * 311) for number in range(20_000)],  # ids of NCBI, of all genes
        ["TP53", *numbers(1, 60)],
        numbers(0, 30, "Gene{}"),
        numbers(0, 30, "ENSG{:011d}"),
        ["V1"],
        [],
    ],
)
def test_names_and_ids_are_no_row_numbers(names):
    assert not are_row_numbers(names)


VAR = pd.DataFrame(
    {
        "mt": [False, True, False],
        "mean": ["0.5", "0.25", "1.5"],
        "genome": ["GRCh38"] * 3,
        "biotype note": ["a", "b", "c"],
        "features": ["TP53", "MT-CO1", "ACTB"],
    }
)


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (list(VAR.columns), "features"),
        (["biotype note", "mean"], "biotype note"),
        (["mt", "mean", "genome"], None),
        ([], None),
    ],
)
def test_the_column_of_names_is_found(columns, name):
    assert column_of_names(VAR[columns]) == name


@pytest.mark.parametrize("kind", ["category", "string", object])
def test_texts_of_any_kind_may_be_names(kind):
    assert column_of_names(VAR[["features"]].astype(kind)) == "features"
