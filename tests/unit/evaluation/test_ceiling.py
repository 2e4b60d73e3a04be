from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, sparse

from ressat.counts.expression import in_unit, log1p_cp10k
from ressat.counts.expression_unit import ExpressionUnit
from ressat.evaluation import half_correlation
from ressat.evaluation.ceiling import noise_ceiling
from ressat.stats.metrics import pearson
from ressat.stats.partial import partial_pearson, without

LEVELS = (0.3, 1, 3, 10, 30)  # mean counts per spot
STRENGTHS = (0.2, 0.4, 0.8, 1.2)  # standard deviation of a gene's log rate over the section
DRAWS = 300


def waves(rng, side, genes):
    """Smooth fields of mean 0 and deviation 1, shape (side * side, genes)."""
    fields = ndimage.gaussian_filter(rng.normal(size=(genes, side, side)), (0, 2, 2)).reshape(genes, -1).T
    return (fields - fields.mean(axis=0)) / fields.std(axis=0)


@dataclass
class Section:
    """Known rates of the genes looked at, and of many more that make the totals realistic."""

    rates: np.ndarray
    background: np.ndarray

    def counts(self, rng, rates=None):
        drawn = [rng.poisson(self.rates if rates is None else rates), rng.poisson(self.background)]
        return sparse.csr_matrix(np.hstack(drawn).astype(np.float32))

    def log_expression(self, rng, rates=None):
        """One draw of log1p CP10k, the background drawn as one, and the spots' log total counts."""
        drawn = rng.poisson(self.rates if rates is None else rates)
        totals = drawn.sum(axis=1) + rng.poisson(self.background.sum(axis=1))
        return np.log1p(1e4 * drawn / totals[:, None]), np.log(totals)

    def table(self, counts, seed=0, **options):
        return noise_ceiling(counts, seed, **options).iloc[: self.rates.shape[1]]


def make_section(rng, side, relative, depth_spread=0.4):
    """Spots of different depth, about 6,000 counts in the background."""
    depth = np.exp(depth_spread * rng.normal(size=(side * side, 1)))
    depth /= depth.mean()
    background = 6000 * rng.dirichlet(np.full(300, 0.5)) * np.exp(0.3 * waves(rng, side, 300))
    return Section(depth * relative, depth * background)


def true_ceiling(section, rng, noisy=None):
    """Plain and partial correlation of draws with the expected expression; `noisy` makes a draw's rates."""
    expected = sum(section.log_expression(rng)[0] for _ in range(DRAWS)) / DRAWS
    draws = [section.log_expression(rng, noisy() if noisy else None) for _ in range(40)]
    plain = np.mean([pearson(draw, expected) for draw, _ in draws], axis=0)
    return plain, np.mean([partial_pearson(draw, expected, depth) for draw, depth in draws], axis=0)


@pytest.fixture(scope="module", params=[15, 30], ids=["225 spots", "900 spots"])
def genes(request):
    """Genes of every level and strength in sections with known rates: estimates beside the truth."""
    rng = np.random.default_rng(request.param)
    level, strength = (grid.ravel() for grid in np.meshgrid(LEVELS, np.repeat(STRENGTHS, 12)))
    relative = np.exp(strength * waves(rng, request.param, len(level)))
    relative *= level / relative.mean(axis=0)
    section = make_section(rng, request.param, relative)
    table = section.table(section.counts(rng))
    true, given_depth = true_ceiling(section, rng)
    return table.assign(
        level=level, strength=strength, true=true, true_depth_free=given_depth, spots=request.param**2
    )


def test_the_ceiling_is_the_pearson_a_perfect_prediction_reaches(genes):
    error = (genes["ceiling"] - genes["true"]).abs().dropna()
    assert len(error) > 100
    # A standard error of up to 0.05 is let through, so chance puts about one in ten further off.
    assert error.mean() < 0.03
    assert (error <= 0.05).mean() > 0.85
    assert (error <= 0.1).mean() > 0.97


def test_the_twin_is_what_it_reaches_given_the_depth(genes):
    error = (genes["ceiling_depth_free"] - genes["true_depth_free"]).abs().dropna()
    assert len(error) > 100
    assert error.mean() < 0.03
    assert (error <= 0.05).mean() >= 0.9
    known = genes.dropna(subset="ceiling_low_depth_free")
    covered = known["true_depth_free"].between(
        known["ceiling_low_depth_free"], known["ceiling_high_depth_free"]
    )
    assert covered.mean() > 0.88


def test_it_is_not_off_to_one_side_at_any_level_or_strength(genes):
    # All genes of a group, also those too uncertain one by one: what is left is the method's own bias.
    groups = genes.groupby(["level", "strength"])[["half_correlation", "true"]].mean()
    groups = groups[groups["true"] >= 0.3]
    half = groups["half_correlation"]
    bias = np.sqrt(2 * half / (1 + half)) - groups["true"]
    assert len(bias) >= 12
    assert bias.abs().max() < 0.05, bias


