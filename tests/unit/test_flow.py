"""The gradient flow: its order, its Euler steps, other actions, and what it does to an instanton."""

import numpy as np
import pytest
from reference import flow as textbook
from reference import topology

from lqcd_hpc import Flow, Iwasaki, Lattice, Random, Topology, Wilson, gauge
from lqcd_hpc.smearing.gradient_flow import GradientFlow
from lqcd_hpc.smearing.stout import Stout


@pytest.fixture(scope="module")
def field():
    return gauge.hot(Lattice((4, 4, 4, 4)), Random(2))


def flowed(U, action, eps, steps, scheme="rk3"):
    V = U.copy()
    GradientFlow(action.on(V), eps, scheme).advance(steps)
    return V.to_numpy()


def test_runge_kutta_steps_equal_the_textbook(field):
    expected = textbook.flow(field.to_numpy(), 0.05, 3)
    np.testing.assert_allclose(flowed(field, Wilson(beta=6.0), 0.05, 3), expected, atol=1e-13)


def test_the_flow_of_an_improved_action_equals_the_textbook(field):
    expected = textbook.flow(field.to_numpy(), 0.01, 2, c1=-0.331)
    np.testing.assert_allclose(flowed(field, Iwasaki(beta=1.0), 0.01, 2), expected, atol=1e-13)


def test_one_euler_step_is_one_stout_step(field):
    expected = textbook.euler_step(field.to_numpy(), 0.1)
    np.testing.assert_allclose(flowed(field, Wilson(beta=1.0), 0.1, 1, "euler"), expected, atol=1e-13)
    stout = Stout(Wilson(beta=1.0).on, rho=0.1).forward(field).to_numpy()
    np.testing.assert_allclose(stout, expected, atol=1e-13)


@pytest.mark.parametrize("scheme, order", [("euler", 1), ("rk3", 3)])
def test_the_error_of_the_flow_falls_with_its_order(scheme, order, field):
    start = gauge.unit(field.lattice).from_numpy(flowed(field, Wilson(beta=1.0), 0.02, 20))
    best = flowed(start, Wilson(beta=1.0), 0.4 / 96, 96)
    errors = [np.abs(flowed(start, Wilson(beta=1.0), 0.4 / n, n, scheme) - best).max() for n in (8, 16)]
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.25)


def test_the_flow_lowers_the_action_and_stays_in_the_group(field):
    V = field.copy()
    action = Wilson(beta=6.0).on(V)
    flow, values = GradientFlow(action, 0.05), [action.value()]
    for _ in range(5):
        flow.advance()
        values.append(action.value())
    assert all(np.diff(values) < 0)
    assert gauge.unitarity_deviation(V) < 1e-13


def test_energy_and_charge_equal_the_textbook(field):
    links = field.to_numpy()
    found = Topology().on(field)()
    time, space = topology.energy_density(links)
    assert found["energy_time"] == pytest.approx(time, rel=1e-12)
    assert found["energy_space"] == pytest.approx(space, rel=1e-12)
    assert found["charge"] == pytest.approx(topology.topological_charge(links), abs=1e-12)
    single = Topology(definition="plaquette").on(field)()
    expected = topology.topological_charge(links, topology.plaquette_strength)
    assert single["charge"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("group", ["SU(2)", "SU(3)"])
def test_an_instanton_is_self_dual_of_charge_one(group):
    """S/8 pi^2 = Q = 1 up to the lattice spacing: 1 - Q is of order (a/rho)^2 for the clover."""
    found = {}
    for extent, radius in ((8, 2.0), (12, 3.0)):
        U = gauge.instanton(Lattice((extent,) * 4), group, radius=radius)
        flow = Flow(eps=0.05, steps=20, interval=20).on(U)()
        found[radius] = abs(flow["charge"][-1])
        assert flow["energy"][-1] * extent**4 / (8 * np.pi**2) == pytest.approx(found[radius], rel=0.15)
    assert found[3.0] == pytest.approx(1, abs=0.1)
    assert 1 - found[2.0] > 2 * (1 - found[3.0])


def test_the_charge_of_two_dimensions_is_an_integer():
    lattice = Lattice((6, 6), replicas=16)
    U = gauge.hot(lattice, Random(3), "U(1)")
    charge = Topology().on(U)()["charge"]
    np.testing.assert_allclose(charge, np.round(charge), atol=1e-12)
    assert np.abs(charge).max() >= 1
