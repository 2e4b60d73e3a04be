"""Wrong counts are found before features are extracted, and so are leaks; neither is ever scored."""

import shutil
from pathlib import Path

import anndata
import pytest
import tifffile
import yaml

from ressat.checks.record import CheckRecord
from ressat.tiles.table import Tiles
from studies import copy_study


@pytest.fixture
def study(micro, tmp_path) -> Path:
    """The micro-study from files: two labelled sections of AnnData counts beside their slides."""
    study = copy_study(micro, tmp_path / "study")
    config = yaml.safe_load((study / "config.yaml").read_text())
    del config["simulate"]
    write_config(study, config)
    rows = ["sample\tslide\texpression\tpatient\trole"]
    for name, patient, role in (("M1", "P1", "train"), ("M2", "P2", "test")):
        shutil.copy(micro / f"results/expression/{name}.h5ad", study / f"{name}.h5ad")
        shutil.copy(micro / f"data/{name}/slide.tiff", study / f"{name}.tiff")
        rows.append(f"{name}\t{name}.tiff\t{name}.h5ad\t{patient}\t{role}")
    (study / "samples.tsv").write_text("\n".join(rows) + "\n")
    return study


def write_config(study: Path, config: dict) -> None:
    (study / "config.yaml").write_text(yaml.safe_dump(config))


def change(file: Path, change: object) -> None:
    adata = anndata.read_h5ad(file)
    change(adata).write_h5ad(file)


def refused(snakemake, study: Path, *targets: str, **how: object) -> str:
    output = snakemake(study, *targets, succeeds=False, **how).output
    assert "Traceback" not in output
    return output


def test_too_few_spots(snakemake, study):
    change(study / "M2.h5ad", lambda adata: adata[:19].copy())
    output = refused(snakemake, study, "results/tiles/M2.h5")
    assert "section M2: M2.h5ad: 19 spots with counts; expected at least 20" in output
    assert not (study / "results/tiles/M2.h5").exists()


def test_spots_beyond_the_image_are_left_out_by_every_step(snakemake, study):
    """The scan of M2 begins 120 px further right: its first two spots lie beyond the edge."""
    image = tifffile.imread(study / "M2.tiff")[:, 120:]
    tifffile.imwrite(study / "M2.tiff", image, photometric="rgb", tile=(256, 256), metadata=None)

    def moved(adata):
        adata.obsm["spatial"] = adata.obsm["spatial"] - [120, 0]
        return adata

    change(study / "M2.h5ad", moved)
    spots = anndata.read_h5ad(study / "M2.h5ad").obsm["spatial"]
    beyond = int((spots[:, 0] < 0).sum())
    assert 0 < beyond < 0.1 * len(spots)
    run = snakemake(study, "results/tiles/M2.h5", "check")
    checked = CheckRecord.read(study / "results/checks/M2.json")
    found = anndata.read_h5ad(study / "results/expression/M2.h5ad")
    tiles = Tiles.read(study / "results/tiles/M2.h5")
    assert (checked.spots, checked.beyond_image) == (len(spots) - beyond, beyond)
    assert found.n_obs == len(tiles.coords) == len(spots) - beyond
    assert tiles.barcodes.tolist() == found.obs_names.tolist()
    assert found.uns["ressat"]["spots_left_out"]["beyond the image"] == beyond
    assert f"{len(spots) - beyond} (+ {beyond} beyond image)" in run.output
    assert f"- section M2: {beyond} of its {len(spots)} spots lie outside the image" in run.output


def renamed(pattern: str) -> object:
    def rename(adata):
        adata.var_names = [pattern.format(i) for i in range(adata.n_vars)]
        return adata

    return rename


def test_gene_names_of_another_kind(snakemake, study):
    change(study / "M2.h5ad", renamed("ENSG{:011d}.1"))
    output = refused(snakemake, study)
    assert "section M2: M2.h5ad: of its" in output
    assert "only 0 have a symbol in its files; expected symbols, since genes.ids is symbol" in output
    assert not (study / "results/features/M2.h5").exists()


def test_genes_of_another_species(snakemake, study):
    change(study / "M2.h5ad", renamed("Other{}"))
    output = refused(snakemake, study)
    assert "section M2: M2.h5ad: of its" in output
    assert "(Other0, Other1, Other2 ...), 0 are among the" in output
    assert "of section M1 (" in output
    assert not (study / "results/features").exists()


def test_counts_that_nobody_can_read_keep_no_other_section_from_its_features(snakemake, study):
    # M1 is the first section, whose gene names the others must share.
    (study / "M1.h5ad").write_text("no HDF5")
    features = [f"results/features/{name}.h5" for name in ("M1", "M2")]
    output = refused(snakemake, study, *features, "--keep-going")
    assert "section M1: M1.h5ad" in output
    assert [(study / file).exists() for file in features] == [False, True]


def test_listed_genes_that_the_counts_do_not_have(snakemake, study):
    config = yaml.safe_load((study / "config.yaml").read_text())
    write_config(study, config | {"genes": {"method": "list", "list": "panel.txt"}})
    (study / "panel.txt").write_text("NOISE01\nERBB2\n")
    output = refused(snakemake, study)
    assert not (study / "results/features").exists()
    assert "section M1: " in output
    assert "1 of the 2 genes of panel.txt (ERBB2) are not among its" in output


@pytest.mark.parametrize("part", ["tiff", "h5ad"])
def test_one_file_under_two_names(snakemake, study, part):
    shutil.copy(study / f"M1.{part}", study / f"M2.{part}")
    output = refused(snakemake, study)
    shared = {"tiff": "their slide, with overlapping tiles", "h5ad": "the counts of 48 spots"}[part]
    assert f"sections M1 and M2 share {shared} and are on both sides of fold holdout" in output
    assert not list((study / "results/folds").glob("*/model.pt"))


def test_a_fold_that_leaks_is_not_scored_whatever_else_goes_on(snakemake, study):
    shutil.copy(study / "M1.h5ad", study / "M2.h5ad")
    refused(snakemake, study, "results/evaluation/summary.tsv", "--keep-going")
    assert (study / "results/predictions/holdout/M2.h5ad").exists()
    assert not (study / "results/evaluation/summary.tsv").exists()


def test_what_a_check_prints_is_of_the_present_sheet(snakemake, study):
    change(study / "M2.h5ad", renamed("Other{}"))
    assert "0 are among the" in refused(snakemake, study, "check").split("Problems: 1")[1]
    sheet = (study / "samples.tsv").read_text()
    (study / "samples.tsv").write_text(sheet.replace("M2.h5ad\tP2\ttest", "\tP2\tpredict"))
    assert "Problems" not in snakemake(study, "check").output
    # A copy without Snakemake's notes, in which the slides of the sections are swapped.
    shutil.rmtree(study / ".snakemake")
    swapped = sheet.replace("M1.tiff", "m").replace("M2.tiff", "M1.tiff").replace("\tm\t", "\tM2.tiff\t")
    (study / "samples.tsv").write_text(swapped)
    jobs = snakemake(study, "check", "--dry-run", succeeds=True).job_names
    assert {"check_section M1", "check_section M2"} <= jobs
    # The first problem ends a run without --keep-going: the other section is not called ok from before.
    change(study / "M1.h5ad", lambda adata: adata[:19].copy())
    change(study / "M2.h5ad", lambda adata: adata[:18].copy())
    output = refused(snakemake, study, "check", cores=1)
    table = output.split("\nsection  ")[-1]
    assert " ok\n" not in table
    assert "check did not run" in table
