"""Every section's genes go by the names that the study chose, and what is lost on the way is listed."""

import anndata.utils
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ressat.base.errors import InputError, about
from ressat.counts.gene_names import study_genes, unique_names

GENES = pd.DataFrame(
    {
        "name": ["TP53", "TBCE", "TBCE", "NEW1"],
        "symbol": ["TP53", "TBCE", "TBCE", "NEW1"],
        "ensembl": ["ENSG00000141510.18", "ENSG00000284770", "ENSG00000116957.13", None],
    }
)


def table(names: list[str], symbols: list | None = None, ids: list | None = None) -> pd.DataFrame:
    return pd.DataFrame({"name": names, "symbol": symbols, "ensembl": ids})


def test_symbols_are_taken_and_repeated_ones_made_unique():
    named = study_genes(GENES, "symbol")
    assert list(named.names) == ["TP53", "TBCE", "TBCE-1", "NEW1"]
    assert named.has_name.all()
    assert named.changes.to_dict("records") == [
        {
            "name": "TBCE",
            "gene": "TBCE-1",
            "change": "renamed",
            "reason": "the name stands there more than once",
        }
    ]


def test_ids_are_taken_without_version_and_genes_without_one_are_dropped():
    named = study_genes(GENES, "ensembl")
    assert list(named.names) == ["ENSG00000141510", "ENSG00000284770", "ENSG00000116957"]
    assert list(named.has_name) == [True, True, True, False]
    assert named.changes.to_dict("records") == [
        {"name": "NEW1", "gene": "", "change": "dropped", "reason": "no Ensembl id"}
    ]


@pytest.mark.parametrize("odd", ["w<1118>", "<b>Adh</b>", "A->B", "\ue000X", "G" * 201])
@pytest.mark.parametrize("ids", ["symbol", "ensembl"])
def test_genes_that_no_saved_model_can_hold_are_left_out(caplog, odd, ids):
    named = study_genes(table(["A", odd, "l(2)gl"], ["A", odd, "l(2)gl"], ["A", odd, "l(2)gl"]), ids)
    assert list(named.names) == ["A", "l(2)gl"]
    assert list(named.has_name) == [True, False, True]
    assert list(named.changes["reason"]) == ["a name that no model can hold"]
    assert "1 genes are left out" in caplog.text


def test_ids_that_are_the_only_names_serve_as_ids():
    ids = ["ENSMUSG00000064339.1", "ENSMUSG00000064340.2"]
    assert list(study_genes(table(ids), "ensembl").names) == [name[:-2] for name in ids]


def test_ids_of_flies_are_taken_as_they_are():
    named = study_genes(table(["Ubx"], ["Ubx"], ["FBgn0003944"]), "ensembl")
    assert list(named.names) == ["FBgn0003944"]


def test_ids_where_symbols_are_asked_for_are_refused():
    said = r"section A1: A1\.tsv: of its 2 genes"
    with pytest.raises(InputError, match=said) as caught, about(section="A1", file="A1.tsv"):
        study_genes(table(["ENSG00000141736.1", "ENSG00000141737.1"]), "symbol")
    assert "only 0 have a symbol" in caught.value.problem
    assert "genes.ids: ensembl" in caught.value.action


def test_symbols_where_ids_are_asked_for_are_refused():
    with pytest.raises(InputError, match="only 0 have an Ensembl id") as caught:
        study_genes(table(["TP53", "ACTB"]), "ensembl")
    assert "genes.ids: symbol" in caught.value.action


def test_a_few_genes_without_symbol_go_by_their_id():
    genes = table(["TP53", "ACTB", "ENSG00000284770"], ["TP53", "ACTB", "ENSG00000284770"])
    assert list(study_genes(genes, "symbol").names) == list(genes["name"])


@settings(deadline=None, derandomize=True, database=None, max_examples=200)
@given(st.lists(st.sampled_from(["A", "B", "A-1", "A-2", "A-1-1"]), min_size=1, max_size=12))
@pytest.mark.filterwarnings("ignore:Suffix used")
def test_names_are_made_unique_as_scanpy_does(names):
    assert list(unique_names(pd.Index(names))) == list(anndata.utils.make_index_unique(pd.Index(names)))


@pytest.mark.parametrize(
    ("column", "ids", "names"),
    [
        ("symbol", "symbol", ["0", "1", "2", "3"]),
        ("ensembl", "ensembl", ["1", "2", "3", "4"]),
        ("symbol", "symbol", ["0003", "0001", "0002", "0000"]),
    ],
)
def test_row_numbers_are_refused_whatever_the_format(column, ids, names):
    said = f"section A1: A1/outs: its 4 genes are called {', '.join(names[:3])} ..., which are row numbers"
    with pytest.raises(InputError, match=said), about(section="A1", file="A1/outs"):
        study_genes(GENES.assign(**{column: names}), ids)


@pytest.mark.parametrize(
    ("written", "name"),
    [("TP53\u200b", "TP53"), (" Dl\u00a0", "Dl"), ("\ufeffdl", "dl"), ("\uff21ctb", "Actb")],
)
def test_the_form_of_a_name_is_no_part_of_it(written, name):
    assert list(study_genes(table([written, "x"], [written, "x"]), "symbol").names) == [name, "x"]


@pytest.mark.parametrize("names", [["dl", "Dl"], ["Gapdh", "GAPDH"]])
def test_genes_that_differ_in_case_are_two(names):
    named = study_genes(table(names, names), "symbol")
    assert (list(named.names), len(named.changes)) == (names, 0)


def test_names_that_are_the_same_but_for_form_are_repeated_names():
    names = ["TP53", "TP53\u200b"]
    assert list(study_genes(table(names, names), "symbol").names) == ["TP53", "TP53-1"]


@pytest.mark.parametrize(
    "dates", [["1-Mar", "2-Sep"], ["01-DEC"], ["2023-03-01", "2001-09-02 00:00:00"], ["1-Mar", "1-Mar"]]
)
def test_dates_that_a_spreadsheet_made_of_genes_are_warned_of(dates, caplog):
    caplog.set_level("WARNING", logger="ressat")
    named = study_genes(table(["TP53", "ACTB", *dates], ["TP53", "ACTB", *dates]), "symbol")
    assert len(named.names) == 2 + len(dates)
    assert caplog.messages[0].startswith(f"{len(dates)} genes are called like dates ({', '.join(dates)})")


@pytest.mark.parametrize("names", [["SEPT2", "MARCH1"], ["sep-1", "HLA-A"], ["1-8U", "7-Mary"]])
def test_genes_that_are_no_dates_are_not_warned_of(names, caplog):
    caplog.set_level("WARNING", logger="ressat")
    study_genes(table(names, names), "symbol")
    assert caplog.messages == []
