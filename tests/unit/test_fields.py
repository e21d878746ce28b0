"""Fields take and give canonical arrays; gauge fields follow the textbook."""

import itertools

import numpy as np
import pytest
from reference import algebra, paths
from site_functions import simd

from lqcd_hpc import Field, Lattice, LqcdError, Random, gauge
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.exchange import Exchange
from lqcd_hpc.paths.loops import loop_traces
from lqcd_hpc.paths.plaquette import plaquette_planes

CASES = [((6, 4), "U(1)", 1), ((4, 8), "SU(2)", 2), ((3, 4, 2), "U(1)", 1)]


@pytest.fixture
def two_lanes():
    """As for the other tests here, so that they share kernels."""
    with simd(16):
        yield


def random_field(shape, nc, replicas=1, seed=1):
    """A gauge field with random links, and the links of every replica."""
    rng = np.random.default_rng(seed)
    links = [algebra.random_links(shape, nc, rng) for _ in range(replicas)]
    U = Field(Lattice(shape, replicas=replicas), kinds.links(nc, len(shape)))
    return U.from_numpy(np.array(links) if replicas > 1 else links[0]), links


def names(loop):
    return " ".join(("+" if s > 0 else "-") + "xyzt"[abs(s) - 1] for s in loop)


def loops_of(ndim):
    """A plaquette, a 3 x 2 rectangle, one that turns in the last two directions, a bent and a crossed one."""
    last, other = ndim, ndim - 1
    return [
        (1, 2, -1, -2),
        (1, 1, 1, 2, 2, -1, -1, -1, -2, -2),
        (last, other, -last, -other),
        (-last, 1, 1, last, -1, -last, -1, last),
        (1, 2, -1, -2, -1, 2, 1, -2),
        (1, -1, last, -last),
    ]


def directions(loop):
    return [(abs(s) - 1, 1 if s > 0 else -1) for s in loop]


@pytest.mark.parametrize("shape, group, nc", CASES)
def test_traces_of_loops_follow_the_textbook(shape, group, nc):
    with simd(16):
        for replicas in (1, 4):
            U, links = random_field(shape, nc, replicas)
            loops = loops_of(len(shape))
            found = loop_traces(U, [[loop] for loop in loops])
            for loop, sums in zip(loops, found):
                expected = [paths.loop_trace(u, directions(loop)) * U.lattice.volume for u in links]
                assert np.abs(np.atleast_1d(sums) - expected).max() < 1e-12 * U.lattice.volume


@pytest.mark.parametrize("shape, group, nc", CASES)
def test_plaquettes_follow_the_textbook(shape, group, nc):
    with simd(16):
        U, (links,) = random_field(shape, nc)
        expected = paths.plaquette_planes(links)
        found = plaquette_planes(U)
        assert set(found) == set(expected)
        assert all(abs(found[p] / U.lattice.volume - expected[p]) < 1e-14 for p in found)


@pytest.mark.parametrize("shape, group, nc", CASES)
def test_gauge_transformations_follow_the_textbook(shape, group, nc):
    with simd(16):
        U, (links,) = random_field(shape, nc)
        g = gauge.random_transformation(U, Random(5))
        G = g.to_numpy()
        gauge.transform(U, g)
        for mu, u in enumerate(links):
            expected = G @ u @ np.conj(np.swapaxes(np.roll(G, -1, -3 - mu), -1, -2))
            assert np.abs(U.to_numpy()[mu] - expected).max() < 1e-14


def test_the_cold_start_is_one_and_open_ends_are_zero(two_lanes):
    for boundary in itertools.product(("periodic", "open"), repeat=3):
        lattice = Lattice((4, 3, 5), boundary=boundary, replicas=2)
        expected = np.ones((2, 3, 5, 3, 4, 1, 1))
        for mu in range(3):
            if lattice.is_open(mu):
                end = [slice(None)] * 5
                end[4 - mu], end[1] = -1, mu
                expected[tuple(end)] = 0
        assert (gauge.unit(lattice, "U(1)").to_numpy() == expected).all()
        hot = gauge.hot(lattice, Random(1), "U(1)")
        assert np.allclose(np.abs(hot.to_numpy()), expected)
        assert gauge.number_of_links(lattice) == expected.sum() / 2
        assert gauge.link_trace(gauge.unit(lattice, "U(1)")).tolist() == [1, 1]
        assert gauge.unitarity_deviation(hot) < 1e-14


