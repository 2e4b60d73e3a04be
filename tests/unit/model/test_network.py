import numpy as np
import pytest
import torch

from ressat.model.network import Head, HeadSettings, dual_loss, spot_interaction


@pytest.fixture
def yhat() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(size=(300, 40)))


def attention_by_hand(yhat: np.ndarray) -> np.ndarray:
    """softmax(Q K^T / sqrt(d)) V in float64, row by row."""
    rows = []
    for query in yhat:
        logits = yhat @ query / np.sqrt(yhat.shape[1])
        weights = np.exp(logits - logits.max())
        rows.append(weights @ yhat / weights.sum())
    return np.array(rows)


@pytest.mark.parametrize("spots", [1, 2, 31, 32, 33, 300])
@pytest.mark.parametrize("genes", [1, 7, 40])
def test_attention_is_the_published_equation(yhat, spots, genes):
    some = yhat[:spots, :genes]
    np.testing.assert_allclose(spot_interaction(some).numpy(), attention_by_hand(some.numpy()), atol=1e-12)


def test_attention_in_float32_stays_close_to_the_reference(yhat):
    single = spot_interaction(yhat.float()).numpy()
    np.testing.assert_allclose(single, attention_by_hand(yhat.numpy()), atol=1e-5)


def test_attention_does_not_depend_on_the_order_of_spots(yhat):
    order = torch.from_numpy(np.random.default_rng(1).permutation(len(yhat)))
    torch.testing.assert_close(
        spot_interaction(yhat[order]), spot_interaction(yhat)[order], atol=1e-12, rtol=0
    )


def test_attention_has_no_parameters_and_leaves_a_lone_spot_alone():
    lone = torch.randn(1, 8)
    torch.testing.assert_close(spot_interaction(lone), lone)


def test_loss_is_the_sum_of_both_errors(yhat):
    y = torch.randn_like(yhat)
    direct, attended = dual_loss(y, yhat)
    assert direct.item() == pytest.approx(((y - yhat) ** 2).mean().item())
    expected = ((y.numpy() - attention_by_hand(yhat.numpy())) ** 2).mean()
    assert attended.item() == pytest.approx(expected)


def test_both_terms_of_the_loss_reach_the_head():
    head = Head(6, 4, HeadSettings(hidden=5, dropout=0.0, members=2))
    for term in (0, 1):
        head.zero_grad()
        dual_loss(torch.randn(9, 4), head(torch.randn(9, 6)))[term].backward()
        assert all(parameter.grad.abs().sum() > 0 for parameter in head.parameters())


@pytest.mark.parametrize(("hidden", "layers"), [(0, 1), (16, 2)])
def test_head_is_linear_without_hidden_units(hidden, layers):
    head = Head(10, 3, HeadSettings(hidden, 0.5, members=1))
    assert sum(isinstance(module, torch.nn.Linear) for module in head.modules()) == layers
    assert head(torch.randn(7, 10)).shape == (7, 3)


def test_head_is_the_mean_of_its_members():
    head = Head(10, 3, HeadSettings(16, 0.5, members=4)).eval()
    x = torch.randn(7, 10)
    members = torch.stack([member(x) for member in head.members])
    assert members.std(dim=0).min() > 0
    torch.testing.assert_close(head(x), members.mean(dim=0))


def test_the_loss_over_drawn_spots_estimates_that_over_the_section():
    """Predictions that weigh a spot itself a hundred times a distant one, as z-scored ones may."""
    rng = np.random.default_rng(3)
    groups = rng.normal(size=(6, 40))
    yhat = torch.from_numpy(groups[rng.integers(0, 6, 3000)] * 0.6 + 0.5 * rng.normal(size=(3000, 40)))
    y = yhat + torch.from_numpy(rng.normal(size=(3000, 40)))
    whole = dual_loss(y, yhat)[1].item()
    draws = [torch.from_numpy(rng.permutation(3000)[:200]) for _ in range(40)]
    estimated, naive = (
        np.mean([dual_loss(y[drawn], yhat[drawn], spots)[1].item() for drawn in draws])
        for spots in (3000, None)
    )
    assert abs(estimated - whole) < 0.2 * abs(naive - whole)
    assert estimated == pytest.approx(whole, rel=0.01)
