"""The numpy oracles of tests/reference against laws: force, invariance, flow, charge, reversibility."""

import numpy as np
import pytest
from reference import action, algebra, flow, integrators, paths, polyakov, topology, wilson_loops

GROUPS = [((4, 3), 1), ((3, 4), 2), ((3, 2, 4), 1), ((2, 3, 3), 3), ((2, 3, 2, 3), 1), ((2, 3, 2, 2), 2),
          ((2, 2, 3, 2), 3), ((3, 4), 4)]  # fmt: skip


def random_links(shape, nc, width=0.7):
    return algebra.random_links(shape, nc, np.random.default_rng(7), width)


def test_path_letters_and_product():
    links = random_links((2, 3, 4), 2)
    x, t = links[0], links[2]
    by_hand = x @ np.roll(t, -1, axis=2) @ paths.dagger(np.roll(x, -1, axis=0)) @ paths.dagger(t)
    assert np.allclose(paths.product(links, "+x +t -x -t"), by_hand, atol=1e-14)
    assert np.allclose(paths.product(links, "+x -x"), np.eye(2), atol=1e-14)
    with pytest.raises(ValueError, match="leaves the 2 directions"):
        paths.parse("+z", 2)


@pytest.mark.parametrize("nc", [2, 3, 4])
def test_generators(nc):
    t = algebra.generators(nc)
    assert len(t) == nc**2 - 1
    assert np.allclose(np.einsum("aij,bji->ab", t, t), np.eye(len(t)) / 2)
    assert np.allclose(t, paths.dagger(t)) and np.allclose(paths.trace(t), 0)
    p = np.random.default_rng(1).normal(size=(5, len(t)))
    assert np.allclose(algebra.to_coefficients(algebra.from_coefficients(p)), p)
    pauli_like = [t[0][0, 1], t[1][0, 1], t[nc * (nc - 1)][0, 0], t[nc * (nc - 1)][1, 1]]
    assert np.allclose(pauli_like, [0.5, -0.5j, 0.5, -0.5])


@pytest.mark.parametrize("shape, nc", GROUPS)
@pytest.mark.parametrize("c1", [0.0, -1 / 12])
def test_force_is_minus_the_finite_difference_of_the_action(shape, nc, c1):
    links, beta = random_links(shape, nc), 2.3
    force = action.gauge_force_coefficients(links, beta, c1)
    rng = np.random.default_rng(3)
    for mu in range(len(shape)):
        link = (mu, *(int(rng.integers(n)) for n in reversed(shape)))
        slope = action.difference_force(lambda u: action.gauge_action(u, beta, c1), links, link)
        assert force[link] == pytest.approx(slope, abs=2e-10)


def test_force_of_a_loop_that_meets_a_link_twice():
    links = random_links((2, 2, 3), 3)
    loops = [(0.7, "+x +t -x -t +x +t -x -t"), (0.4, "+t +t +t"), (-0.2, "+x +y +z -x -y -z")]
    force = algebra.to_coefficients(action.loop_force(links, loops))
    link = (2, 1, 0, 1)
    slope = action.difference_force(lambda u: action.loop_action(u, loops), links, link)
    assert force[link] == pytest.approx(slope, abs=2e-10)


def test_cold_links():
    links = np.zeros((4, 2, 2, 2, 2, 3, 3), complex) + np.eye(3)
    assert paths.plaquette(links) == pytest.approx((1, 1, 1)) and paths.rectangle(links) == pytest.approx(1)
    assert polyakov.polyakov(links) == pytest.approx(1)
    assert wilson_loops.wilson_loop(links, 2, 1) == pytest.approx(1)
    assert action.gauge_action(links, 6.0, -0.331) == pytest.approx(0, abs=1e-12)
    assert np.abs(action.gauge_force(links, 6.0)).max() < 1e-14
    assert topology.energy_density(links) == (0, 0) and topology.topological_charge(links) == 0


@pytest.mark.parametrize("shape, nc", [((4, 3), 1), ((2, 3, 4), 2), ((2, 3, 2, 4), 3)])
def test_observables_are_gauge_invariant_and_the_flow_is_covariant(shape, nc):
    links = random_links(shape, nc)
    turned = algebra.random_gauge_transform(links, np.random.default_rng(11))

    def observables(u):
        values = [*paths.plaquette_planes(u).values(), paths.rectangle(u), polyakov.polyakov(u)]
        values += [wilson_loops.wilson_loop(u, 2, 1), *topology.energy_density(u)]
        values += [action.gauge_action(u, 5.0, 0.1), topology.plaquette_energy_density(u)]
        return np.array(values + ([topology.topological_charge(u)] if len(shape) == 4 else []))

    assert np.allclose(observables(links), observables(turned), atol=1e-12)
    after = [flow.euler_step(flow.runge_kutta_step(u, 0.05), 0.02, -1 / 12) for u in (links, turned)]
    assert np.allclose(observables(after[0]), observables(after[1]), atol=1e-12)


