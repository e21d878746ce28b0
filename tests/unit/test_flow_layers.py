"""Layers of flows against their formulae, their limits and exactly known densities."""

import pytest

torch = pytest.importorskip("torch")

from lqcd_hpc.errors import LqcdError  # noqa: E402
from lqcd_hpc.ml.flows.affine import Affine  # noqa: E402
from lqcd_hpc.ml.flows.continuous import Continuous  # noqa: E402
from lqcd_hpc.ml.flows.gaussian import Gaussian  # noqa: E402
from lqcd_hpc.ml.flows.sequence import Sequence  # noqa: E402
from lqcd_hpc.ml.flows.sphere_exponential import SphereExponential  # noqa: E402
from lqcd_hpc.ml.flows.spins import Spins  # noqa: E402
from lqcd_hpc.ml.flows.torus import Torus  # noqa: E402
from lqcd_hpc.ml.layers.circle import APART, LARGEST_RADIUS, Moebius  # noqa: E402
from lqcd_hpc.ml.layers.masks import half  # noqa: E402
from lqcd_hpc.ml.layers.rational_quadratic import SLOPES, inverse_spline, parameters, spline  # noqa: E402
from lqcd_hpc.ml.nets import convolutional  # noqa: E402
from lqcd_hpc.ml.nets.convolutional import Convolution, Convolutional, Window  # noqa: E402
from lqcd_hpc.ml.nets.fully_connected import FullyConnected  # noqa: E402
from lqcd_hpc.ml.noise import Noise  # noqa: E402
from lqcd_hpc.ml.targets.scalar import ScalarTarget, SpinTarget, free_log_z  # noqa: E402
from lqcd_hpc.ml.targets.sphere_modes import SphereModes  # noqa: E402
from lqcd_hpc.ml.targets.torus_modes import TorusModes  # noqa: E402

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


def half_free(shape, m2):
    """The free field S = (1/2) phi (-laplace + m2) phi."""
    return ScalarTarget(None, shape, hopping=1.0, quadratic=0.5 * (2 * len(shape) + m2), quartic=0.0)


@pytest.mark.parametrize(("shape", "m2"), [((6, 6), 4.0), ((8, 8), 1.25), ((4, 3, 5), 0.3), ((3, 2, 2, 4), 1.0)])
def test_free_spectrum_samples_the_free_field_exactly(shape, m2):
    target = half_free(shape, m2)
    phi, log_q = Gaussian(spectrum="free").on(target).sample(500, Noise(seed=1, event=0))
    log_w = -target.action(phi) - log_q
    assert log_w.std() < 1e-12
    assert abs(log_w.mean() - free_log_z(shape, m2)) < 1e-11
    w = torch.exp(log_w - log_w.mean())
    assert abs(w.sum() ** 2 / (500 * (w * w).sum()) - 1) < 1e-12


def test_massive_spectrum_carries_over_to_another_lattice():
    small, large = half_free((4, 4), 0.7), half_free((10, 6), 0.7)
    trained = Gaussian(spectrum="massive", mass2=0.7).on(small)
    flow = Gaussian(spectrum="massive").on(large)
    flow.load_state_dict(trained.state_dict())
    phi, log_q = flow.sample(100, Noise(seed=1, event=0))
    assert (-large.action(phi) - log_q).std() < 1e-12


def test_no_free_field_where_the_quadratic_part_is_not_positive():
    with pytest.raises(LqcdError, match="massive"):
        Gaussian(spectrum="free").on(half_free((4, 4), -1.0))


@pytest.mark.parametrize("inputs, outputs", [(2, 3), (9, 2)])
def test_convolution_is_that_of_torch_in_all_its_forms(inputs, outputs, monkeypatch):
    """By matrix on small lattices, by windows some sites at a time or by taps on large ones, on all sites."""
    monkeypatch.setattr(convolutional, "LARGEST", 9 * 2 * 6 * 8 * 7)
    for shape in [(4, 5), (9, 10), (3, 4, 4), (5, 6, 4)]:
        d = len(shape)
        layer = Convolution(Window(shape, 3), inputs, outputs, True, 1.0, event=0)
        torch.nn.init.normal_(layer.bias, generator=torch.Generator().manual_seed(1))
        x = Noise(seed=2, event=0).normal(6, (inputs, *shape[::-1]))
        padded = torch.nn.functional.pad(x, (1, 1) * d, mode="circular")
        convolve = torch.nn.functional.conv2d if d == 2 else torch.nn.functional.conv3d
        expected = convolve(padded, layer.weight.view(outputs, inputs, *[3] * d), layer.bias.flatten())
        found = layer(x.flatten(2).permute(1, 2, 0)).permute(2, 0, 1).view(expected.shape)
        assert torch.allclose(found, expected, rtol=0, atol=1e-12)


