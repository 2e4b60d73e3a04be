import subprocess
import sys

import anndata
import numpy as np
import pytest

from count_files import BARCODES, COUNTS, source, write_bins, write_outs
from ressat.counts.reading import read_counts

LEGACY_COUNTS = "\tA\tB\n1x1\t1\t0\n2x1\t0\t3\n"
LEGACY_SPOTS = "x\ty\tpixel_x\tpixel_y\n1\t1\t100\t50\n2\t1\t300\t50\n"


@pytest.fixture
def counts(tmp_path):
    """Counts in each format that needs no store of its own."""
    (tmp_path / "c.tsv").write_text(LEGACY_COUNTS)
    (tmp_path / "s.tsv").write_text(LEGACY_SPOTS)
    adata = anndata.AnnData(COUNTS.astype(np.float32))
    adata.obs_names, adata.obsm["spatial"] = BARCODES, np.arange(8.0).reshape(4, 2) * 50
    adata.write_h5ad(tmp_path / "a.h5ad")
    return {
        "visium": source(write_outs(tmp_path / "visium/outs")),
        "visium_hd": source(write_bins(tmp_path / "hd/outs", 8, 16), bin_um=16),
        "legacy": source(tmp_path / "c.tsv", spots=tmp_path / "s.tsv"),
        "unknown": source(tmp_path / "a.h5ad"),
    }


@pytest.mark.parametrize("platform", ["visium", "visium_hd", "legacy", "unknown"])
def test_every_format_gives_the_same_kind_of_counts(counts, platform):
    found = read_counts(counts[platform])
    assert found.array.platform == platform
    assert found.counts.shape == (len(found.spots), len(found.genes)) == (found.total, len(found.genes))
    assert (found.counts.format, found.counts.dtype) == ("csr", np.float32)
    assert list(found.genes.columns) == ["name", "symbol", "ensembl"]
    assert {"in_tissue", "x", "y"} <= set(found.places.columns)
    assert found.left_out == {}


def test_space_ranger_and_legacy_counts_do_not_wait_for_large_libraries(repository, counts):
    slow = {"anndata", "scanpy", "spatialdata", "zarr"}
    for platform in ("visium", "visium_hd", "legacy"):
        given = counts[platform]
        files = {name: str(file) for name, file in given.files.items()}
        code = (
            "import sys; from ressat.counts.format import CountsSource; "
            "from ressat.counts.reading import read_counts; "
            f"read_counts(CountsSource({given.format!r}, {files!r}, {dict(given.options)!r})); "
            f"print({slow!r} & set(sys.modules))"
        )
        found = subprocess.run(
            [sys.executable, "-c", code], cwd=repository / "workflow_scripts", capture_output=True, text=True
        )
        assert found.stdout.strip() == "set()", found.stderr
