"""The gene panel: which genes a fold's model predicts, from its training sections alone."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.spatial import cKDTree

from ressat.errors import InputError
from ressat.expression import log1p_cp10k

# A gene seen in fewer of the training spots than this is not worth a place on the panel.
MIN_SPOT_SHARE = 0.02
# Moran's I is estimated on genes seen in at least this share of a section's spots.
MIN_SVG_SPOT_SHARE = 0.1
NEIGHBOURS = 6


def select_genes(
    sections: dict[str, anndata.AnnData], method: str, number: int, listed: Sequence[str] | None = None
) -> pd.DataFrame:
    """Choose a panel.

    Parameters
    ----------
    sections
        Raw counts of the fold's training sections, by name.
    method
        ``hvg`` (scanpy's Seurat dispersion, ranked over sections), ``highest`` (mean expression),
        ``svg`` (mean Moran's I over sections) or ``list``.
    number
        Size of the panel; fewer where there are not as many candidates, and all of ``listed`` for
        the method ``list``.
    listed
        Genes of the method ``list``, in the order wanted.

    Returns
    -------
    pandas.DataFrame
        One row per gene, best first: ``gene``, ``score`` (of the method; the mean for ``list``),
        ``mean`` (log1p CP10k over all training spots), ``method``.

    Raises
    ------
    InputError
        If the sections have no gene in common, a listed gene is unknown, or no gene qualifies.
    """
    # In the order of names, so that the panel depends neither on the order of sections nor of genes.
    sections = dict(sorted(sections.items()))
    common = _common_genes(sections)
    normalised = {name: _normalise(adata, common) for name, adata in sections.items()}
    pooled = anndata.concat(normalised, label="section", index_unique="-")
    mean = pd.Series(np.asarray(pooled.X.mean(axis=0)).ravel(), index=common)
    if method == "list":
        unknown = [gene for gene in listed or () if gene not in mean.index]
        if unknown:
            raise InputError(
                f"{len(unknown)} listed genes are not in every training section ({', '.join(unknown[:5])})",
                expected=f"gene names as in the counts (such as {', '.join(common[:3])})",
                action="correct genes.list, or leave them out",
            )
        score = mean[list(dict.fromkeys(listed or ()))]
    else:
        seen = _spot_share(pooled) >= MIN_SPOT_SHARE
        pooled = pooled[:, seen].copy()
        score = {"highest": _by_mean, "hvg": _by_dispersion, "svg": _by_moran}[method](pooled)
        # A stable sort of genes in the order of names: ties are broken by name.
        score = score.dropna().sort_values(ascending=False, kind="stable").head(number)
        if score.empty:
            raise InputError(
                f"no gene of sections {', '.join(sections)} qualifies for the panel by {method}",
                expected=f"genes seen in {MIN_SPOT_SHARE:.0%} of all spots"
                + (f" and in {MIN_SVG_SPOT_SHARE:.0%} of every section's" if method == "svg" else ""),
                action="check that the counts are whole, or choose another genes.method",
            )
    return pd.DataFrame(
        {
            "gene": score.index,
            "score": score.to_numpy(),
            "mean": mean[score.index].to_numpy(),
            "method": method,
        }
    )


def read_gene_list(path: str | Path) -> list[str]:
    """Read gene names, one per line; blank lines and ``#`` comments are skipped.

    Raises
    ------
    InputError
        If the file cannot be read or names no gene.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"it cannot be read as a gene list ({error})",
            expected="text in UTF-8, one gene name per line",
            action="correct genes.list, or save the file again",
            file=path,
        ) from error
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    genes = [line for line in lines if line]
    if not genes:
        raise InputError("no gene", expected="one gene name per line", action="add some", file=path)
    return genes


def _common_genes(sections: dict[str, anndata.AnnData]) -> list[str]:
    """Genes that every section has, sorted by name."""
    (first, reference), *others = sections.items()
    common, before = reference.var_names, [first]
    for name, adata in others:
        common = common[common.isin(adata.var_names)]
        if common.empty:
            raise InputError(
                f"it has no gene name in common with {' and '.join(before)} "
                f"({adata.var_names[0]} here, {reference.var_names[0]} in {first})",
                expected="the same gene names in all sections",
                action="convert them to symbols or to Ensembl ids without version",
                section=name,
            )
        before.append(name)
    return sorted(common)


def _normalise(adata: anndata.AnnData, genes: Sequence[str]) -> anndata.AnnData:
    """log1p CP10k over all genes of the section, and only then cut to the genes."""
    log = log1p_cp10k(adata.X)[:, adata.var_names.get_indexer(genes)]
    var = adata.var.loc[list(genes), []]
    return anndata.AnnData(log, obs=adata.obs[[]], var=var, obsm={"spatial": adata.obsm["spatial"]})


def _by_mean(pooled: anndata.AnnData) -> pd.Series:
    """Mean over sections of the mean over spots, so that a large section does not outvote the others."""
    return _per_section(pooled, lambda part: np.asarray(part.X.mean(axis=0)).ravel())


def _by_dispersion(pooled: anndata.AnnData) -> pd.Series:
    if pooled.n_vars == 0:
        return pd.Series(dtype=float)
    # Imported here: it takes seconds, which the methods that need no scanpy do not wait for.
    import scanpy as sc

    sc.pp.highly_variable_genes(
        pooled,
        flavor="seurat",
        n_top_genes=pooled.n_vars,
        batch_key="section" if pooled.obs["section"].nunique() > 1 else None,
    )
    return pooled.var["dispersions_norm"]


def _by_moran(pooled: anndata.AnnData) -> pd.Series:
    # Imported here: it takes seconds, which the methods that need no squidpy do not wait for.
    with warnings.catch_warnings():
        # About the docstrings of its own functions.
        warnings.simplefilter("ignore", SyntaxWarning)
        import squidpy as sq

    def moran(part: anndata.AnnData) -> np.ndarray:
        result = np.full(part.n_vars, np.nan)
        common = _spot_share(part) >= MIN_SVG_SPOT_SHARE
        if part.n_obs < 2 or not common.any():
            return result
        part = part[:, common].copy()
        part.obsp["spatial_connectivities"] = _neighbour_graph(part.obsm["spatial"])
        sq.gr.spatial_autocorr(part, mode="moran", genes=list(part.var_names), n_perms=None)
        result[common] = part.uns["moranI"].loc[part.var_names, "I"]
        return result

    return _per_section(pooled, moran)


def _neighbour_graph(coords: np.ndarray) -> sparse.csr_matrix:
    """1 from each spot to each of its nearest ones; squidpy's way to it changes with its version."""
    count = len(coords)
    neighbours = min(NEIGHBOURS, count - 1)
    _, nearest = cKDTree(coords).query(coords, k=neighbours + 1)
    rows = np.repeat(np.arange(count), neighbours)
    return sparse.csr_matrix((np.ones(rows.size), (rows, nearest[:, 1:].ravel())), shape=(count, count))


def _spot_share(adata: anndata.AnnData) -> np.ndarray:
    """Share of spots that each gene is seen in."""
    return np.asarray((adata.X > 0).mean(axis=0)).ravel()


def _per_section(pooled: anndata.AnnData, statistic: Callable[[anndata.AnnData], np.ndarray]) -> pd.Series:
    """Mean of a statistic over sections; NaN where it is undefined in one."""
    sections = pooled.obs["section"].to_numpy()
    values = [statistic(pooled[sections == name]) for name in np.unique(sections)]
    return pd.Series(np.mean(values, axis=0), index=pooled.var_names)