def test_convolutional_flow_carries_over_to_a_larger_lattice():
    """A field that repeats itself is mapped to one that repeats itself, log|det| per volume the same."""
    flow = Affine(couplings=4, net=Convolutional(hidden=[4], kernel=3), rescale=True)
    small, large = flow.on(half_free((4, 4), 1.0)), flow.on(half_free((12, 8), 1.0))
    for number, p in enumerate(small.parameters()):
        p.data += 0.2 * Noise(seed=3, event=number).normal(1, p.shape)[0]
    large.load_state_dict(small.state_dict())
    z = Noise(seed=4, event=0).normal(3, (4, 4))
    with torch.no_grad():
        x, log_det = small(z)
        y, large_log_det = large(z.repeat(1, 2, 3))
    assert torch.allclose(y, x.repeat(1, 2, 3), rtol=0, atol=1e-12)
    assert torch.allclose(large_log_det, 6 * log_det, rtol=1e-12)


def test_affine_coupling_is_its_formula_with_a_masked_network_of_torch():
    """One convolutional coupling against s = tanh h_1, t = h_2 of the field with the active sites set to zero."""
    target = half_free((6, 4), 1.0)
    flow = Affine(couplings=1, net=Convolutional(hidden=[], kernel=3)).on(target)
    (head,) = [m for m in flow.modules() if isinstance(m, Convolution)]
    torch.nn.init.normal_(head.weight, generator=torch.Generator().manual_seed(2))
    z = Noise(seed=4, event=0).normal(5, (4, 6))
    active = half("checkerboard", (6, 4)).view(4, 6).double()
    padded = torch.nn.functional.pad((z * (1 - active))[:, None], (1, 1, 1, 1), mode="circular")
    h = torch.nn.functional.conv2d(padded, head.weight.view(2, 1, 3, 3))
    s, t = torch.tanh(h[:, 0]) * active, h[:, 1] * active
    x, log_det = flow(z)
    assert torch.allclose(x, z * s.exp() + t, rtol=0, atol=1e-13)
    assert torch.allclose(log_det, s.sum((1, 2)), rtol=0, atol=1e-12)


def test_masks_divide_the_lattice_in_halves():
    checkerboard = half("checkerboard", (4, 6)).view(6, 4)
    assert (checkerboard != checkerboard.roll(1, 0)).all() and (checkerboard != checkerboard.roll(1, 1)).all()
    x, y = half("stripes", (4, 6), 0).view(6, 4), half("stripes", (4, 6), 1).view(6, 4)
    assert (x == x.roll(1, 0)).all() and (x != x.roll(1, 1)).all()
    assert (y != y.roll(1, 0)).all() and (y == y.roll(1, 1)).all()
    assert all(int(half("halves", (4, 4), k).sum()) == 8 for k in range(5))
    assert not torch.equal(half("halves", (4, 4), 0), half("halves", (4, 4), 1))


def test_moebius_map_is_that_of_the_complex_plane():
    """h(z) = (1 - |w|^2)/|z - w|^2 (z - w) - w, turned so that 1 stays 1 (2002.02428)."""
    raw = torch.cat([Noise(seed=1, event=0).normal(1, (3, 1))[0], torch.zeros(1, 1)]).expand(4, 50)
    theta = torch.linspace(0, 3.1, 50, dtype=torch.float64)
    moved, log_slope = Moebius(1).forward(theta, raw)
    a, b = raw[1] + APART, raw[2]
    w = torch.complex(a, b) * LARGEST_RADIUS / torch.sqrt(1 + a * a + b * b)

    def h(z):
        return (1 - w.abs() ** 2) / (z - w).abs() ** 2 * (z - w) - w

    z = torch.exp(1j * theta)
    assert torch.allclose(torch.exp(1j * moved), h(z) / h(torch.ones_like(z)), rtol=0, atol=1e-12)
    assert (torch.remainder(moved.diff(), 2 * torch.pi) < torch.pi).all() and abs(moved[0]) < 1e-15
    assert torch.allclose(log_slope.exp(), (1 - w.abs() ** 2) / (z - w).abs() ** 2, rtol=1e-12)


