"""The gene panel: which genes a fold's model predicts, from its training sections alone."""

from collections.abc import Sequence
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scanpy as sc
import squidpy as sq

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
        Size of the panel; fewer where there are not as many candidates.
    listed
        Genes of the method ``list``.

    Returns
    -------
    pandas.DataFrame
        One row per gene, best first: ``gene``, ``score`` (of the method), ``mean`` (log1p CP10k over
        all training spots), ``method``.

    Raises
    ------
    InputError
        If the sections have no gene in common, or a listed gene is unknown.
    """
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
        seen = np.asarray((pooled.X > 0).mean(axis=0)).ravel() >= MIN_SPOT_SHARE
        pooled = pooled[:, seen]
        score = {"highest": _by_mean, "hvg": _by_dispersion, "svg": _by_moran}[method](pooled)
        # Ties are broken by name, so that the panel does not depend on the order of the file.
        score = score.dropna().sort_index().sort_values(ascending=False, kind="stable").head(number)
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
        If the file names no gene.
    """
    lines = (line.split("#")[0].strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    genes = [line for line in lines if line]
    if not genes:
        raise InputError("no gene", expected="one gene name per line", file=path)
    return genes


def _common_genes(sections: dict[str, anndata.AnnData]) -> list[str]:
    """Genes that every section has, in the first one's order."""
    (first, reference), *others = sections.items()
    common = reference.var_names
    for name, adata in others:
        common = common[common.isin(adata.var_names)]
        if common.empty:
            raise InputError(
                f"it has no gene name in common with section {first} "
                f"({adata.var_names[0]} here, {reference.var_names[0]} there)",
                expected="the same gene names in all sections",
                action="convert them to symbols or to Ensembl ids without version",
                section=name,
            )
    return common.tolist()


def _normalise(adata: anndata.AnnData, genes: Sequence[str]) -> anndata.AnnData:
    """log1p CP10k over all genes of the section, and only then cut to the genes."""
    log = log1p_cp10k(adata.X)[:, adata.var_names.get_indexer(genes)]
    var = adata.var.loc[list(genes), []]
    return anndata.AnnData(log, obs=adata.obs[[]], var=var, obsm={"spatial": adata.obsm["spatial"]})


def _by_mean(pooled: anndata.AnnData) -> pd.Series:
    """Mean over sections of the mean over spots, so that a large section does not outvote the others."""
    return _per_section(pooled, lambda part: np.asarray(part.X.mean(axis=0)).ravel())


def _by_dispersion(pooled: anndata.AnnData) -> pd.Series:
    several = pooled.obs["section"].nunique() > 1
    table = sc.pp.highly_variable_genes(
        pooled,
        flavor="seurat",
        n_top_genes=pooled.n_vars,
        batch_key="section" if several else None,
        inplace=False,
    )
    if "gene" in table:
        table = table.set_index("gene")
    return pd.Series(
        table["dispersions_norm"].to_numpy(), index=pooled.var_names if not several else table.index
    )


def _by_moran(pooled: anndata.AnnData) -> pd.Series:
    def moran(part: anndata.AnnData) -> np.ndarray:
        result = np.full(part.n_vars, np.nan)
        common = np.asarray((part.X > 0).mean(axis=0)).ravel() >= MIN_SVG_SPOT_SHARE
        part = part[:, common].copy()
        sq.gr.spatial_neighbors(part, coord_type="generic", n_neighs=NEIGHBOURS)
        sq.gr.spatial_autocorr(part, mode="moran", genes=list(part.var_names), n_perms=None)
        result[common] = part.uns["moranI"].loc[part.var_names, "I"]
        return result

    return _per_section(pooled, moran)


def _per_section(pooled: anndata.AnnData, statistic: object) -> pd.Series:
    """Mean of a statistic over sections; NaN where it is undefined in one."""
    sections = pooled.obs["section"].to_numpy()
    values = [statistic(pooled[sections == name]) for name in np.unique(sections)]
    return pd.Series(np.mean(values, axis=0), index=pooled.var_names)
