"""What every learned preconditioner promises. A file of lqcd_hpc/ml/preconditioners that describes one is tested by
being there, with a row of DESCRIPTIONS."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fermions import assert_close, fill, gauge_field, links_of  # noqa: E402
from learned_samples import DESCRIPTIONS, TABLES, gauge_carried_along, shaken  # noqa: E402
from reference import dirac  # noqa: E402

from lqcd_hpc import Lattice, LqcdError, Random, config, gauge  # noqa: E402
from lqcd_hpc.ml.bridge import slots  # noqa: E402
from lqcd_hpc.ml.layers.path_convolution import fill as set_slots  # noqa: E402
from lqcd_hpc.ml.preconditioners import models  # noqa: E402
from lqcd_hpc.ml.solvers.learned import Learned, Trained  # noqa: E402
from lqcd_hpc.ml.training.state import write_model  # noqa: E402
from lqcd_hpc.operators.wilson import Wilson  # noqa: E402
from lqcd_hpc.solvers.fgmres import FGMRES  # noqa: E402

WILSON = Wilson(mass=0.3, boundary=(1, -1), twist=(0.2, 0.0))
STACKED = [name for name in DESCRIPTIONS if "polynomial" not in name]  # what can be differentiated on its source too
every_one = pytest.mark.parametrize("name", DESCRIPTIONS)


def operator(group="SU(2)", shape=(8, 8)):
    return WILSON.on(gauge_field(links_of(group, shape, 7), Lattice(shape)))


def image(lesson, psi):
    """What the module of a lesson makes of a vector."""
    out = psi.like()
    with torch.no_grad():
        set_slots(out, lesson.module(slots(psi).clone(), lesson.module.works(lesson.A, psi.copies)))
    return out.to_numpy()


def test_every_kind_has_a_row():
    assert set(config.kinds("network")) == {name.partition(" ")[0] for name in DESCRIPTIONS}


@every_one
def test_what_learns_is_linear(name):
    D = operator()
    for lesson in shaken(DESCRIPTIONS[name].on(D)).lessons(D):
        psi, phi = fill(lesson.A.vector(2), 1), fill(lesson.A.vector(2), 2)
        both = psi.like().from_numpy(2 * psi.to_numpy() - 1j * phi.to_numpy())
        assert_close(image(lesson, both), 2 * image(lesson, psi) - 1j * image(lesson, phi))


@every_one
def test_gradients_are_those_of_finite_differences(name):
    D = operator()
    for lesson in shaken(DESCRIPTIONS[name].on(D)).lessons(D):
        works = lesson.module.works(lesson.A, 2)
        x, target = (slots(fill(lesson.A.vector(2), seed)).clone() for seed in (1, 2))
        x.requires_grad_(name in STACKED)

        def loss(lesson=lesson, works=works, x=x, target=target):
            return (lesson.module(x, works) - target).square().sum()

        loss().backward()
        generator = torch.Generator().manual_seed(5)
        for one in [*([x] if x.requires_grad else []), *lesson.module.parameters()]:
            direction, found, h = torch.randn(one.shape, generator=generator, dtype=one.dtype), [], 1e-4
            for step in (h, -h):
                with torch.no_grad():
                    one.add_(step * direction)
                    found.append(float(loss()))
                    one.sub_(step * direction)
            assert float((one.grad * direction).sum()) == pytest.approx((found[0] - found[1]) / (2 * h), rel=1e-6)


@every_one
def test_it_is_gauge_covariant(name):
    """M[U^g] g r = g M[U] r, where the test vectors of blocks are transformed along."""
    D = operator()
    network = shaken(DESCRIPTIONS[name].on(D))
    r, before, after = fill(D.vector(), 1), D.vector(), D.vector()
    network.kernels(D).apply(r, before)
    other, g = gauge_carried_along(network, D)
    turned = D.vector().from_numpy(dirac.gauge_transform_vector(g, r.to_numpy()))
    kernels = network.kernels(other)
    moved = other.vector().from_numpy(turned.to_numpy())
    after = other.vector()
    kernels.apply(moved, after)
    assert_close(after, dirac.gauge_transform_vector(g, before.to_numpy()), 1e-11)


@every_one
def test_a_solve_ends_at_the_true_residual_and_earlier_than_without(name):
    D = operator("U(1)")
    b = fill(D.vector(2), 1)
    network = DESCRIPTIONS[name].on(D)
    solver = FGMRES(tol=1e-10, preconditioner=Trained(network), preconditioner_precision="single")
    solution = solver(D, b)
    rest = b.to_numpy() - D.apply(solution.x).to_numpy()
    assert np.linalg.norm(rest) <= 1.5e-10 * np.linalg.norm(b.to_numpy())
    assert 1.5 * solution.iterations < FGMRES(tol=1e-10)(D, b).iterations


@every_one
def test_a_model_that_was_saved_is_the_same(name, tmp_path):
    D = operator("U(1)")
    network = shaken(DESCRIPTIONS[name].on(D), 1e-3)
    card = models.architecture(TABLES[name], D.U)
    if owner := getattr(network, "identity", lambda D: {})(D):
        card["belongs_to"] = owner
    write_model(tmp_path / "model", network.state_dict(), card)
    r, expected, found = fill(D.vector(), 1), D.vector(), D.vector()
    network.kernels(D).apply(r, expected)
    Learned(model=str(tmp_path)).on(D).apply(r, found)
    assert np.array_equal(found.to_numpy(), expected.to_numpy())
    if owner:
        with pytest.raises(LqcdError, match="trained for lattice = 8x8, this operator has 16x8"):
            Learned(model=str(tmp_path)).on(operator("U(1)", (16, 8)))
        with pytest.raises(LqcdError, match="does not fit this gauge field"):
            Learned(model=str(tmp_path)).on(WILSON.on(gauge.hot(Lattice((8, 8)), Random(9), "U(1)")))
    with pytest.raises(LqcdError, match=r"group = U\(1\), this operator has SU\(2\)"):
        Learned(model=str(tmp_path)).on(operator("SU(2)"))