def test_inverse_by_roots_carries_gradients():
    raw = Noise(seed=1, event=0).normal(1, (7, 4))[0].requires_grad_()
    theta = torch.tensor([0.3, 2.0, -1.0, 5.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t, r: Moebius(2).inverse(t, r)[0], (theta, raw))


def test_continuous_flow_converges_with_the_fourth_power_of_the_step():
    target = half_free((3, 4), 1.0)
    z = Noise(seed=4, event=0).normal(20, (4, 3))
    results = []
    for steps in (4, 8, 64):
        flow = Continuous(steps=steps, frequencies=2, times=3).on(target)
        for number, p in enumerate(flow.parameters()):
            p.data += 0.1 * Noise(seed=3, event=number).normal(1, p.shape)[0]
        with torch.no_grad():
            results.append(torch.cat([part.flatten() for part in flow(z)]))
    ratio = (results[0] - results[2]).norm() / (results[1] - results[2]).norm()
    assert 11 < ratio < 23


def turns(**keys):
    return Spins(**{"couplings": 3, "bins": 4, "vectors": 2, "kernel": 3, "net": Convolutional([4], 1)} | keys)


@pytest.mark.parametrize("components", [2, 3, 4])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_spins_at_the_poles_and_without_a_direction_have_finite_gradients(components, dtype):
    """Parallel, staggered and striped spins; squares of two by two, whose nearest neighbours add up to nothing."""
    flow = turns().on(SpinTarget(None, (4, 4), 1.0, components)).to(dtype)
    torch.manual_seed(1)
    for parameter in flow.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    one, turn, pairs = torch.ones(4), torch.tensor([1.0, -1, 1, -1]), torch.tensor([1.0, 1, -1, -1])
    signs = torch.stack([torch.outer(a, b) for a, b in [(one, one), (turn, turn), (turn, one), (pairs, pairs)]])
    z = torch.cat([signs[..., None], torch.zeros(4, 4, 4, components - 1)], -1).to(dtype).requires_grad_()
    x, log_det = flow(z)
    back, inverse_log_det = flow.inverse(x)
    exact = 1e-12 if dtype == torch.float64 else 1e-5
    assert (back - z).abs().max() < exact and (x.norm(dim=-1) - 1).abs().max() < exact
    assert (log_det + inverse_log_det).abs().max() < 1e3 * exact
    loss = (x**3).sum() + log_det.sum() + inverse_log_det.sum()
    assert all(g.abs().max() < 1e4 for g in torch.autograd.grad(loss, [z, *flow.parameters()]))


@pytest.mark.parametrize(
    ("description", "message"),
    [
        (lambda: Convolutional(hidden=[4], kernel=2), "odd number"),
        (lambda: Affine(couplings=2, net=FullyConnected(hidden=[4]), z2=True).on(half_free((4, 4), 1.0)), "tanh"),
        (lambda: Affine(couplings=2, net=FullyConnected(hidden=[4])).on(SphereModes(kappa=1.0)), "real fields"),
        (lambda: Torus(couplings=2, map="spline", components=4, net=None).on(half_free((4, 4), 1.0)), "angles"),
        (lambda: SphereExponential(layers=1, potential="radial").on(half_free((4, 4), 1.0)), "unit vector"),
        (lambda: Sequence(parts=[]), "parts"),
        (lambda: turns(kernel=2), "odd number"),
        (lambda: turns().on(SphereModes(kappa=1.0)), "unit vectors on a lattice"),
        (lambda: turns().on(half_free((4, 4), 1.0)), "unit vectors on a lattice"),
        (lambda: TorusModes(centres=[[1.0], [1.0, 2.0]], kappa=1.0), "same number"),
    ],
)
def test_what_cannot_be_is_refused_with_one_clear_message(description, message):
    with pytest.raises(LqcdError, match=message):
        description()


@pytest.mark.parametrize("target", [SphereModes(kappa=2.0), TorusModes(centres=[[0.5, 1.0], [-1.0, 2.0]], kappa=1.5)])
def test_integrals_of_modes_are_those_of_uniform_samples(target):
    w = torch.exp(-target.action(target.prior.sample(200_000, Noise(seed=1, event=0))))
    error = w.std() / len(w) ** 0.5
    assert abs(w.mean() - torch.tensor(target.exact["log_z"]).exp()) < 4 * error
