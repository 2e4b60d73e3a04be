import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from ressat.base.errors import InputError
from ressat.counts.parquet_file import read_flat_columns, refuse_swollen_parquet

NAMES = ["barcode", "x"]


@pytest.fixture
def write(tmp_path):
    def write(columns: dict, **options: object) -> str:
        parquet.write_table(pa.table(columns), tmp_path / "a.parquet", **options)
        return str(tmp_path / "a.parquet")

    return write


def repeated(text: str, times: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(times, "i4"), [text])


def test_columns_are_read_by_name_and_texts_as_texts(write):
    file = write({"more": [1, 2], "x": [0.5, None], "barcode": ["A", "B"]})
    table = read_flat_columns(file, NAMES)
    assert table["barcode"].tolist() == ["A", "B"]
    assert table["x"][0] == 0.5
    assert list(read_flat_columns(write({"x": [1], "y": [2]}), NAMES).columns) == ["x", "y"]
    table = read_flat_columns(write({"barcode": repeated("A", 3), "x": ["1", "2", "1"]}), NAMES)
    assert table.to_dict("list") == {"barcode": ["A"] * 3, "x": ["1", "2", "1"]}


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"barcode": repeated("A", 2_000_000), "x": np.zeros(2_000_000)}, {}, "2000000 rows of 2 columns"),
        ({f"c{i}": [0] for i in range(1001)}, {}, "1 rows of 1001 columns"),
        (
            {"x": ["\0" * (300 << 20)]},
            {"compression": "zstd", "use_dictionary": False},
            "315 MB, in a file of",
        ),
    ],
)
def test_more_than_a_file_of_its_size_can_hold_is_refused(write, columns, options, said):
    with pytest.raises(InputError, match=said):
        refuse_swollen_parquet(write(columns, **options))


@pytest.mark.parametrize("text", ["A" * 100_000, "é" * 150])
def test_a_long_text_is_refused_before_it_is_repeated(write, text):
    with pytest.raises(InputError, match="a barcode of"):
        read_flat_columns(write({"barcode": repeated(text, 500_000), "x": np.zeros(500_000)}), NAMES)


@pytest.mark.parametrize("cells", [[[1, 2]], [{"a": 1}]])
def test_a_column_of_lists_is_refused(write, cells):
    with pytest.raises(InputError, match="the column x holds"):
        read_flat_columns(write({"barcode": ["A"], "x": cells}), NAMES)
