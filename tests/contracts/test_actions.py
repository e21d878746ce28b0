"""What every gauge action promises. A file of lqcd_hpc/actions that defines a description is tested by being there;
those of scalars in test_scalar_actions.py.

A description is a dataclass with `.on(U)`. Required fields take their values from SAMPLES (action_descriptions.py);
every number that has a default is tested at another value too."""

import itertools

import numpy as np
import pytest
from action_descriptions import SAMPLES, of_gauge_fields
from reference import action as oracle
from reference import algebra, paths

from lqcd_hpc import Lattice, gauge
from lqcd_hpc.fields import Field, kinds

SYSTEMS = {"U(1)": (4, 8), "SU(2)": (4, 4, 4), "SU(3)": (4, 2, 4, 4), "SU(4)": (4, 8)}
RECTANGLES = {"wilson": 0.0, "symanzik": -1 / 12, "iwasaki": -0.331, "dbw2": -1.4088}


DESCRIPTIONS = of_gauge_fields()


def links_of(group, shape, seed=7, boundary=None):
    """Random links, zero where they leave the lattice in an open direction."""
    links = algebra.random_links(shape, kinds.colours(group), np.random.default_rng(seed), 0.7)
    for mu in range(len(shape)):
        if boundary and boundary[mu] == "open":
            np.moveaxis(links[mu], -3 - mu, 0)[-1] = 0
    return links


def field_of(links, lattice=None):
    lattice = lattice or Lattice(links.shape[-3:0:-1])
    return Field(lattice, kinds.links(links.shape[-1], lattice.ndim)).from_numpy(links)


def force_of(action):
    """dP/dt as an array of coefficients."""
    P = action.U.like(kinds.algebra(action.U.kind.nc, action.U.lattice.ndim))
    action.force(P)
    return P.to_numpy()


def weighted_loops(description, ndim):
    """The loops of a description in the oracle's form, beta included."""
    return [(description.beta * c, steps(loop)) for loop, c in description.loops(ndim)]


def steps(loop):
    return [(abs(s) - 1, 1 if s > 0 else -1) for s in loop]


def some_links(shape, seed=3):
    """One link of every direction."""
    rng = np.random.default_rng(seed)
    return [(mu, *(int(rng.integers(n)) for n in reversed(shape))) for mu in range(len(shape))]


every_action = pytest.mark.parametrize("name", DESCRIPTIONS)
every_group = pytest.mark.parametrize("group", SYSTEMS)


def test_every_file_of_the_folder_that_looks_like_an_action_is_found():
    kinds_of_the_run_file = {"wilson", "symanzik", "iwasaki", "dbw2", "loops"}
    assert kinds_of_the_run_file <= set(DESCRIPTIONS) and "wilson-anisotropy" in DESCRIPTIONS


@every_action
@every_group
def test_value_and_force_are_those_of_the_loops(name, group):
    description, links = DESCRIPTIONS[name], links_of(group, SYSTEMS[group])
    if not hasattr(description, "loops"):
        pytest.skip("no sum of loops: finite differences test it")
    action, loops = description.on(field_of(links)), weighted_loops(description, len(links))
    assert action.value() == pytest.approx(oracle.loop_action(links, loops), rel=1e-13)
    expected = algebra.to_coefficients(oracle.loop_force(links, loops))
    assert np.abs(force_of(action) - expected).max() < 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("name", RECTANGLES)
@every_group
def test_rectangle_actions_have_their_coefficients(name, group):
    """S = beta sum_x [c0 sum_{mu<nu} (1 - Re tr P/Nc) + c1 sum_{mu!=nu} (1 - Re tr R/Nc)], c0 = 1 - 8 c1."""
    links = links_of(group, SYSTEMS[group])
    action, beta = DESCRIPTIONS[name].on(field_of(links)), SAMPLES["beta"]
    assert action.value() == pytest.approx(oracle.gauge_action(links, beta, RECTANGLES[name]), rel=1e-13)
    expected = oracle.gauge_force_coefficients(links, beta, RECTANGLES[name])
    assert np.abs(force_of(action) - expected).max() < 1e-12 * np.abs(expected).max()


@every_group
def test_anisotropy_weighs_temporal_planes_by_xi_and_spatial_ones_by_its_inverse(group):
    links = links_of(group, SYSTEMS[group])
    last, sites = len(links) - 1, np.prod(SYSTEMS[group])
    planes = paths.plaquette_planes(links)
    expected = sum((1.7 if nu == last else 1 / 1.7) * (1 - p) for (_, nu), p in planes.items())
    action = DESCRIPTIONS["wilson-anisotropy"].on(field_of(links))
    assert action.value() == pytest.approx(SAMPLES["beta"] * sites * expected, rel=1e-13)


@every_action
@every_group
def test_force_is_minus_the_richardson_difference_of_the_value(name, group):
    links = links_of(group, SYSTEMS[group])
    action = DESCRIPTIONS[name].on(field_of(links))
    force = force_of(action)
    moved = DESCRIPTIONS[name].on(action.U.copy())

    def value(u):
        moved.U.from_numpy(u)
        return moved.value()

    for link in some_links(SYSTEMS[group])[-2:]:
        slope = oracle.difference_force(value, links, link, step=4e-2)
        assert np.abs(force[link] - slope).max() < 5e-8 * np.abs(force).max()