@pytest.mark.parametrize("nc", [1, 2, 3])
def test_flow_descends_along_the_force(nc):
    """Z = i F for U(1), 2 Nc i F for SU(N), F the force at beta = 1; the action falls at a rate of |Z|^2."""
    links = random_links((4, 4), nc)
    z, force = flow.flow_direction(links), action.gauge_force(links, 1.0)
    assert np.allclose(z, 1j * force * (1 if nc == 1 else 2 * nc), atol=1e-13)
    eps = 1e-4
    fall = action.gauge_action(links, 1.0) - action.gauge_action(flow.euler_step(links, eps), 1.0)
    assert fall == pytest.approx(eps / nc * np.sum(np.abs(z) ** 2), rel=1e-3)


def test_runge_kutta_flow_is_of_third_order():
    links = random_links((3, 3), 3)
    exact = flow.flow(links, 0.2 / 64, 64)
    errors = [np.abs(flow.flow(links, 0.2 / n, n) - exact).max() for n in (4, 8)]
    assert 6 < errors[0] / errors[1] < 10


def abelian_flux(shape, fluxes):
    """U(1) links with constant field strength 2 pi n / (L_mu L_nu) for {(mu, nu): n}."""
    sites = np.indices(tuple(reversed(shape)))[::-1]
    angle = np.zeros((len(shape), *reversed(shape)))
    for (mu, nu), n in fluxes.items():
        angle[nu] += 2 * np.pi * n * sites[mu] / (shape[mu] * shape[nu])
        angle[mu] -= 2 * np.pi * n * sites[nu] / shape[nu] * (sites[mu] == shape[mu] - 1)
    return np.exp(1j * angle)[..., None, None]


def test_charge_and_energy_of_constant_flux():
    """Q = n_xy n_zt but for sin F in place of F; E = 1/2 sum_{mu<nu} F^2 in U(1); SU(2) doubles Q."""
    shape, fluxes = (4, 6, 4, 8), {(0, 1): 1, (2, 3): 2}
    links = abelian_flux(shape, fluxes)
    angle_xy, angle_zt = 2 * np.pi / 24, 2 * np.pi * 2 / 32
    assert np.prod(shape) * angle_xy * angle_zt / (4 * np.pi**2) == pytest.approx(1 * 2)
    f_xy, f_zt = np.sin(angle_xy), np.sin(angle_zt)
    charge = np.prod(shape) * f_xy * f_zt / (4 * np.pi**2)
    rectangle_charge = np.prod(shape) * np.sin(2 * angle_xy) * np.sin(2 * angle_zt) / (16 * np.pi**2)
    assert topology.topological_charge(links) == pytest.approx(charge, abs=1e-12)
    assert topology.topological_charge(links, topology.rectangle_strength) == pytest.approx(rectangle_charge)
    assert topology.energy_density(links) == pytest.approx((f_zt**2 / 2, f_xy**2 / 2), abs=1e-13)
    su2 = links * np.eye(2)
    su2[..., 1, 1] = su2[..., 1, 1].conj()
    assert topology.topological_charge(su2) == pytest.approx(2 * charge, abs=1e-12)
    assert topology.energy_density(su2) == pytest.approx((2 * f_zt**2, 2 * f_xy**2), abs=1e-13)


def test_action_of_constant_flux():
    """Plaquettes turn by F, rectangles by 2 F: S / V is close to beta F^2 / 2 for every c1."""
    links, beta, f = abelian_flux((16, 16), {(0, 1): 1}), 3.0, 2 * np.pi / 256
    assert action.gauge_action(links, beta) == pytest.approx(beta * 256 * (1 - np.cos(f)))
    for c1 in (-1 / 12, -0.331):
        value = (1 - 8 * c1) * (1 - np.cos(f)) + 2 * c1 * (1 - np.cos(2 * f))
        assert action.gauge_action(links, beta, c1) == pytest.approx(beta * 256 * value)
        assert action.gauge_action(links, beta, c1) == pytest.approx(beta * 256 * f**2 / 2, rel=2e-3)


def test_two_energy_densities_agree_for_a_smooth_field():
    u1 = abelian_flux((16, 16), {(0, 1): 1})
    su2 = u1 * np.eye(2)
    su2[..., 1, 1] = su2[..., 1, 1].conj()
    for links in (u1, su2):
        energy = topology.plaquette_energy_density(links)
        assert sum(topology.energy_density(links)) == pytest.approx(energy, rel=1e-3)


@pytest.mark.parametrize("name", integrators.SCHEMES)
def test_integrator_order_symmetry_and_sums(name):
    scheme, order = integrators.SCHEMES[name], integrators.ORDERS[name]
    assert sum(c for letter, c, *_ in scheme if letter == "Q") == pytest.approx(1, abs=1e-15)
    assert sum(c for letter, c, *_ in scheme if letter != "Q") == pytest.approx(1, abs=1e-15)
    assert scheme == scheme[::-1]

    def force(q):
        return -q - q**3

    def energy_change(number):
        q, p = integrators.integrate(scheme, 1.1, 0.4, force, 1.0 / number, number)
        return (p**2 - 0.4**2) / 2 + (q**2 - 1.1**2) / 2 + (q**4 - 1.1**4) / 4

    assert energy_change(16) / energy_change(32) == pytest.approx(2**order, rel=0.1)
    q, p = integrators.integrate(scheme, 1.1, 0.4, force, 0.1, 10)
    back = integrators.integrate(scheme, q, -p, force, 0.1, 10)
    assert back == pytest.approx((1.1, -0.4), abs=1e-14)
