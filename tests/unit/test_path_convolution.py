"""Convolutions along paths against their formula, and what follows from it: covariance, adjoint, gradient, Wilson."""

import numpy as np
import pytest
from ahead import compile_ahead
from fermions import assert_close, assert_covariant_and_linear, fill, gauge_field, inner, links_of
from reference import path_convolution as reference
from reference.gammas import gammas
from site_functions import simd

from lqcd_hpc import Field, Lattice, LqcdError, Random, gauge
from lqcd_hpc.operators.finish import Finish
from lqcd_hpc.operators.path_convolution import PathConvolution, weight_kind
from lqcd_hpc.operators.path_links import Transport, doubled, hops, straight, walks
from lqcd_hpc.operators.wilson import Wilson

PLANE, SPACETIME = (4, 8), (4, 4, 4, 4)
PATHS = {
    "hops": lambda ndim: hops(ndim),
    "two steps": lambda ndim: walks(2, ndim),
    "long": lambda ndim: straight(doubled(4), ndim),
    "one way": lambda ndim: ("+x", "+x +y -x", "-y -y"),
    "nowhere": lambda ndim: ("",),
}
CASES = [("U(1)", PLANE, "double", "hops", 1, 1), ("SU(2)", PLANE, "double", "two steps", 2, 3)]
CASES += [("SU(2)", PLANE, "double", "one way", 3, 2), ("SU(2)", PLANE, "single", "long", 1, 2)]
CASES += [("U(1)", PLANE, "double", "nowhere", 1, 2), ("SU(3)", SPACETIME, "double", "hops", 1, 1)]
CASES += [("SU(3)", SPACETIME, "single", "hops", 1, 2)]
TOLERANCE = {"double": 1e-13, "single": 2e-6}
CASES = [(*case, False) for case in CASES] + [(*case, True) for case in CASES if case[0] == "SU(2)"]
LONG = [("SU(3)", SPACETIME, "double", "hops", 2, 1, False)]
every_case = pytest.mark.parametrize(
    "group, shape, precision, paths, inputs, outputs, local",
    [*CASES, *(pytest.param(*case, marks=pytest.mark.long) for case in LONG)],
)


@pytest.fixture(scope="module", autouse=True)
def kernels():
    def work():
        for case in CASES:
            A = convolution(*case)[1]
            outputs, inputs = A.features
            A.weight_gradient(A.vector(inputs), A.vector(outputs))
            A.apply(A.vector(inputs))
            A.adjoint(A.vector(outputs))

    compile_ahead(work)


def boundary_of(shape):
    return (*[1] * (len(shape) - 1), -1)


def transport(paths, shape, twist=None):
    return Transport(paths=PATHS[paths](len(shape)), boundary=boundary_of(shape), twist=twist)


def random_numbers(shape, seed=5):
    re, im = np.random.default_rng(seed).normal(size=(2, *shape))
    return re + 1j * im


def convolution(group, shape, precision, paths, inputs, outputs, local=False, twist=None, seed=5):
    """Random links, and a convolution on them with random weights."""
    links = links_of(group, shape)
    U, there = gauge_field(links), transport(paths, shape, twist)
    spins = 4 if len(shape) == 4 else 2
    size = (len(there.paths), outputs, inputs, spins, spins)
    if not local:
        return links, PathConvolution(there, U, random_numbers(size, seed), precision)
    weights = fill(Field(U.lattice, weight_kind(size), precision), seed)
    return links, PathConvolution(there, U, weights, precision, (outputs, inputs))


def matrices(A):
    """The weights as the reference wants them: (p, a, b, [sites], s, t)."""
    if not A.local:
        return A.weights
    return np.moveaxis(A.weights.to_numpy(), (-5, -4, -3), (0, 1, 2))


def stacked(field, features):
    """The features of a field (one right-hand side), in front."""
    values = field.to_numpy()
    return values if features > 1 else values[None]


def phases(A):
    return np.array(A.transport.boundary) * np.exp(1j * np.array(A.transport.twist or [0.0] * A.lattice.ndim))


def formula(A, links, psi, function=reference.convolution):
    return function(links, psi, A.transport.steps, matrices(A), phases(A))


@every_case
def test_it_is_the_convolution_of_the_formula(group, shape, precision, paths, inputs, outputs, local):
    links, A = convolution(group, shape, precision, paths, inputs, outputs, local)
    psi = fill(A.vector(inputs))
    expected = formula(A, links, stacked(psi, inputs))
    assert_close(stacked(A.apply(psi), outputs), expected, TOLERANCE[precision])


