"""The gene panel: which genes a fold's model predicts, from its training sections alone."""

from collections.abc import Callable, Sequence

import anndata
import numpy as np
import pandas as pd

from ressat.base.errors import InputError
from ressat.counts.expression import in_unit
from ressat.counts.expression_unit import LOG1P_CP10K, ExpressionUnit
from ressat.evaluation.panels import PANELS
from ressat.stats.autocorrelation import morans_i

# A gene seen in fewer of the training spots than this is not worth a place on the panel.
MIN_SPOT_SHARE = 0.02
# Moran's I is estimated on genes seen in at least this share of a section's spots.
MIN_SVG_SPOT_SHARE = 0.1
# Fewer spots have no spatial pattern to speak of.
MIN_SPOTS_MORAN = 3


def select_genes(
    sections: dict[str, anndata.AnnData],
    method: str,
    number: int,
    gene_list: Sequence[str] | None = None,
    unit: ExpressionUnit = LOG1P_CP10K,
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
        Size of the panel; it is smaller where there are fewer candidates, and all of ``gene_list`` for
        the method ``list``.
    gene_list
        Genes of the method ``list``, in the order wanted.
    unit
        That means, dispersions and Moran's I are of. Dispersions are of its exponential less 1, as scanpy's
        Seurat flavour has it for log1p.

    Returns
    -------
    pandas.DataFrame
        One row per gene, best first: ``gene``, ``score`` (of the method; the mean for ``list``),
        ``mean`` (in the unit, over all training spots), ``method``; ``hvg_rank``, ``heg_rank`` and
        ``svg_rank``, the gene's place among these genes by each method (1 is first, NaN where the method
        leaves it undefined); ``sections``, the ones all this was computed from.

    Raises
    ------
    InputError
        If the sections have no gene in common, a listed gene is unknown, or no gene qualifies.
    """
    # In the order of names, so that the panel depends neither on the order of sections nor of genes.
    sections = dict(sorted(sections.items()))
    common = _common_genes(sections)
    normalised = {name: _normalise(adata, common, unit) for name, adata in sections.items()}
    pooled = anndata.concat(normalised, label="section", index_unique="-")
    mean = pd.Series(np.asarray(pooled.X.mean(axis=0)).ravel(), index=common)
    if method == "list":
        unknown = [gene for gene in gene_list or () if gene not in mean.index]
        if unknown:
            raise InputError(
                f"{len(unknown)} listed genes are not in every training section ({', '.join(unknown[:5])})",
                expected=f"gene names as in the counts (such as {', '.join(common[:3])})",
                action="correct genes.list, or leave them out",
            )
        score = mean[list(dict.fromkeys(gene_list or ()))]
    else:
        score = METHODS[method](pooled[:, _spot_share(pooled) >= MIN_SPOT_SHARE].copy())
        # A stable sort of genes in the order of names: ties are broken by name.
        score = score.dropna().sort_values(ascending=False, kind="stable").head(number)
        if score.empty:
            raise InputError(
                f"no gene of sections {', '.join(sections)} qualifies for the panel by {method}",
                expected=f"genes seen in {MIN_SPOT_SHARE:.0%} of all spots"
                + (f" and in {MIN_SVG_SPOT_SHARE:.0%} of every section's" if method == "svg" else ""),
                action="check that the counts are whole, or choose another genes.method",
            )
    panel = pd.DataFrame({"score": score, "mean": mean[score.index], "method": method})
    panel = panel.join(_ranks(pooled, score.index)).assign(sections=",".join(sections))
    return panel.rename_axis("gene").reset_index()


def _ranks(pooled: anndata.AnnData, panel: pd.Index) -> pd.DataFrame:
    """Ranks of the panel's genes by each method, 1 for the first."""
    frequent = pooled[:, _spot_share(pooled) >= MIN_SPOT_SHARE].copy()
    scores = {
        "hvg": _by_dispersion(frequent),
        "heg": _by_mean(frequent),
        # A gene's Moran's I depends on no other gene: those off the panel need not be computed.
        "svg": _by_moran(frequent[:, frequent.var_names.isin(panel)]),
    }
    table = pd.DataFrame({PANELS[name]: score.reindex(panel) for name, score in scores.items()})
    return table.rank(ascending=False, method="first")


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


def _normalise(adata: anndata.AnnData, genes: Sequence[str], unit: ExpressionUnit) -> anndata.AnnData:
    """Expression by all genes of the section, and only then cut to the genes."""
    log = in_unit(adata.X, adata.var_names.get_indexer(genes), unit)
    var = adata.var.loc[list(genes), []]
    return anndata.AnnData(log, obs=adata.obs[[]], var=var, obsm={"spatial": adata.obsm["spatial"]})


def _by_mean(pooled: anndata.AnnData) -> pd.Series:
    """Mean over sections of the mean over spots, so that a large section does not outvote the others."""
    return _per_section(pooled, lambda part: np.asarray(part.X.mean(axis=0)).ravel())


def _by_dispersion(pooled: anndata.AnnData) -> pd.Series:
    # Dispersions are normalised over genes, and are undefined for a single gene.
    if pooled.n_vars < 2:
        return pd.Series(np.nan, index=pooled.var_names, dtype=float)
    # Imported here because it takes seconds, which importing this module should not.
    import scanpy as sc

    sc.pp.highly_variable_genes(
        pooled,
        flavor="seurat",
        n_top_genes=pooled.n_vars,
        batch_key="section" if pooled.obs["section"].nunique() > 1 else None,
    )
    return pooled.var["dispersions_norm"]


def _by_moran(pooled: anndata.AnnData) -> pd.Series:
    def moran(part: anndata.AnnData) -> np.ndarray:
        result = np.full(part.n_vars, np.nan)
        common = _spot_share(part) >= MIN_SVG_SPOT_SHARE
        if part.n_obs >= MIN_SPOTS_MORAN and common.any():
            result[common] = morans_i(part[:, common].X.toarray(), part.obsm["spatial"])
        return result

    return _per_section(pooled, moran)


def _spot_share(adata: anndata.AnnData) -> np.ndarray:
    """Share of spots that each gene is seen in."""
    return np.asarray((adata.X > 0).mean(axis=0)).ravel()


def _per_section(pooled: anndata.AnnData, statistic: Callable[[anndata.AnnData], np.ndarray]) -> pd.Series:
    """Mean of a statistic over sections; NaN where it is undefined in one."""
    sections = pooled.obs["section"].to_numpy()
    values = [statistic(pooled[sections == name]) for name in np.unique(sections)]
    return pd.Series(np.mean(values, axis=0), index=pooled.var_names)


METHODS = {"hvg": _by_dispersion, "highest": _by_mean, "svg": _by_moran}