def test_reunitarise_reports_how_far_it_moved(two_lanes):
    U, (links,) = random_field((4, 4), 2)
    rng = np.random.default_rng(3)
    bent = links + 1e-6 * (rng.normal(size=links.shape) + 1j * rng.normal(size=links.shape))
    U.from_numpy(bent)
    assert 1e-7 < gauge.unitarity_deviation(U) < 1e-5
    drift = gauge.reunitarise(U)
    u = U.to_numpy()
    assert drift == pytest.approx(np.sqrt((np.abs(u - bent) ** 2).sum() / 32), rel=1e-12)
    assert gauge.unitarity_deviation(U) < 1e-14 and np.abs(np.linalg.det(u) - 1).max() < 1e-14
    assert gauge.reunitarise(U) < 1e-15


def test_links_that_are_not_numbers_are_not_unitary():
    U = gauge.unit(Lattice((4, 4)), "SU(2)")
    u = U.to_numpy()
    u[0, 1, 2, 0, 1] = np.nan
    assert gauge.unitarity_deviation(U.from_numpy(u)) == np.inf


@pytest.mark.parametrize("group", ["SU(1)", "U(2)", "SU(10)", "SU(0)", "O(3)", "su3", "", None])
def test_unknown_groups_are_refused(group):
    with pytest.raises(LqcdError, match='choose "U\\(1\\)", "SU\\(2\\)"'):
        gauge.unit(Lattice((4, 4)), group)


def test_a_copy_is_independent_and_assignment_changes_precision(two_lanes):
    U, (links,) = random_field((4, 6), 2)
    V = U.copy()
    W = Field(U.lattice, U.kind, "single")
    W.assign(U)
    gauge.transform(U, gauge.random_transformation(U, Random(1)))
    assert (V.to_numpy() == links).all()
    assert (W.to_numpy() == links.astype(np.complex64)).all() and W.to_numpy().dtype == np.complex64
    with pytest.raises(LqcdError, match="kind, copies and lattice must be the same"):
        U.assign(Field(U.lattice, kinds.links(3, 2)))
    with pytest.raises(LqcdError, match="kind, copies and lattice must be the same"):
        U.assign(Field(Lattice((4, 6)), U.kind))


@pytest.mark.parametrize("size", [8, 32, 64])
@pytest.mark.parametrize("replicas", [3, 4, 12])
def test_chosen_replicas_are_assigned(size, replicas):
    with simd(size):
        U, links = random_field((4, 6), 1, replicas)
        V, others = random_field((4, 6), 1, replicas, seed=2)
        V = Field(U.lattice, U.kind).from_numpy(V.to_numpy())
        chosen = np.arange(replicas) % 3 == 1
        U.assign_replicas(V, chosen)
        assert (U.to_numpy() == np.where(chosen[:, None, None, None, None, None], others, links)).all()


def test_arrays_of_another_shape_are_refused():
    field = Field(Lattice((4, 6), replicas=2), kinds.links(2, 2), copies=3)
    assert field.to_numpy().shape == (2, 3, 2, 6, 4, 2, 2)
    with pytest.raises(LqcdError, match=r"links need an array of shape \(2, 3, 2, 6, 4, 2, 2\), not \(2, 6, 4\)"):
        field.from_numpy(np.zeros((2, 6, 4)))
    with pytest.raises(LqcdError, match='choose "double" or "single"'):
        Field(Lattice((4, 4)), kinds.scalars(), "half")


def test_writing_by_hand_counts_as_a_write():
    field = Field(Lattice((4, 4)), kinds.scalars())
    version = field.version
    with field.writing() as data:
        data[...] = 1
    assert field.version == version + 1 and (field.to_numpy() == 1).all()


def test_a_field_that_memory_cannot_hold_is_refused():
    with pytest.raises(LqcdError, match="not enough memory: a field needs .* GiB, .* GiB are free"):
        Field(Lattice((64, 64, 64, 64)), kinds.links(3, 4), copies=4096)


def test_halos_are_not_poisoned_by_default():
    assert Exchange.poison is False
