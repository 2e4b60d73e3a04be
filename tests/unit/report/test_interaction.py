import json

import pytest

from ressat.base.errors import InputError
from ressat.base.files import FORMAT_VERSION
from ressat.report import interaction as interaction_report

DRAWN = [{"fold": "all", "section": "H1"}, {"fold": "holdout", "section": "X1"}]


def files(tmp_path, interaction, expression, version=FORMAT_VERSION):
    rows = [f"s{i}\t{a}\t{b}" for i, (a, b) in enumerate(zip(interaction, expression, strict=True))]
    (tmp_path / "X1.tsv").write_text(
        "\n".join(["spot\tinteraction_cluster\texpression_cluster", *rows]) + "\n\n"
    )
    summary = {
        **dict.fromkeys(interaction_report.COUNTS, 3),
        "fold": "holdout",
        "section": "X1",
        "spots": len(rows),
        "adjusted_rand": None,
        "median_neighbours": 2.5,
        "version": version,
    }
    (tmp_path / "X1.json").write_text(json.dumps(summary))
    return [tmp_path / "X1.tsv"], [tmp_path / "X1.json"], DRAWN


def test_clusters_that_share_most_spots_share_a_number(tmp_path):
    (found,) = interaction_report.read(*files(tmp_path, [1, 1, 1, 2, 2, 3], [2, 2, 2, 1, 1, 3]))
    assert found["place"] == 1
    assert found["interaction"] == [1, 1, 1, 2, 2, 3]
    assert found["expression"] == [1, 1, 1, 2, 2, 3]


def test_a_cluster_without_a_partner_takes_a_number_of_its_own(tmp_path):
    (found,) = interaction_report.read(*files(tmp_path, [1, 1, 1, 1], [1, 1, 2, 3]))
    assert found["expression"][:2] == [1, 1]
    assert sorted(set(found["expression"])) == [1, 2, 3]


def test_spots_without_a_cluster_have_none(tmp_path):
    (found,) = interaction_report.read(*files(tmp_path, ["nan", 1, 1], ["nan", "nan", 1]))
    assert found["interaction"] == [0, 1, 1]
    assert found["expression"] == [0, 0, 1]


def test_results_of_another_version_are_refused(tmp_path):
    with pytest.raises(InputError, match="file format version 1"):
        interaction_report.read(*files(tmp_path, [1], [1], version=1))


def test_a_table_of_other_spots_than_its_summary_counts_is_refused(tmp_path):
    tables, summaries, drawn = files(tmp_path, [1, 2, 2], [1, 1, 2])
    lines = tables[0].read_text().splitlines(keepends=True)
    tables[0].write_text("".join([*lines[:2], *lines[3:]]))
    with pytest.raises(InputError, match=r"X1\.tsv: it has 2 spots, and .*X1\.json says 3; .* run again"):
        interaction_report.read(tables, summaries, drawn)


@pytest.mark.parametrize(
    ("name", "value"), [("spots", "many"), ("clusters", None), ("adjusted_rand", 7), ("genes", -1)]
)
def test_a_summary_that_cannot_be_is_refused(tmp_path, name, value):
    tables, (summary,), drawn = files(tmp_path, [1], [1])
    summary.write_text(json.dumps(json.loads(summary.read_text()) | {name: value}))
    with pytest.raises(InputError, match=rf"X1\.json: {name} is .*; remove it and run again"):
        interaction_report.read(tables, [summary], drawn)