def test_a_thinned_unit_has_a_ceiling_of_its_own():
    rng = np.random.default_rng(4)
    level, strength = (grid.ravel() for grid in np.meshgrid(LEVELS, np.repeat(STRENGTHS, 4)))
    relative = np.exp(strength * waves(rng, 25, len(level)))
    section = make_section(rng, 25, relative * level / relative.mean(axis=0))
    counts, unit = section.counts(rng), ExpressionUnit("thinned", 1000)
    genes = np.arange(len(level))
    expected = sum(in_unit(section.counts(rng), genes, unit).toarray() for _ in range(60)) / 60
    draws = [in_unit(section.counts(rng), genes, unit).toarray() for _ in range(20)]
    true = np.mean([pearson(draw, expected) for draw in draws], axis=0)
    error = (section.table(counts, unit=unit)["ceiling"] - true).abs().dropna()
    assert len(error) > 30
    assert error.mean() < 0.03
    assert (error <= 0.05).mean() > 0.85


def test_ordinary_genes_have_a_ceiling(genes):
    within_reach = 0.8 if genes["spots"].iloc[0] < 300 else 0.6
    assert genes.loc[genes["true"] >= within_reach, "ceiling"].notna().mean() > 0.95


def test_the_interval_holds_the_truth_also_where_no_ceiling_is_given(genes):
    known = genes.dropna(subset="ceiling_low")
    covered = known["true"].between(known["ceiling_low"], known["ceiling_high"])
    assert covered.mean() > 0.88
    assert covered[known["ceiling"].isna()].mean() > 0.88
    assert known["ceiling"].isna().sum() > 20


def test_the_error_is_what_repeated_draws_show():
    rng = np.random.default_rng(1)
    relative = 3 * np.exp(0.8 * waves(rng, 18, 30))
    section = make_section(rng, 18, relative)
    tables = [section.table(section.counts(rng)) for _ in range(12)]
    ceilings = np.sqrt([2 * t["half_correlation"] / (1 + t["half_correlation"]) for t in tables])
    seen = np.std(ceilings, axis=0, ddof=1).mean()
    claimed = np.mean([table["ceiling_error"] for table in tables])
    # Spots count as drawn at random, so the error is rather too large than too small.
    assert 0.9 * seen < claimed < 2 * seen


def test_the_error_of_the_twin_is_that_of_dense_residuals():
    """The sums over spots without the gene are those over all spots, term by term."""
    rng = np.random.default_rng(9)
    section = make_section(rng, 15, 0.4 * np.exp(waves(rng, 15, 20)))
    counts = section.counts(rng)
    columns, draws, influence = counts.tocsc(), np.random.default_rng(3), 0.0
    depth = np.log(np.asarray(counts.sum(axis=1), dtype=float).ravel())
    for _ in range(20):
        half = columns.copy()
        half.data = draws.binomial(columns.data.astype(int), 0.5).astype(float)
        halves = [log1p_cp10k(part.tocsr()).toarray() for part in (half, columns - half)]
        u, v = (rest / rest.std(axis=0) for rest in (without(table, depth) for table in halves))
        influence += u * v - (u * v).mean(axis=0) * (u**2 + v**2) / 2
    table = noise_ceiling(counts, 3)
    error = np.sqrt((influence**2).sum(axis=0)) / 20 / 225
    half = table["half_correlation_depth_free"]
    expected = np.where(half > 0, error / (np.sqrt(2 * half / (1 + half)) * (1 + half) ** 2), np.nan)
    np.testing.assert_allclose(table["ceiling_error_depth_free"], expected, rtol=1e-6)


@pytest.mark.parametrize("side", [18, 50])
def test_a_gene_without_signal_has_no_ceiling_however_many_genes_are_tried(side):
    rng = np.random.default_rng(2)
    section = make_section(rng, side, np.full((side**2, 600), 1.0), depth_spread=0)
    table = section.table(section.counts(rng))
    assert table["ceiling"].isna().all()
    assert (table["ceiling_low"] == 0).mean() > 0.95
    assert (table["thinnings"] == 20).all()


def test_overdispersion_passes_for_signal_so_the_ceiling_is_too_high_against_the_mean():
    rng = np.random.default_rng(3)
    mean = 5 * np.exp(0.4 * waves(rng, 20, 40))
    section = make_section(rng, 20, mean)
    shape = 4  # negative binomial with variance mean + mean^2 / 4: Poisson with gamma rates

    def realise():
        return section.rates * rng.gamma(shape, 1 / shape, size=section.rates.shape)

    realised = Section(realise(), section.background)
    table = section.table(realised.counts(rng))
    (against_realised, _), (against_mean, _) = (
        true_ceiling(realised, rng), true_ceiling(section, rng, realise),
    )  # fmt: skip
    assert np.mean(table["ceiling"] - against_realised) == pytest.approx(0, abs=0.05)
    assert np.mean(table["ceiling"] - against_mean) > 0.1


