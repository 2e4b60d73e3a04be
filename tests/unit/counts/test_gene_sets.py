"""GMT files: read as they come, and refused in one sentence."""

import pytest

from ressat.base.errors import InputError
from ressat.counts.gene_sets import read_gene_sets


def written(folder, content):
    path = folder / "sets.gmt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_gmt_file_is_read(tmp_path):
    text = "HALLMARK_A\thttp://x\tCD74\tERBB2\tCD74\r\n\nB set\t\t \tKRT19\t\nC\t\tENSG00000000003.15"
    assert read_gene_sets(written(tmp_path, text)) == {
        "HALLMARK_A": ["CD74", "ERBB2"],
        "B set": ["KRT19"],
        "C": ["ENSG00000000003"],
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no set of genes"),
        ("CD74\nERBB2\n", "line 1 is no set of genes"),
        ("A\tx\tCD74\nB\tonly a description\n", "line 2 is no set of genes"),
        ("A\tx\tCD74\nA\tx\tERBB2\n", "two sets are called A"),
        (b"\xff\xfe\x00\x81", "it cannot be read as a GMT file"),
    ],
)
def test_what_is_no_gmt_file_is_refused_in_one_sentence(tmp_path, content, words):
    with pytest.raises(InputError) as refused:
        read_gene_sets(written(tmp_path, content))
    assert words in str(refused.value)
    assert "sets.gmt" in str(refused.value)
    assert "\n" not in str(refused.value)