@every_case
def test_its_adjoint_is_that_of_the_formula(group, shape, precision, paths, inputs, outputs, local):
    links, A = convolution(group, shape, precision, paths, inputs, outputs, local)
    phi, psi = fill(A.vector(outputs), 1), fill(A.vector(inputs), 2)
    assert_close(
        stacked(A.adjoint(phi), inputs),
        formula(A, links, stacked(phi, outputs), reference.adjoint),
        TOLERANCE[precision],
    )
    scale = np.linalg.norm(A.apply(psi).to_numpy()) * np.linalg.norm(phi.to_numpy())
    assert abs(inner(phi, A.apply(psi)) - inner(A.adjoint(phi), psi)) < TOLERANCE[precision] * scale


@every_case
def test_the_gradient_of_the_weights_is_that_of_the_formula(group, shape, precision, paths, inputs, outputs, local):
    links, A = convolution(group, shape, precision, paths, inputs, outputs, local)
    psi, slope = fill(A.vector(inputs), 1), fill(A.vector(outputs), 2)
    found = A.weight_gradient(psi, slope)
    found = np.moveaxis(found.to_numpy(), (-5, -4, -3), (0, 1, 2)) if local else found
    fields = stacked(psi, inputs), stacked(slope, outputs)
    assert_close(
        found, reference.weight_gradient(links, *fields, A.transport.steps, phases(A), local), 30 * TOLERANCE[precision]
    )


def test_the_gradient_is_that_of_finite_differences():
    _, A = convolution("SU(2)", PLANE, "double", "two steps", 1, 2)
    psi, target = fill(A.vector(1), 1), fill(A.vector(2), 2).to_numpy()

    def value(weights):
        A.set_weights(weights)
        return 0.5 * np.sum(np.abs(A.apply(psi).to_numpy() - target) ** 2)

    w, h = A.weights, 0.1  # a quadratic function: exact for any h
    slope = A.vector(2).from_numpy(A.apply(psi).to_numpy() - target)
    found = A.weight_gradient(psi, slope)
    for place in ((0, 0, 0, 0, 0), (3, 1, 0, 1, 0), (16, 0, 0, 0, 1)):
        for unit in (1, 1j):
            d = np.zeros_like(w)
            d[place] = h * unit
            slope = (value(w + d) - value(w - d)) / (2 * h)
            assert slope == pytest.approx((found[place].conjugate() * unit).real, rel=1e-11)


@pytest.mark.parametrize("group, shape", [("U(1)", PLANE), ("SU(2)", PLANE), ("SU(3)", SPACETIME)])
def test_one_layer_of_hops_with_weights_set_by_hand_is_the_wilson_operator(group, shape):
    mass, U, ndim = -0.3, gauge_field(links_of(group, shape)), len(shape)
    D = Wilson(mass=mass, boundary=boundary_of(shape), twist=(0.3,) * ndim).on(U)
    one = np.eye(4 if ndim == 4 else 2)
    w = [(mass + ndim) * one] + [m for g in gammas(ndim) for m in (-(one - g) / 2, -(one + g) / 2)]
    A = PathConvolution(transport("hops", shape, (0.3,) * ndim), U, np.array(w)[:, None, None])
    psi = fill(D.vector())
    assert_close(A.apply(psi), D.apply(psi))
    assert_close(A.adjoint(psi), D.adjoint(psi))


@pytest.mark.parametrize("path", ["+x", "-y", "+x +y +y", "+y +y +y +y +y +y +y +y +y"])
def test_there_and_back_is_the_identity(path):
    U = gauge_field(links_of("SU(2)", PLANE))
    T = PathConvolution(
        Transport(paths=(path,), boundary=(1, -1), twist=(0.3, 0.1)), U, np.eye(2).reshape(1, 1, 1, 2, 2)
    )
    psi = fill(T.vector())
    assert_close(T.adjoint(T.apply(psi)), psi)
    assert_close(T.apply(T.adjoint(psi)), psi)


@pytest.mark.parametrize("local", [False, True])
def test_it_is_gauge_covariant_and_linear(local):
    _, A = convolution("SU(2)", PLANE, "double", "two steps", 1, 1, local)
    assert_covariant_and_linear(A, A.U)


