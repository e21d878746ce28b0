"""The trivializing flow: loop calculus, exact divergence, adjoint gradients, Luescher's expansion."""

from fractions import Fraction

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from flow_laws import Chart  # noqa: E402

from lqcd_hpc import LqcdError  # noqa: E402
from lqcd_hpc.actions.phi4 import Phi4  # noqa: E402
from lqcd_hpc.actions.wilson import Wilson  # noqa: E402
from lqcd_hpc.ml.flows.gaussian import Gaussian  # noqa: E402
from lqcd_hpc.ml.flows.trivializing import Trivializing, expansion, families, orders  # noqa: E402
from lqcd_hpc.ml.layers.gradient_flow import Velocity, step  # noqa: E402
from lqcd_hpc.ml.layers.matrix_fields import Frame  # noqa: E402
from lqcd_hpc.ml.noise import Noise  # noqa: E402
from lqcd_hpc.ml.priors import Haar, haar  # noqa: E402
from lqcd_hpc.ml.targets import target  # noqa: E402
from lqcd_hpc.ml.targets.gauge import path_product  # noqa: E402
from lqcd_hpc.ml.training.gauss_newton import GaussNewton  # noqa: E402
from lqcd_hpc.ml.training.processes import Processes  # noqa: E402
from lqcd_hpc.ml.training.settings import Training  # noqa: E402
from lqcd_hpc.ml.training.trainer import Trainer  # noqa: E402
from lqcd_hpc.ml.training.transfer import transfer  # noqa: E402
from lqcd_hpc.paths.loop_products import canonical, closure, images, product, steps  # noqa: E402

PLAQUETTE = (1, 2, -1, -2)


def random_links(shape, nc, batch=1, seed=1):
    return haar(Noise(seed, 0).normal(batch, (len(shape), *shape[::-1], nc, nc, 2)))


def sums(loops, links):
    """W of a class, straight from its definition."""
    total = 0
    for image in images(loops):
        product_of_traces = 1
        for walk in image:
            start, path = steps(walk)
            trace = torch.diagonal(path_product(links, path), dim1=-2, dim2=-1).sum(-1)
            shift = [-c for c in start]
            product_of_traces = product_of_traces * torch.roll(trace, shift, [-1 - mu for mu in range(len(start))])
        total = total + product_of_traces.real.flatten(1).sum(1)
    return total


