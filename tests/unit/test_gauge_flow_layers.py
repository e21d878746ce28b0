"""Maps of circles and of SU(N), their masks, and flows of links, against exact results."""

from math import log, pi

import pytest

torch = pytest.importorskip("torch")

from scipy.special import iv  # noqa: E402

from lqcd_hpc.actions.wilson import Wilson  # noqa: E402
from lqcd_hpc.errors import LqcdError  # noqa: E402
from lqcd_hpc.ml.flows.circular import Circular  # noqa: E402
from lqcd_hpc.ml.flows.residual import Residual  # noqa: E402
from lqcd_hpc.ml.flows.spectral import Spectral  # noqa: E402
from lqcd_hpc.ml.layers.checkerboard_links import CheckerboardLinks  # noqa: E402
from lqcd_hpc.ml.layers.circle import MAPS  # noqa: E402
from lqcd_hpc.ml.layers.eigensystem import eigensystem  # noqa: E402
from lqcd_hpc.ml.layers.plaquette_masks import Stripes  # noqa: E402
from lqcd_hpc.ml.layers.spectral import SpectralMap, alcove, coordinates, log_density  # noqa: E402
from lqcd_hpc.ml.layers.stout_residual import fixed_point  # noqa: E402
from lqcd_hpc.ml.nets.convolutional import Convolutional  # noqa: E402
from lqcd_hpc.ml.noise import Noise  # noqa: E402
from lqcd_hpc.ml.priors import Haar  # noqa: E402
from lqcd_hpc.ml.targets import target  # noqa: E402
from lqcd_hpc.ml.targets.group_toy import GroupToy  # noqa: E402

NET = Convolutional(hidden=[4], kernel=3)
MATRICES = pytest.mark.parametrize("nc", [2, 3, 4])


def _haar(nc, count, event=0):
    return Haar((nc, nc)).sample(count, Noise(seed=8, event=event))


def _random_map(nc, count, seed=2):
    """A spectral map, and parameters that depend on the coordinates already moved."""
    spectral = SpectralMap(nc, 4)
    raw = Noise(seed, 0).normal(nc - 1, (spectral.outputs, 1))

    def parameters(j, moved):
        return raw[j] * (1 + sum(moved) + torch.zeros(count, dtype=torch.float64))

    return spectral, parameters


@pytest.mark.parametrize("kind", MAPS)
def test_a_circle_map_winds_once(kind):
    """It increases, its slope integrates to 2 pi, and it is continuous at +-pi."""
    circle_map = MAPS[kind](3)
    raw = Noise(1, 0).normal(circle_map.outputs, (5, 1)).expand(-1, -1, 20000)
    x = (2 * pi * (torch.arange(20000, dtype=torch.float64) + 0.5) / 20000 - pi).expand(5, -1)
    y, log_slope = circle_map.forward(x, raw)
    assert torch.allclose(log_slope.exp().mean(1), torch.ones(5, dtype=torch.float64), rtol=0, atol=1e-6)
    steps = torch.remainder(y - y.roll(1, 1), 2 * pi)
    assert torch.allclose(steps.sum(1), torch.full((5,), 2 * pi, dtype=torch.float64))
    assert steps.max() < 0.1


@pytest.mark.parametrize("kind", MAPS)
def test_circle_maps_are_inverted_in_single_precision(kind):
    circle_map = MAPS[kind](3)
    raw = 0.5 * Noise(1, 0, dtype=torch.float32).normal(circle_map.outputs, (1000,))
    x = 2 * pi * Noise(2, 0, dtype=torch.float32).uniform(1000) - pi
    y, log_slope = circle_map.forward(x, raw)
    back, inverse_log_slope = circle_map.inverse(y, raw)
    assert (torch.remainder(back - x + pi, 2 * pi) - pi).abs().max() < 1e-4
    assert (log_slope + inverse_log_slope).abs().max() < 1e-3


def test_stripes_take_every_link_once_in_eight_layers():
    taken = torch.zeros(2, 8, 4)
    for number in range(8):
        Stripes((4, 8), number).active(taken).add_(1)
    assert (taken == 1).all()


