"""Clusters of spots, by interaction and by expression."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.special import softmax
from sklearn.metrics import adjusted_rand_score

from ressat.evaluation.spot_clusters import agreement, expression_clusters, interaction_clusters

SIDE, DOMAINS, GENES = 20, 4, 60


def planted(rng, strength):
    """Domains of a section, and profiles in z units of spots that belong to them, with noise of sd 0.5."""
    fields = ndimage.gaussian_filter(rng.normal(size=(DOMAINS, SIDE, SIDE)), (0, 3, 3))
    domain = fields.reshape(DOMAINS, -1).argmax(axis=0)
    profiles = strength * rng.normal(size=(DOMAINS, GENES))
    return domain, profiles[domain] + 0.5 * rng.normal(size=(SIDE**2, GENES))


def weights(z):
    return softmax(z @ z.T / np.sqrt(z.shape[1]), axis=1)


def clusterings(z, clusters=DOMAINS, seed=1):
    return interaction_clusters(weights(z), clusters, seed), expression_clusters(z, clusters, seed)


@pytest.mark.parametrize("strength", [0.5, 1, 3])
def test_planted_domains_are_found_both_ways(strength):
    domain, z = planted(np.random.default_rng(1), strength)
    for found in clusterings(z):
        assert adjusted_rand_score(domain, found) > 0.95


def test_spots_that_depend_on_nothing_agree_with_nothing():
    rng = np.random.default_rng(2)
    domain, _ = planted(rng, 1)
    z = 0.5 * rng.normal(size=(SIDE**2, GENES))
    for found in clusterings(z):
        assert set(found) == set(range(1, DOMAINS + 1))
        assert abs(agreement(domain.astype(float), found)) < 0.05


def test_clusters_are_numbered_by_their_size():
    _, z = planted(np.random.default_rng(3), 1)
    for found in clusterings(z):
        sizes = np.bincount(found.astype(int))[1:]
        assert len(sizes) == DOMAINS
        assert sizes.tolist() == sorted(sizes, reverse=True)


def test_the_same_seed_gives_the_same_clusters():
    _, z = planted(np.random.default_rng(4), 1)
    for one, again in zip(clusterings(z), clusterings(z), strict=True):
        np.testing.assert_array_equal(one, again)


def test_domains_that_attention_leaves_wholly_apart_are_found_without_a_warning(recwarn):
    domain, z = planted(np.random.default_rng(5), 30)
    joined = weights(z)
    assert (joined[domain == 0][:, domain == 1] == 0).all()
    assert adjusted_rand_score(domain, interaction_clusters(joined, DOMAINS, 1)) > 0.95
    assert [str(warning.message) for warning in recwarn] == []


def test_a_few_spots_that_attend_to_themselves_alone_do_not_hide_the_domains():
    domain, z = planted(np.random.default_rng(6), 1)
    z[:5] = 0
    joined = weights(np.hstack([z, 100 * np.eye(len(z), 5)]))
    assert (np.diag(joined)[:5] == 1).all()
    assert adjusted_rand_score(domain[5:], interaction_clusters(joined, DOMAINS, 1)[5:]) > 0.95


@pytest.mark.parametrize(
    ("z", "why"),
    [
        (np.zeros((30, 5)), "all others alike"),
        (np.ones((30, 5)), "all others alike"),
        (3 * np.eye(30), "all others alike"),
        (1e3 * np.eye(30), "themselves alone"),
        (6 * np.random.default_rng(7).normal(size=(30, 50)), "themselves alone"),
    ],
)
def test_where_attention_joins_no_spots_there_are_no_clusters(z, why, caplog):
    assert np.isnan(interaction_clusters(weights(z), 3, 1)).all()
    assert why in caplog.text


@pytest.mark.parametrize("spots", [1, 3, 4])
def test_no_more_spots_than_clusters_are_not_clustered(spots):
    _, z = planted(np.random.default_rng(8), 1)
    for found in clusterings(z[:spots]):
        assert np.isnan(found).all()
        assert found.shape == (spots,)


def test_one_spot_more_than_clusters_is_enough():
    _, z = planted(np.random.default_rng(8), 1)
    for found in clusterings(z[: DOMAINS + 1]):
        assert set(found) == set(range(1, DOMAINS + 1))


def test_genes_that_are_not_measured_or_constant_change_nothing():
    _, z = planted(np.random.default_rng(9), 1)
    more = np.column_stack([z, np.full((len(z), 2), np.nan), np.full(len(z), 3.0)])
    np.testing.assert_array_equal(expression_clusters(more, 4, 1), expression_clusters(z, 4, 1))


@pytest.mark.parametrize("value", [np.nan, 2.0])
def test_without_a_gene_that_varies_there_are_no_clusters_by_expression(value):
    found = expression_clusters(np.full((20, 3), value), 4, 1)
    assert np.isnan(found).all()
    assert found.shape == (20,)


def test_genes_count_alike_whatever_their_level():
    domain, z = planted(np.random.default_rng(10), 1)
    loud = np.random.default_rng(11).normal(scale=1000, size=(len(z), 1))
    assert adjusted_rand_score(domain, expression_clusters(np.hstack([z, loud]), DOMAINS, 1)) > 0.95


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_spots_of_few_kinds_make_fewer_clusters():
    found = expression_clusters(np.repeat(np.eye(2), 10, axis=0), 4, 1)
    assert set(found) == {1, 2}


def test_agreement_is_that_of_partitions_whatever_their_numbers():
    one = np.array([1.0, 1, 1, 2, 2, 3])
    assert agreement(one, np.array([3.0, 3, 3, 1, 1, 2])) == 1
    assert agreement(one, np.array([1.0, 2, 3, 1, 2, 3])) < 0.1
    assert agreement(one, np.full(6, np.nan)) is None