def test_next_to_leading_coefficients_are_those_of_luescher():
    """0907.5491, section 4: -4/33, 12/119, 1/33, -5/119, 3/10, -1/5, 1/9 over 192 (SU(3)). A class counts a loop and
    its complex conjugate once, which are two terms there unless the product is its own conjugate."""
    single, pairs = expansion(2, 3, 1)
    assert list(single.values()) == [pytest.approx(-3 / 16)]
    expected = [
        Fraction(-8, 33),
        Fraction(24, 119),
        Fraction(2, 33),
        Fraction(-10, 119),
        Fraction(3, 5),
        Fraction(-2, 5),
    ]
    expected = sorted(float(f) for f in [*expected, Fraction(1, 9)])
    assert np.allclose(sorted(192 / 9 * value for value in pairs.values()), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("nc", [1, 2, 3])
def test_numbers_of_loops(nc):
    assert [len(some) for some in orders(2, 3)] == [1, 7, 36]
    assert [len(families(2, nc, order)) for order in (0, 1, 2)] == [1, 7, 42] or nc == 1
    assert len(families(2, 4, 1)) == 8


def displaced(links, omega):
    """exp(i omega T) U for every omega (n, size), and the generators."""
    if links.shape[-1] > 1:
        chart = Chart(Haar(links.shape[1:]), links[0])
        return chart.move(omega), chart.t
    return links * torch.exp(1j * omega.reshape(-1, *links.shape[1:])), torch.ones(1, 1, 1, dtype=links.dtype)


def coordinates(links):
    nc = links.shape[-1]
    return links[0, ..., 0, 0].numel() * max(1, nc * nc - 1)


SYSTEMS = pytest.mark.parametrize(("nc", "order", "size"), [(1, 1, 4), (2, 2, 5), (3, 1, 4), (4, 0, 3)])


@SYSTEMS
def test_velocity_is_minus_the_gradient_of_the_action(nc, order, size):
    classes = families(2, nc, order)
    torch.manual_seed(2)
    c = torch.randn(len(classes), dtype=torch.float64)
    links = random_links((size, size), nc)
    frame = Frame((size, size), nc, 1)
    fields = [frame.enter(links[:, mu]).requires_grad_() for mu in range(2)]
    z, _ = Velocity(classes, nc)(frame, fields, c)
    z = torch.stack([frame.leave(f).reshape(links[:, 0].shape) for f in z], 1)

    omega = torch.zeros(1, coordinates(links), dtype=torch.float64, requires_grad=True)
    moved, generators = displaced(links, omega)
    (slope,) = torch.autograd.grad(sum(value * sums(loops, moved).sum() for value, loops in zip(c, classes)), omega)
    slope = slope.reshape(*links.shape[:-2], len(generators)).to(generators.dtype)
    assert (z + 1j * torch.einsum("...a,aij->...ij", slope, generators)).abs().max() < 1e-11


@SYSTEMS
def test_laplacian_of_loops_is_the_sum_of_second_differences(nc, order, size):
    """sum d^a d^a W from W at U and at exp(+-ih T^a) U for every link and generator."""
    classes = families(2, nc, order)
    everything, matrix, constants = closure(classes, nc)
    links, h = random_links((size, size), nc), 1e-3
    unit = torch.eye(coordinates(links), dtype=torch.float64)
    with torch.no_grad():
        shifted, _ = displaced(links, torch.cat([h * unit, -h * unit]))
        center = torch.stack([sums(loops, links) for loops in everything])[:, 0]
        around = torch.stack([sums(loops, shifted).sum() for loops in classes])
    numerical = (around - 2 * len(unit) * center[: len(classes)]) / h**2
    expected = torch.from_numpy(matrix) @ center + size * size * torch.from_numpy(constants)
    assert torch.allclose(numerical, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("nc", [1, 2, 3, 4])
def test_operations_of_a_frame_are_those_of_torch(nc):
    torch.manual_seed(3)
    a, b = (torch.randn(20, 6, 4, nc, nc, dtype=torch.complex128) for _ in range(2))
    frame = Frame((4, 6), nc, 20)
    first, second = frame.enter(a), frame.enter(b)

    def canonical_form(field, like):
        return frame.leave(field).reshape(like.shape)

    for daggers in ((False, False), (True, False), (False, True), (True, True)):
        u, v = torch.roll(a, -1, 2), torch.roll(b, 2, 1)
        expected = (u.mH if daggers[0] else u) @ (v.mH if daggers[1] else v)
        product_ = frame.product(first, second, (1, 0), (0, -2), *daggers)
        assert (canonical_form(product_, expected) - expected).abs().max() < 1e-13
        trace = torch.diagonal(expected, dim1=-2, dim2=-1).sum(-1)
        found = frame.trace(first, second, (1, 0), (0, -2), *daggers)
        assert (canonical_form(found, trace) - trace).abs().max() < 1e-13
    algebra = frame.project(first, 0.3)
    expected = torch.linalg.matrix_exp(canonical_form(algebra, a)) @ b
    assert (canonical_form(frame.exponential(algebra, second), b) - expected).abs().max() < 1e-10


def flow_and_noise(group="SU(2)", steps=6, checkpoints=True, beta=1.0, shape=(4, 4)):
    description = Trivializing(order=1, knots=2, steps=steps, checkpoints=checkpoints)
    return description.on(target(Wilson(beta=beta), shape, group))


def gradient(flow, action, batch=16):
    x, log_q = flow.sample(batch, Noise(3, 0))
    (log_q + action(x)).mean().backward()
    return flow.layers[0].c.grad.clone()


def test_adjoint_gradient_is_that_of_backpropagation_through_the_steps():
    flow = flow_and_noise()
    layer, links = flow.layers[0], flow.prior.sample(16, Noise(3, 0))
    goal = target(Wilson(beta=1.0), (4, 4), "SU(2)")
    expected = gradient(flow, goal.action)
    frame = Frame((4, 4), 2, 16)
    fields = [frame.enter(links[:, mu]).requires_grad_() for mu in range(2)]
    coefficients, log_det = torch.einsum("nsk,kc->nsc", layer.basis, layer.c), 0
    for c in coefficients:
        fields, change = step(layer.velocity, frame, fields, c, 1 / len(coefficients), differentiable=True)
        log_det = log_det + change
    end = torch.stack([frame.leave(f).reshape(links[:, 0].shape) for f in fields], 1)
    (direct,) = torch.autograd.grad((goal.action(end) - log_det).mean(), layer.c)
    assert (direct - expected).abs().max() < 1e-10 * direct.abs().max()


def test_constant_memory_gradient_approaches_the_exact_one_with_the_order_of_the_scheme():
    goal = target(Wilson(beta=1.0), (4, 4), "SU(2)")
    errors = []
    for steps_ in (4, 8):
        exact, lean = (gradient(flow_and_noise(steps=steps_, checkpoints=keep), goal.action) for keep in (True, False))
        errors.append(((exact - lean).abs().max() / exact.abs().max()).item())
    assert errors[1] < 1e-4
    assert errors[0] / errors[1] > 6


def test_backwards_undoes_forwards_with_the_third_order_and_links_stay_in_the_group():
    errors = []
    for steps_ in (5, 10):
        flow = flow_and_noise("SU(3)", steps_, beta=3.0)
        with torch.no_grad():
            z = flow.prior.sample(8, Noise(1, 0))
            x, _ = flow(z)
            errors.append((flow.inverse(x)[0] - z).abs().max().item())
        assert (x @ x.mH - torch.eye(3)).abs().max() < 1e-12
        assert (torch.linalg.det(x) - 1).abs().max() < 1e-12
    assert errors[0] / errors[1] > 6


def test_variances_scale_with_the_powers_of_the_expansion():
    """Var S ~ beta^2; after the leading-order map Var(S - log det) ~ beta^4, after the next ~ beta^6."""
    betas = (0.3, 0.6)
    variances = []
    for beta in betas:
        goal = target(Wilson(beta=beta), (4, 4), "SU(3)")
        row = []
        for start, order in (("zero", 0), ("leading", 0), ("next", 1)):
            flow = Trivializing(order=order, knots=2, steps=8, start=start).on(goal)
            with torch.no_grad():
                x, log_q = flow.sample(256, Noise(1, 0))
                row.append((log_q + goal.action(x)).var().item())
        variances.append(row)
    slopes = np.log(np.array(variances[1]) / variances[0]) / np.log(2)
    assert np.allclose(slopes, (2, 4, 6), atol=0.3)


def test_loops_that_close_around_the_lattice_are_refused():
    with pytest.raises(LqcdError, match="need extents"):
        Trivializing(order=2, knots=2, steps=4).on(target(Wilson(beta=1.0), (4, 4), "SU(2)"))
    with pytest.raises(LqcdError, match="gauge links"):
        Trivializing(order=0, knots=2, steps=4).on(object())


def test_a_class_is_the_same_for_all_its_images():
    loops = product((1, 1, 2, -1, -1, -2))
    assert {canonical(image) for image in images(loops)} == {canonical(loops)}
    assert len(images(product(PLAQUETTE))) == 1


def test_a_larger_model_begins_as_the_smaller_one_that_it_is_given():
    goal = target(Wilson(beta=3.0), (5, 5), "SU(2)")
    small = Trivializing(order=1, knots=2, steps=4, start="next").on(goal)
    with torch.no_grad():
        small.layers[0].c += 0.01 * torch.arange(small.layers[0].c.numel()).reshape(small.layers[0].c.shape).cos()
    large = Trivializing(order=2, knots=5, steps=4, start="zero").on(goal)
    transfer(large, small.state_dict(), "small")
    z = goal.prior.sample(2, Noise(1, 0))
    with torch.no_grad():
        (x, log_det), (y, log_det_y) = small(z), large(z)
    torch.testing.assert_close(y, x, rtol=0, atol=1e-13)
    torch.testing.assert_close(log_det_y, log_det, rtol=0, atol=1e-11)
    with pytest.raises(LqcdError, match="architecture"):
        transfer(small, large.state_dict(), "large")


def test_derivatives_of_log_weights_are_those_of_every_sample():
    goal = target(Wilson(beta=1.5), (4, 4), "SU(2)")
    flow = Trivializing(order=1, knots=2, steps=3, start="next").on(goal)
    newton, noise, c = GaussNewton(flow, goal, Processes()), Noise(2, 0), flow.layers[0].c
    log_w, found = newton.derivatives(noise, 3)
    for k in (0, c.shape[1] - 1, c.numel() - 1):
        moved = []
        for h in (1e-4, -1e-4):
            with torch.no_grad():
                c.view(-1)[k] += h
                moved.append(newton(3, Noise(2, 0)))
                c.view(-1)[k] -= h
        torch.testing.assert_close(found[:, k], (moved[0] - moved[1]) / 2e-4, rtol=1e-5, atol=1e-6)


class Half:
    """One of two processes, the other of which has found the given moments."""

    def __init__(self, other):
        self.other = other

    def allreduce(self, value):
        self.own = value
        return value + self.other


def test_a_step_of_two_processes_is_that_of_one():
    rng = np.random.default_rng(1)
    r, j = rng.normal(size=40), rng.normal(size=(40, 3))
    flow, goal = torch.nn.Module(), None
    whole = GaussNewton(flow, goal, Processes())._solve(r, j, 0.5)
    first, second = Half(0.0), Half(0.0)
    GaussNewton(flow, goal, Processes(first))._solve(r[:15], j[:15], 0.5)
    second.other = first.own
    np.testing.assert_allclose(
        GaussNewton(flow, goal, Processes(second))._solve(r[15:], j[15:], 0.5), whole, rtol=1e-12
    )
    a, b = j - j.mean(0), r - r.mean()
    damped = a.T @ a + b.var() / 0.25 * np.diag(a.var(0) + 1e-4 * a.var(0).max())
    np.testing.assert_allclose(whole, -np.linalg.solve(damped, a.T @ b), rtol=1e-12)


def test_few_steps_of_gauss_and_newton_train_a_trivializing_flow():
    goal = target(Wilson(beta=1.5), (4, 4), "SU(2)")
    settings = Training(loss="variance", steps=4, batch=64, learning_rate=0.5, evaluate=4, samples=512)
    trainer = Trainer(Trivializing(order=1, knots=2, steps=3, start="zero").on(goal), goal, settings, seed=1)
    assert trainer.run()["ess"] > 0.98 and trainer.recent[0] < 0.2, trainer.evaluations
    goal = target(Wilson(beta=1.0), (4, 4), "U(1)")  # some products of loops are constant there
    trainer = Trainer(Trivializing(order=1, knots=2, steps=3, start="next").on(goal), goal, settings, seed=1)
    assert trainer.run()["ess"] > 0.95 and trainer.flow.layers[0].c.abs().max() < 1, trainer.evaluations
    scalar = target(Phi4(m2=1.0, lam=0.0, normalisation="half"), (4, 4))
    with pytest.raises(LqcdError, match="can differ from sample to sample"):
        Trainer(Gaussian(spectrum="massive").on(scalar), scalar, settings, seed=1)
