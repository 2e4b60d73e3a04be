"""docs/outputs.md and the files say the same."""

import json
import re

import anndata
import pandas as pd
import pytest

from ressat.evaluation.encoders import COLUMNS

ENCODERS = "evaluation/encoders.tsv"


def documented(repository) -> dict[str, list[str]]:
    """Columns of every table that the document describes, by path."""
    text = (repository / "docs/outputs.md").read_text(encoding="utf-8")
    found = {}
    for section in re.split(r"(?m)^#+ ", text)[1:]:
        title, _, body = section.partition("\n")
        if title.endswith(".tsv"):
            first = re.findall(r"(?m)^\| (`[^|]*) \|", body)
            found[title] = [name for cell in first for name in re.findall(r"`(\w+)`", cell)]
    return found


def test_every_table_is_described_and_every_description_is_of_a_table(repository, micro):
    written = set()
    for file in (micro / "results").rglob("*.tsv"):
        path = re.sub(r"^folds/[^/]+/", "folds/{fold}/", str(file.relative_to(micro / "results")))
        path = re.sub(r"^(interaction|novelty)/\w+/\w+", r"\1/{fold}/{sample}", path)
        written.add(re.sub(r"^(ceiling|expression)/\w+", r"\1/{sample}", path))
    # The micro-study has one encoder; tests/workflow/test_encoders.py makes the table of several.
    assert written | {ENCODERS} == set(documented(repository))


def test_tables_have_the_columns_described_in_their_order(repository, micro):
    described = documented(repository)
    assert described.pop(ENCODERS) == COLUMNS
    assert len(described) == 14
    for path, columns in described.items():
        file = micro / "results" / path.format(fold="holdout", sample="M2")
        assert list(pd.read_csv(file, sep="\t").columns) == columns, path


@pytest.mark.parametrize(
    ("folder", "part"), [("predictions", "layers"), ("predictions", "var"), ("baselines", "layers")]
)
def test_anndata_files_have_the_parts_described(repository, micro, folder, part):
    text = (repository / "docs/outputs.md").read_text(encoding="utf-8")
    body = text.split(f"## {folder}/{{fold}}/{{sample}}.h5ad")[1].split("\n##")[0]
    line = next(line for line in body.splitlines() if part in line)
    adata = anndata.read_h5ad(micro / f"results/{folder}/holdout/M2.h5ad")
    for name in getattr(adata, part):
        assert f"`{name}`" in body, name
    assert part in line


def test_what_predictions_record_is_described(repository, micro):
    text = (repository / "docs/outputs.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("| `uns['ressat']` | `headline`"))
    adata = anndata.read_h5ad(micro / "results/predictions/holdout/M2.h5ad")
    assert set(re.findall(r"`(\w+)`", line)) == set(adata.uns["ressat"])


def test_the_summary_of_novelty_is_described(repository, micro):
    text = (repository / "docs/outputs.md").read_text(encoding="utf-8")
    body = text.split("### novelty/{fold}/{sample}.json")[1].split("\n#")[0]
    summary = json.loads((micro / "results/novelty/holdout/M2.json").read_text())
    assert set(re.findall(r"`(\w+)`", body)) == set(summary)


def test_the_summary_of_interaction_is_described(repository, micro):
    text = (repository / "docs/outputs.md").read_text(encoding="utf-8")
    body = text.split("### interaction/{fold}/{sample}.json")[1].split("\n#")[0]
    summary = json.loads((micro / "results/interaction/holdout/M2.json").read_text())
    assert set(re.findall(r"`(\w+)`", body)) == set(summary)