def test_right_hand_sides_beside_features_are_independent():
    _, A = convolution("SU(2)", PLANE, "double", "hops", 2, 2)
    psi = fill(A.vector(2 * 3))
    found, slope = A.apply(psi).to_numpy(), fill(A.vector(2 * 3), 4)
    gradient = 0
    for k in range(3):
        one, part = (A.vector(2).from_numpy(f.to_numpy()[k::3]) for f in (psi, slope))
        assert_close(found[k::3], A.apply(one))
        gradient = gradient + A.weight_gradient(one, part)
    assert_close(A.weight_gradient(psi, slope), gradient, 1e-12)


def test_it_ends_as_other_operators_do():
    _, A = convolution("SU(2)", PLANE, "double", "hops", 1, 1)
    psi, left, out = fill(A.vector(), 1), fill(A.vector(), 2), A.vector()
    (launch,) = A.launches(psi, out, finish=Finish(norm=True, left=left, shift=1.0))
    norm = launch()["norm0"]
    assert_close(out, A.apply(psi).to_numpy() + left.to_numpy())
    assert norm == pytest.approx(np.linalg.norm(out.to_numpy()) ** 2)


def test_any_lanes_give_the_same_bits():
    found = []
    for size in (8, 16, 64):
        with simd(size):
            _, A = convolution("SU(2)", (8, 8), "double", "one way", 2, 1)
            psi, slope = fill(A.vector(2), 1), fill(A.vector(1), 2)
            found.append((A.apply(psi).to_numpy(), A.adjoint(slope).to_numpy(), A.weight_gradient(psi, slope)))
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other))


def test_it_follows_the_gauge_field_and_new_weights():
    links, A = convolution("SU(2)", PLANE, "double", "hops", 1, 1)
    psi, out = fill(A.vector()), A.vector()
    A.apply(psi, out)
    A.U.from_numpy(links.conj())
    assert_close(A.apply(psi, out), formula(A, links.conj(), psi.to_numpy()[None])[0])
    A.set_weights(2 * A.weights)
    assert_close(A.apply(psi, out), formula(A, links.conj(), psi.to_numpy()[None])[0])


def test_an_open_end_lets_nothing_through():
    lattice = Lattice((4, 4), boundary=("periodic", "open"))
    U = gauge.hot(lattice, Random(1), "SU(2)")
    T = PathConvolution(Transport(paths=("+y", "-y"), boundary=(1, 1)), U, np.ones((2, 1, 1, 2, 2)))
    psi = np.zeros((4, 4, 2, 2))
    psi[0] = 1
    assert not T.apply(T.vector().from_numpy(psi)).to_numpy()[-1].any()


def test_a_gradient_of_nothing_is_zero_and_one_that_is_not_finite_is_not():
    _, A = convolution("U(1)", PLANE, "double", "hops", 1, 1)
    psi = fill(A.vector())
    assert not A.weight_gradient(psi, A.vector()).any()
    psi.from_numpy(np.nan * psi.to_numpy())
    assert np.isnan(A.weight_gradient(psi, psi)).all()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"paths": ("+x", "+x")}, "each of them once"),
        ({"paths": ()}, "one or more paths"),
        ({"paths": ("+z",)}, "2 directions only"),
        ({"paths": ("up",)}, "cannot read the path"),
    ],
)
def test_faulty_paths_are_refused(keys, message):
    with pytest.raises(Exception, match=message):
        Transport(boundary=(1, 1), **keys)


def test_faulty_weights_and_copies_are_refused():
    _, A = convolution("U(1)", PLANE, "double", "hops", 2, 1)
    with pytest.raises(LqcdError, match="weights of shape"):
        A.set_weights(np.ones((5, 1, 1, 2, 2)))
    with pytest.raises(LqcdError, match="not a multiple of the 2 features"):
        A.apply(A.vector(3))
    with pytest.raises(LqcdError, match="right-hand sides"):
        A.apply(A.vector(2), A.vector(2))
    field = Field(A.lattice, weight_kind((5, 1, 2, 2, 2)), "single")
    with pytest.raises(LqcdError, match="weights of every site"):
        PathConvolution(A.transport, A.U, field, "double", (1, 2))
    with pytest.raises(LqcdError, match="give one number for each of 2"):
        PathConvolution(Transport(paths=("",), boundary=(1, 1, 1)), A.U, np.ones((1, 1, 1, 2, 2)))
