import json

import pytest

from ressat.base.errors import InputError
from ressat.base.files import FORMAT_VERSION
from ressat.report import interaction

DRAWN = [{"fold": "all", "section": "H1"}, {"fold": "holdout", "section": "X1"}]


def files(tmp_path, interaction, expression, version=FORMAT_VERSION):
    rows = [f"s{i}\t{a}\t{b}" for i, (a, b) in enumerate(zip(interaction, expression, strict=True))]
    (tmp_path / "X1.tsv").write_text(
        "\n".join(["spot\tinteraction_cluster\texpression_cluster", *rows]) + "\n"
    )
    (tmp_path / "X1.json").write_text(json.dumps({"fold": "holdout", "section": "X1", "version": version}))
    return [tmp_path / "X1.tsv"], [tmp_path / "X1.json"], DRAWN


def test_clusters_that_share_most_spots_share_a_number(tmp_path):
    (found,) = interaction.read(*files(tmp_path, [1, 1, 1, 2, 2, 3], [2, 2, 2, 1, 1, 3]))
    assert found["place"] == 1
    assert found["interaction"] == [1, 1, 1, 2, 2, 3]
    assert found["expression"] == [1, 1, 1, 2, 2, 3]


def test_a_cluster_without_a_partner_takes_a_number_of_its_own(tmp_path):
    (found,) = interaction.read(*files(tmp_path, [1, 1, 1, 1], [1, 1, 2, 3]))
    assert found["expression"][:2] == [1, 1]
    assert sorted(set(found["expression"])) == [1, 2, 3]


def test_spots_without_a_cluster_have_none(tmp_path):
    (found,) = interaction.read(*files(tmp_path, ["nan", 1, 1], ["nan", "nan", 1]))
    assert found["interaction"] == [0, 1, 1]
    assert found["expression"] == [0, 0, 1]


def test_results_of_another_version_are_refused(tmp_path):
    with pytest.raises(InputError):
        interaction.read(*files(tmp_path, [1], [1], version=1))