def test_a_gene_with_few_counts_is_nan_beside_its_count():
    rng = np.random.default_rng(4)
    section = make_section(rng, 15, np.zeros((225, 4)))
    counts = section.counts(rng).tolil()
    counts[3, 0] = 1
    counts[:19, 1] = 40
    counts[:49, 2] = 1
    table = section.table(counts.tocsr())
    assert table["total_counts"].tolist() == [1, 760, 49, 0]
    assert table["spots_seen"].tolist() == [1, 19, 49, 0]
    assert table["thinnings"].tolist() == [0, 20, 20, 0]
    assert table[["ceiling", "ceiling_low", "ceiling_high"]].isna().all(axis=None)


def test_it_is_spearman_brown_of_the_correlation_between_halves_of_log1p_cp10k():
    rng = np.random.default_rng(5)
    section = make_section(rng, 15, 8 * np.exp(waves(rng, 15, 30)))
    counts = section.counts(rng)
    columns, draws, correlations, twins = counts.tocsc(), np.random.default_rng(7), [], []
    depth = np.log(np.asarray(counts.sum(axis=1), dtype=float).ravel())
    for _ in range(20):
        half = columns.copy()
        half.data = draws.binomial(columns.data.astype(int), 0.5).astype(float)
        halves = [log1p_cp10k(part.tocsr()).toarray() for part in (half, columns - half)]
        correlations.append(pearson(*halves))
        twins.append(partial_pearson(*halves, depth))
    table = noise_ceiling(counts, 7)
    enough = (table["total_counts"] >= 50).to_numpy()
    expected = np.mean(correlations, axis=0)
    np.testing.assert_allclose(table["half_correlation"][enough], expected[enough], atol=1e-9)
    twin = np.mean(twins, axis=0)
    np.testing.assert_allclose(table["half_correlation_depth_free"][enough], twin[enough], atol=1e-9)
    given = table.dropna(subset="ceiling")
    half = given["half_correlation"]
    np.testing.assert_allclose(given["ceiling"], np.sqrt(2 * half / (1 + half)))
    width = (given["ceiling_high"] - given["ceiling_low"]) / (2 * 1.96)
    np.testing.assert_allclose(width, given["ceiling_error"], rtol=0.1)
    assert (given["ceiling_error"] <= 0.05).all()


def test_the_seed_decides_and_the_block_size_does_not(monkeypatch):
    rng = np.random.default_rng(6)
    section = make_section(rng, 15, 3 * np.exp(waves(rng, 15, 30)))
    counts = section.counts(rng)
    first = noise_ceiling(counts, 1)
    assert not first.equals(noise_ceiling(counts, 2))
    monkeypatch.setattr(half_correlation, "BLOCK", 1000)
    pd.testing.assert_frame_equal(noise_ceiling(counts, 1), first)


def test_a_spot_that_a_half_leaves_empty_does_no_harm():
    rng = np.random.default_rng(7)
    section = make_section(rng, 20, 8 * np.exp(waves(rng, 20, 30)))
    whole = section.counts(rng)
    lone = sparse.csr_matrix(([1.0], ([0], [0])), shape=(1, whole.shape[1]), dtype=np.float32)
    with_lone = noise_ceiling(sparse.vstack([whole, lone]).tocsr(), 0)
    without = noise_ceiling(whole, 0)
    both = with_lone["ceiling"].notna() & without["ceiling"].notna()
    assert both[:30].all()
    np.testing.assert_allclose(with_lone["ceiling"][both], without["ceiling"][both], atol=0.03)


def test_a_gene_that_holds_all_counts_is_constant_and_has_no_ceiling():
    counts = sparse.csr_matrix(np.arange(30.0, 90.0, dtype=np.float32)[:, None])
    table = noise_ceiling(counts, 0)
    assert table["thinnings"].tolist() == [0]
    assert table.filter(like="ceiling").isna().all(axis=None)


def test_zeros_that_are_stored_count_for_nothing():
    rng = np.random.default_rng(8)
    section = make_section(rng, 15, 3 * np.exp(waves(rng, 15, 5)))
    counts = section.counts(rng)
    padded = counts.copy()
    padded.data[counts.data == 1] = 0
    stripped = padded.copy()
    stripped.eliminate_zeros()
    pd.testing.assert_frame_equal(noise_ceiling(padded, 0), noise_ceiling(stripped, 0))