@pytest.mark.parametrize("shape", [(4, 2), (2, 4, 2), (2, 2, 2, 4)])
def test_checkerboards_take_every_link_once_and_staples_hold_no_active_one(shape):
    d, volume = len(shape), torch.tensor(shape).prod()
    taken = torch.zeros(d * volume)
    for number in range(2 * d):
        links = CheckerboardLinks(shape, number)
        active = links.mu * volume + links.active
        taken[active] += 1
        assert not torch.isin(links.table(), active).any()
    assert (taken == 1).all()


@MATRICES
def test_eigenvectors_are_orthonormal_also_where_eigenvalues_coincide(nc):
    v = _haar(nc, 500)
    for gap in (0, 1e-16, 1e-12, 1e-8, 1e-4, 1):
        phases = torch.tensor([0.3, 0.3 + gap, -0.6 - gap, 0.3][:nc], dtype=torch.float64)
        for u in (v * torch.exp(1j * phases) @ v.mH, torch.linalg.matrix_exp(1j * gap * (v + v.mH))):
            found, vectors = eigensystem(u)
            assert (vectors.mH @ vectors - torch.eye(nc)).abs().max() < 1e-14
            assert (vectors * torch.exp(1j * found)[..., None, :] @ vectors.mH - u).abs().max() < 1e-14


@MATRICES
def test_a_spectral_map_of_zeros_is_the_identity(nc):
    u, spectral = _haar(nc, 100), SpectralMap(nc, 4)
    same, log_det = spectral.forward(u, lambda j, moved: u.real.new_zeros(spectral.outputs, 100))
    assert (same - u).abs().max() < 1e-13
    assert log_det.abs().max() < 1e-12


@MATRICES
def test_a_spectral_map_does_not_see_the_order_of_eigenvalues(nc):
    """diag(e^{i theta}) with its entries permuted goes to the permuted image, with the same log det."""
    spectral, parameters = _random_map(nc, 50)
    phases, _ = eigensystem(_haar(nc, 50))
    moved, log_det = spectral.forward(torch.diag_embed(torch.exp(1j * phases)), parameters)
    order = torch.arange(nc).roll(1)
    permuted, same = spectral.forward(torch.diag_embed(torch.exp(1j * phases[:, order])), parameters)
    assert (permuted - moved[:, order][:, :, order]).abs().max() < 1e-12
    assert (same - log_det).abs().max() < 1e-11


@MATRICES
def test_a_spectral_map_stays_in_the_group(nc):
    spectral, parameters = _random_map(nc, 200)
    u, _ = spectral.forward(_haar(nc, 200), parameters)
    assert (u @ u.mH - torch.eye(nc)).abs().max() < 1e-13
    assert (torch.linalg.det(u) - 1).abs().max() < 1e-13


@MATRICES
def test_degenerate_eigenvalues_have_finite_gradients(nc):
    v = _haar(nc, 100)
    for gap in (0, 1e-300, 1e-15, 1e-8):
        phases = torch.tensor([0.3, 0.3 + gap, -0.6 - gap, 0][:nc] if nc > 2 else [gap, -gap], dtype=torch.float64)
        u = torch.cat([v * torch.exp(1j * phases) @ v.mH, torch.linalg.matrix_exp(1j * gap * (v + v.mH))])
        u.requires_grad_()
        spectral, parameters = _random_map(nc, 200)
        moved, log_det = spectral.forward(u, parameters)
        (moved.real.sum() + log_det.sum()).backward()
        assert torch.isfinite(moved.abs()).all() and torch.isfinite(log_det).all()
        assert torch.isfinite(u.grad.abs()).all()


def test_the_density_of_alcove_coordinates_is_that_of_haar():
    """<|tr U|^2> = 1 and <(tr U)^3> = 1 of SU(3), by the integral over the two coordinates."""
    n = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
    u = [w.flatten() for w in torch.meshgrid(n, n, indexing="ij")]
    phases = alcove(u)
    assert all(torch.allclose(a, b) for a, b in zip(coordinates(phases), u))
    weight, trace = log_density(u, phases).exp(), torch.exp(1j * phases).sum(-1)
    assert abs((weight * trace.abs() ** 2).sum() / weight.sum() - 1) < 1e-4
    assert abs((weight * trace**3).sum() / weight.sum() - 1) < 1e-4


