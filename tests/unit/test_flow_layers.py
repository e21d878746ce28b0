"""Layers of flows against their formulae, their limits and exactly known densities."""

import pytest

torch = pytest.importorskip("torch")

from lqcd_hpc.ml.layers.rational_quadratic import SLOPES, inverse_spline, parameters, spline  # noqa: E402

ENDS = pytest.mark.parametrize("ends", list(SLOPES))


def random_spline(ends, bins=6, shape=(5, 7), scale=1.5):
    generator = torch.Generator().manual_seed(3)
    raw = scale * torch.randn(parameters(bins, ends), *shape, generator=generator, dtype=torch.float64)
    x = 5 * torch.rand(shape, generator=generator, dtype=torch.float64) - 2.5
    return raw, x


def textbook(x, raw, low, high, ends):
    """One value at a time, from the formula, differentiated by torch."""
    bins = (len(raw) - SLOPES[ends]) // 3
    if not low < x < high:
        return x, torch.zeros_like(x)
    widths, heights = (
        (high - low) * (1e-3 + (1 - bins * 1e-3) * torch.softmax(r, 0)) for r in raw[: 2 * bins].chunk(2)
    )
    slopes = list(1e-3 + (1 - 1e-3) * torch.log1p((torch.e - 1) * raw[2 * bins :].exp()))
    one = torch.ones_like(x)
    slopes = {"linear": [one, *slopes, one], "half": [*slopes, one], "circular": [*slopes, slopes[0]], "free": slopes}[
        ends
    ]
    left, bottom = low + widths.cumsum(0) - widths, low + heights.cumsum(0) - heights
    k = int((x >= left).sum()) - 1
    xi, sigma = (x - left[k]) / widths[k], heights[k] / widths[k]
    bottom_line = sigma + (slopes[k + 1] + slopes[k] - 2 * sigma) * xi * (1 - xi)
    y = bottom[k] + heights[k] * (sigma * xi**2 + slopes[k] * xi * (1 - xi)) / bottom_line
    (slope,) = torch.autograd.grad(y, x, create_graph=True)
    return y, slope.log()


@ENDS
def test_spline_is_that_of_the_textbook_with_all_gradients(ends):
    raw, x = random_spline(ends)
    raw.requires_grad_(), x.requires_grad_()
    y, log_slope = spline(x, raw, -2.0, 2.0, ends)
    weights = torch.randn(2, *x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = torch.autograd.grad((weights[0] * y + weights[1] * log_slope).sum(), (x, raw))
    single = [textbook(v, r, -2.0, 2.0, ends) for v, r in zip(x.flatten(), raw.flatten(1).T)]
    expected = [torch.stack(part).view(x.shape) for part in zip(*single)]
    assert torch.allclose(y, expected[0], rtol=0, atol=1e-12)
    assert torch.allclose(log_slope, expected[1], rtol=0, atol=1e-11)
    exact = torch.autograd.grad((weights[0] * expected[0] + weights[1] * expected[1]).sum(), (x, raw))
    for mine, its in zip(found, exact):
        assert torch.allclose(mine, its, rtol=1e-9, atol=1e-10)


@ENDS
def test_inverse_spline_inverts_with_all_gradients(ends):
    raw, x = random_spline(ends)
    y, log_slope = spline(x, raw, -2.0, 2.0, ends)
    back, inverse_log_slope = inverse_spline(y, raw, -2.0, 2.0, ends)
    assert (back - x).abs().max() < 1e-10
    assert (log_slope + inverse_log_slope).abs().max() < 1e-9
    raw, y = raw[:, 0, :3].clone().requires_grad_(), y[0, :3].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda y, r: inverse_spline(y, r, -2.0, 2.0, ends), (y, raw))


def test_spline_is_monotone_and_has_unit_slope_at_its_tails():
    raw, _ = random_spline("linear", shape=(1,), scale=4.0)
    x = torch.linspace(-2.5, 2.5, 4001, dtype=torch.float64)
    y, log_slope = spline(x, raw.expand(-1, 4001), -2.0, 2.0, "linear")
    assert (y.diff() > 0).all()
    near = (2 - x.abs()).abs() < 1.5e-3
    assert log_slope[near].abs().max() < 0.2 and log_slope[(x.abs() >= 2)].abs().max() == 0
    inner = torch.tensor([-2.0, 2.0], dtype=torch.float64) * (1 - 1e-9)
    assert spline(inner, raw.expand(-1, 2), -2.0, 2.0, "linear")[1].abs().max() < 1e-4


def test_inverse_spline_survives_extreme_parameters_in_single_precision():
    raw, x = random_spline("linear", bins=32, shape=(2000,), scale=12.0)
    raw, x = raw.float(), x.float()
    y, _ = spline(x, raw, -2.0, 2.0, "linear")
    back, log_slope = inverse_spline(y, raw, -2.0, 2.0, "linear")
    assert torch.isfinite(back).all() and torch.isfinite(log_slope).all()
    assert (spline(back, raw, -2.0, 2.0, "linear")[0] - y).abs().max() < 2e-3