@every_action
@every_group
def test_value_is_gauge_invariant_and_the_force_turns_with_the_links(name, group):
    links = links_of(group, SYSTEMS[group])
    nc, rng = links.shape[-1], np.random.default_rng(5)
    g = algebra.exp_i(algebra.from_coefficients(rng.normal(size=(*links.shape[1:-2], max(1, nc * nc - 1)))))
    turned = np.array([g @ u @ paths.dagger(paths.shift(g, mu)) for mu, u in enumerate(links)])
    actions = [DESCRIPTIONS[name].on(field_of(u)) for u in (links, turned)]
    assert actions[1].value() == pytest.approx(actions[0].value(), rel=1e-12)
    forces = [algebra.from_coefficients(force_of(action)) for action in actions]
    assert np.abs(g @ forces[0] @ paths.dagger(g) - forces[1]).max() < 1e-12 * np.abs(forces[0]).max()


@every_action
@pytest.mark.parametrize("group, boundary", [("SU(3)", None), ("U(1)", ("open", "open"))])
def test_cold_links_have_no_action_and_feel_no_force(name, group, boundary):
    action = DESCRIPTIONS[name].on(gauge.cold(Lattice(SYSTEMS[group], boundary=boundary), group))
    assert action.value() == pytest.approx(0, abs=1e-10)
    assert np.abs(force_of(action)).max() < 1e-13


@every_action
@pytest.mark.parametrize("group", ["U(1)", "SU(2)"])
def test_replicas_have_the_bits_of_single_systems(name, group):
    shape, description = SYSTEMS[group], DESCRIPTIONS[name]
    several = np.array([links_of(group, shape, seed) for seed in range(8)])
    together = description.on(field_of(several, Lattice(shape, replicas=8)))
    alone = [description.on(field_of(links)) for links in several]
    assert np.array_equal(together.value(), [action.value() for action in alone])
    assert np.array_equal(force_of(together), [force_of(action) for action in alone])


@every_action
def test_force_is_added_with_weight_and_kept_part(name):
    links = links_of("U(1)", SYSTEMS["U(1)"])
    action = DESCRIPTIONS[name].on(field_of(links))
    P = action.U.like(kinds.algebra(1, 2))
    before = np.random.default_rng(1).normal(size=P.to_numpy().shape)
    action.force(P.from_numpy(before), weight=-0.7, keep=0.4)
    assert np.allclose(P.to_numpy(), 0.4 * before - 0.7 * force_of(action), atol=1e-14)


def test_lattices_of_odd_extents():
    links, description = links_of("U(1)", (5, 3)), DESCRIPTIONS["symanzik"]
    action, loops = description.on(field_of(links)), weighted_loops(description, 2)
    assert action.value() == pytest.approx(oracle.loop_action(links, loops), rel=1e-13)
    assert np.allclose(force_of(action), algebra.to_coefficients(oracle.loop_force(links, loops)), atol=1e-12)


def test_single_precision_is_double_precision_rounded():
    links, description = links_of("SU(2)", SYSTEMS["SU(2)"]), DESCRIPTIONS["wilson"]
    double = description.on(field_of(links))
    U = Field(Lattice(SYSTEMS["SU(2)"]), kinds.links(2, 3), "single").from_numpy(links)
    single = description.on(U)
    assert single.value() == pytest.approx(double.value(), rel=1e-6)
    force = force_of(double)
    assert np.abs(force_of(single) - force).max() < 1e-5 * np.abs(force).max()


def open_loops(loops, shape, boundary):
    """(path, weight at every site): loops that lie on the lattice, half of it for every end slice that holds a loop."""
    sites = list(itertools.product(*map(range, shape[::-1])))
    found = []
    for weight, path in loops:
        parts = [weight * open_weight(path, site[::-1], shape, boundary) for site in sites]
        found.append((path, np.reshape(parts, shape[::-1])))
    return found


def open_action(links, weighted):
    """Brute force: sum of weight (1 - Re tr W/Nc) over loops and sites."""
    nc = links.shape[-1]
    return sum(np.sum(w * (1 - paths.trace(paths.product(links, path)).real / nc)) for path, w in weighted)


def open_weight(path, site, shape, boundary):
    visited, position = [list(site)], list(site)
    for mu, sign in path:
        position[mu] += sign
        visited.append(list(position))
    weight = 1.0
    for mu in range(len(shape)):
        if boundary[mu] == "open":
            low, high = min(v[mu] for v in visited), max(v[mu] for v in visited)
            inside = low >= 0 and high < shape[mu]
            weight *= (0.5 if low == high and low in (0, shape[mu] - 1) else 1.0) if inside else 0.0
    return weight


OPEN = [("U(1)", (4, 8), ("open", "open")), ("SU(2)", (4, 4, 4), ("periodic", "periodic", "open")),
        ("SU(2)", (4, 4, 4), ("open", "periodic", "open"))]  # fmt: skip


@every_action
@pytest.mark.parametrize("group, shape, boundary", OPEN)
def test_open_boundaries_weigh_loops_in_the_end_slices_by_one_half(name, group, shape, boundary):
    links = links_of(group, shape, boundary=boundary)
    description = DESCRIPTIONS[name]
    if not hasattr(description, "loops"):
        pytest.skip("no sum of loops")
    weighted = open_loops(weighted_loops(description, len(shape)), shape, boundary)
    action = description.on(field_of(links, Lattice(shape, boundary=boundary)))
    assert action.value() == pytest.approx(open_action(links, weighted), rel=1e-13)
    force, absent = force_of(action), np.abs(links).max(axis=(-1, -2)) == 0
    assert absent.any() and np.all(force[absent] == 0)
    for link in some_links(shape):
        if not absent[link]:
            slope = oracle.difference_force(lambda u: open_action(u, weighted), links, link, step=4e-2)
            assert np.abs(force[link] - slope).max() < 5e-8 * np.abs(force).max()