@pytest.mark.parametrize(
    ("group", "beta", "trace"),
    [("SU(2)", 2.2, 0.46447903), ("SU(3)", 1.0, 0.06012655), ("SU(3)", 4.0, 0.27961915), ("SU(3)", 6.0, 0.42253174)],
)
def test_weyl_integrals_give_plaquettes_of_infinite_volume(group, beta, trace):
    assert abs(GroupToy(group, beta, (1.0,)).exact["trace"] - trace) < 1e-8


@pytest.mark.parametrize(
    ("group", "flow", "plaquette", "log_z"),
    [
        ("U(1)", Circular(8, "spline", 4, NET), iv(1, 0.5) / iv(0, 0.5), 16 * (log(iv(0, 0.5)) - 0.5)),
        ("U(1)", Residual(8, 0.9, NET), iv(1, 0.5) / iv(0, 0.5), 16 * (log(iv(0, 0.5)) - 0.5)),
        ("SU(2)", Spectral(8, 4, NET), iv(2, 0.5) / iv(1, 0.5), 16 * (log(4 * iv(1, 0.5)) - 0.5)),
        ("SU(2)", Residual(8, 0.9, NET), iv(2, 0.5) / iv(1, 0.5), 16 * (log(4 * iv(1, 0.5)) - 0.5)),
    ],
    ids=["circular", "residual-u1", "spectral", "residual-su2"],
)
def test_reweighting_an_untrained_flow_gives_exact_values(group, flow, plaquette, log_z):
    """Any flow with the right density: log Z and plaquette of 4 x 4 links at beta = 0.5, where only the trivial
    representation counts on the torus (the next has weight (I_1/I_0)^16)."""
    model = target(Wilson(beta=0.5), (4, 4), group)
    flow = flow.on(model)
    with torch.no_grad():
        for number, parameter in enumerate(flow.parameters()):
            parameter += 0.02 * Noise(4, number).normal(1, parameter.shape)[0]
        links, log_q = flow.sample(4000, Noise(seed=6, event=0))
    weight = torch.exp(-model.action(links) - log_q - log_z)
    error = weight.std() / len(weight) ** 0.5
    assert error < 0.05
    assert abs(weight.mean() - 1) < 4 * error
    value = weight * (model.observables(links)["plaquette"] - plaquette)
    assert abs(value.mean()) < 4 * value.std() / len(weight) ** 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Circular(2, "spline", 4, NET).on(target(Wilson(beta=1.0), (6, 4), "U(1)")), "multiples of 4"),
        (lambda: Circular(2, "spline", 4, NET).on(target(Wilson(beta=1.0), (4, 4, 4), "U(1)")), "two dimensions"),
        (lambda: Circular(2, "spline", 4, NET).on(target(Wilson(beta=1.0), (4, 4), "SU(2)")), "spectral"),
        (lambda: Spectral(2, 4, NET).on(target(Wilson(beta=1.0), (4, 4), "U(1)")), "circular"),
        (lambda: Residual(2, 1.0, NET), "between 0 and 1"),
        (lambda: Residual(2, 0.9, NET).on(target(Wilson(beta=1.0), (3, 4), "SU(2)")), "even extents"),
        (lambda: Residual(2, 0.9, NET).on(GroupToy("SU(2)", 1.0, (1.0,))), "gauge target"),
        (lambda: GroupToy("U(1)", 1.0, (1.0,)), "SU(2)"),
        (lambda: fixed_point(lambda x: 2 * x + 1, torch.ones(1), 0.5), "not inverted"),
    ],
)
def test_what_a_flow_cannot_do_is_refused(make, message):
    with pytest.raises(LqcdError, match=message.replace("(", r"\(").replace(")", r"\)")):
        make()
