"""What every action of scalars and spins promises. A description with `field_kind` is tested by being there."""

import dataclasses

import numpy as np
import pytest
from action_descriptions import of_scalars
from reference import scalar as oracle

from lqcd_hpc import Lattice, LqcdError, gauge
from lqcd_hpc.fields import Field
from lqcd_hpc.sampling.motion import motion_of

DESCRIPTIONS = of_scalars()
SHAPES = [(6, 4), (4, 2, 8), (4, 4, 2, 6), (5, 3)]
every_action = pytest.mark.parametrize("name", DESCRIPTIONS)
every_shape = pytest.mark.parametrize("shape", SHAPES)


def values_of(kind, shape, seed=7):
    """Random numbers in canonical order; unit vectors for spins."""
    rng, size = np.random.default_rng(seed), (*shape[::-1], *kind.shape)
    phi = rng.normal(size=size) + (1j * rng.normal(size=size) if kind.number == "complex" else 0)
    return phi / np.linalg.norm(phi, axis=-1, keepdims=True) if kind.law == "unit" else phi


def action_of(name, phi, lattice=None, precision="double"):
    description, ndim = DESCRIPTIONS[name], phi.ndim - len(DESCRIPTIONS[name].field_kind.shape)
    lattice = lattice or Lattice(phi.shape[:ndim][::-1])
    return description.on(Field(lattice, description.field_kind, precision).from_numpy(phi))


def oracle_of(name, opened):
    """The textbook's action as a function of phi; `opened` in the order of directions."""
    parameters = dataclasses.asdict(DESCRIPTIONS[name])
    return lambda phi: getattr(oracle, name.partition("-")[0])(phi, opened[::-1], **parameters)


def force_of(action):
    P = action.field.like(motion_of(action.field).momenta)
    action.force(P)
    return P.to_numpy()


def difference_force(value, phi, site, unit):
    """-dS/dphi at a site by Richardson's differences; spins are moved along great circles of every axis."""

    def moved(change):
        other = phi.copy()
        other[site] = other[site] + change
        if unit:
            other[site] = phi[site] * np.cos(size := np.linalg.norm(change)) + change / size * np.sin(size)
        return other

    def slope(change):
        d1, d2 = ((value(moved(change / k)) - value(moved(-change / k))) * k / 2 for k in (1, 2))
        return -(4 * d2 - d1) / 3 / step

    step = 1e-3
    if not phi[site].shape:
        return slope(step) + (1j * slope(1j * step) if np.iscomplexobj(phi) else 0)
    axes = [e - (e @ phi[site]) * phi[site] for e in np.eye(len(phi[site]))]
    return np.array([slope(step * e / np.linalg.norm(e)) * np.linalg.norm(e) for e in axes])


def check_force(name, shape, boundary=None, sites=3):
    opened = [b == "open" for b in boundary or ["periodic"] * len(shape)]
    phi, rng = values_of(DESCRIPTIONS[name].field_kind, shape), np.random.default_rng(2)
    action, value = action_of(name, phi, Lattice(shape, boundary=boundary)), oracle_of(name, opened)
    assert action.value() == pytest.approx(value(phi), rel=1e-12)
    force, unit = force_of(action), action.phi.kind.law == "unit"
    if unit:
        assert np.abs(np.sum(force * phi, axis=-1)).max() < 1e-13 * np.abs(force).max()
    for site in [tuple(int(rng.integers(n)) for n in shape[::-1]) for _ in range(sites)] + [(0,) * len(shape)]:
        slope = difference_force(value, phi, site, unit)
        assert np.abs(force[site] - slope).max() < 1e-8 * np.abs(force).max()


def test_every_file_of_the_folder_that_looks_like_a_scalar_action_is_found():
    assert {"phi4", "phi4-normalisation", "phi4_hopping", "complex_phi4", "sigma", "sigma-components"} <= set(
        DESCRIPTIONS
    )


@every_action
@every_shape
def test_value_and_force_are_those_of_the_textbook(name, shape):
    check_force(name, shape)


@every_action
@pytest.mark.parametrize("boundary", [("open", "periodic", "open"), ("open", "open", "open")])
def test_there_is_nothing_beyond_open_ends(name, boundary):
    check_force(name, (4, 2, 8), boundary, sites=6)


@every_action
def test_value_is_invariant_under_translations_and_the_force_moves_along(name):
    phi = values_of(DESCRIPTIONS[name].field_kind, (4, 6, 8))
    there = np.roll(phi, (3, 1, 2), (0, 1, 2))
    here, moved = action_of(name, phi), action_of(name, there)
    assert moved.value() == here.value(), "sums are exact"
    assert np.allclose(np.roll(force_of(here), (3, 1, 2), (0, 1, 2)), force_of(moved), rtol=0, atol=1e-13)


@every_action
def test_value_has_the_symmetry_of_the_model_and_the_force_turns_with_the_field(name):
    """Z2 for one real number, U(1) for a complex one, O(N) for vectors."""
    kind = DESCRIPTIONS[name].field_kind
    phi = values_of(kind, (4, 8))
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=kind.shape * 2))[0] if kind.shape else None

    def turned(v):
        return v @ turn if kind.shape else v * (np.exp(0.7j) if kind.number == "complex" else -1)

    here, there = action_of(name, phi), action_of(name, turned(phi))
    assert there.value() == pytest.approx(here.value(), rel=1e-13)
    assert np.allclose(turned(force_of(here)), force_of(there), rtol=0, atol=1e-12)


@every_action
def test_replicas_have_the_bits_of_single_systems(name):
    kind, shape = DESCRIPTIONS[name].field_kind, (4, 8)
    several = np.array([values_of(kind, shape, seed) for seed in range(8)])
    lattice = Lattice(shape, replicas=8)
    together = DESCRIPTIONS[name].on(Field(lattice, kind).from_numpy(several))
    alone = [action_of(name, phi) for phi in several]
    assert np.array_equal(together.value(), [action.value() for action in alone])
    assert np.array_equal(force_of(together), [force_of(action) for action in alone])


@every_action
def test_force_is_added_with_weight_and_kept_part(name):
    action = action_of(name, values_of(DESCRIPTIONS[name].field_kind, (4, 8)))
    P = action.field.like(motion_of(action.field).momenta)
    before = values_of(P.kind, (4, 8), seed=1)
    action.force(P.from_numpy(before), weight=-0.7, keep=0.4)
    assert np.allclose(P.to_numpy(), 0.4 * before - 0.7 * force_of(action), atol=1e-13)


@every_action
def test_single_precision_is_double_precision_rounded(name):
    phi = values_of(DESCRIPTIONS[name].field_kind, (4, 8))
    double, single = action_of(name, phi), action_of(name, phi, precision="single")
    assert single.value() == pytest.approx(double.value(), rel=1e-5)
    assert np.abs(force_of(single) - force_of(double)).max() < 1e-5 * np.abs(force_of(double)).max()


@every_action
def test_a_field_of_another_kind_is_refused(name):
    with pytest.raises(LqcdError, match="acts on .* not on a Field of links"):
        DESCRIPTIONS[name].on(gauge.cold(Lattice((4, 4)), "U(1)"))
