"""Hybrid Monte Carlo: reversible, of the order it says, exact with any guide, and careful about what it rejects."""

import numpy as np
import pytest
from reference import algebra, exact2d
from reference import integrators as oracle

from lqcd_hpc import Lattice, LqcdError, Random, gauge
from lqcd_hpc.actions.symanzik import Symanzik
from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.fields import Field, kinds
from lqcd_hpc.fields.gauge import reunitarise
from lqcd_hpc.paths.plaquette import plaquette_planes
from lqcd_hpc.sampling.dynamics import Dynamics
from lqcd_hpc.sampling.heatbath import Heatbath
from lqcd_hpc.sampling.hmc import HMC
from lqcd_hpc.sampling.integrators import GRADIENT, SCHEMES, scheme

REPLICAS = 256
SYSTEMS = [("U(1)", (4, 8)), ("SU(2)", (8, 8)), ("SU(3)", (4, 2, 4, 4)), ("SU(4)", (4, 8))]
every_scheme = pytest.mark.parametrize("name", SCHEMES)


def lattice_of(shape, **settings):
    """One thread: small lattices gain nothing from more."""
    return Lattice(shape, threads=1, **settings)


def field_of(group, shape, replicas=1):
    """Random links near one."""
    nc = kinds.colours(group)
    links = [algebra.random_links(shape, nc, np.random.default_rng(seed), 0.5) for seed in range(replicas)]
    lattice = lattice_of(shape, replicas=replicas)
    return Field(lattice, kinds.links(nc, len(shape))).from_numpy(links[0] if replicas == 1 else links)


def plaquettes_of(U):
    planes = plaquette_planes(U)
    return sum(planes.values()) / (len(planes) * U.lattice.volume)


def replica_mean(history):
    """Mean and error of a history (updates, replicas): replicas are independent."""
    means = np.mean(history, axis=0)
    return means.mean(), means.std(ddof=1) / np.sqrt(means.size)


def run(update, thermalisation, updates, seed=31):
    """Plaquettes and trajectories after thermalisation."""
    rng, plaquettes, reports = Random(seed), [], []
    for number in range(thermalisation + updates):
        report = update.update(rng)
        if number >= thermalisation:
            plaquettes.append(plaquettes_of(update.action.U))
            reports.append(report)
    return np.array(plaquettes), reports


@pytest.mark.parametrize("ours, theirs", list(zip(SCHEMES, oracle.SCHEMES)))
def test_coefficients_are_those_of_the_papers(ours, theirs):
    letters = {"P": "P", "U": "Q", "G": "G"}
    step = [(letters[name], c) for name, c in SCHEMES[ours].step]
    assert step == [(letter, pytest.approx(c, abs=1e-15)) for letter, c, *_ in oracle.SCHEMES[theirs]]
    assert SCHEMES[ours].order == oracle.ORDERS[theirs]
    assert oracle.FORCE_GRADIENT[2][2] == GRADIENT


@every_scheme
def test_a_scheme_is_a_palindrome_that_prints_itself_and_merges_its_steps(name):
    one = scheme(name)
    assert one.step == one.step[::-1] and str(one).startswith(f"{one.name} (order {one.order}): P(")
    operations = one.trajectory(1.5, 5)
    for kind in ("U", "PG"):
        assert sum(c for letter, c in operations if letter in kind) == pytest.approx(1.5, abs=1e-14)
    assert all(a[0] != b[0] for a, b in zip(operations, operations[1:]))


def test_an_unknown_scheme_is_refused():
    with pytest.raises(LqcdError, match="choose one of leapfrog, 2mn, omf4, force-gradient"):
        scheme("rk4")


@every_scheme
@pytest.mark.parametrize("group, shape", SYSTEMS)
def test_trajectories_are_reversible(group, shape, name):
    U = field_of(group, shape)
    dynamics = Dynamics(Wilson(beta=5.0).on(U))
    dynamics.refresh(Random(1))
    links, momenta = U.to_numpy(), dynamics.P.to_numpy()
    dynamics.integrate(scheme(name), 1.0, 4)
    assert np.abs(U.to_numpy() - links).max() > 0.1
    dynamics.P.from_numpy(-dynamics.P.to_numpy())
    dynamics.integrate(scheme(name), 1.0, 4)
    assert np.abs(U.to_numpy() - links).max() < 1e-12
    assert np.abs(dynamics.P.to_numpy() + momenta).max() < 1e-12
    dynamics.P.from_numpy(momenta)
    for length in (0.5, -0.5):
        dynamics.integrate(scheme(name), length, 3)
    assert np.abs(U.to_numpy() - links).max() < 1e-12


@every_scheme
@pytest.mark.parametrize(
    "group, shape, description", [(*SYSTEMS[1], Symanzik(beta=2.0)), *((*s, Wilson(beta=5.0)) for s in SYSTEMS)]
)
def test_energy_violation_scales_with_the_order(group, shape, description, name):
    U = field_of(group, shape, replicas=8)
    dynamics = Dynamics(description.on(U))
    dynamics.refresh(Random(2))
    links, momenta = U.to_numpy(), dynamics.P.to_numpy()

    def violation(steps):
        U.from_numpy(links)
        dynamics.P.from_numpy(momenta)
        start = dynamics.kinetic_energy() + dynamics.action.value()
        dynamics.integrate(scheme(name), 0.5, steps)
        return np.sqrt(np.mean((dynamics.kinetic_energy() + dynamics.action.value() - start) ** 2))

    assert np.log2(violation(10) / violation(20)) == pytest.approx(scheme(name).order, abs=0.15)


@pytest.mark.parametrize("group, shape", SYSTEMS)
def test_a_drift_is_the_exponential_of_the_momenta(group, shape):
    U = field_of(group, shape)
    dynamics = Dynamics(Wilson(beta=5.0).on(U))
    dynamics.P.from_numpy(2.5 * np.random.default_rng(3).normal(size=dynamics.P.to_numpy().shape))
    expected = algebra.exp_i(0.3 * algebra.from_coefficients(dynamics.P.to_numpy())) @ U.to_numpy()
    for launch in dynamics._drift(0.3, None):
        launch()
    assert np.abs(U.to_numpy() - expected).max() < 1e-13


@pytest.mark.parametrize("group, shape", SYSTEMS)
def test_momenta_have_one_half_per_generator(group, shape):
    """<tr P^2> = generators x links/2, with the variance of a chi-squared distribution."""
    dynamics = Dynamics(Wilson(beta=5.0).on(field_of(group, shape)))
    rng, energies = Random(5), []
    for _ in range(60):
        dynamics.refresh(rng)
        energies.append(dynamics.kinetic_energy())
    p = dynamics.P.to_numpy()
    assert energies[-1] == pytest.approx(np.sum(p**2) / 2, rel=1e-13)
    half = p.size / 2
    assert abs(np.mean(energies) - half) < 3 * np.sqrt(half / 60)
    assert 0.5 < np.var(energies) / half < 1.7
    correlations = np.corrcoef(p.reshape(-1, p.shape[-1]).T) if p.shape[-1] > 1 else np.eye(1)
    assert np.abs(correlations - np.eye(p.shape[-1])).max() < 5 / np.sqrt(p.size / p.shape[-1])


def test_absent_links_have_no_momenta_and_stay_absent():
    lattice = lattice_of((4, 8), boundary=("open", "open"))
    U = gauge.hot(lattice, Random(1), "U(1)")
    hmc, rng = HMC(Wilson(beta=2.0).on(U), steps=5), Random(2)
    for _ in range(3):
        hmc.update(rng)
    assert np.all(U.to_numpy()[0, :, -1] == 0) and np.all(U.to_numpy()[1, -1] == 0)
    assert np.all(hmc.dynamics.P.to_numpy()[0, :, -1] == 0) and np.all(hmc.dynamics.P.to_numpy()[1, -1] == 0)
    assert np.all(hmc.dynamics.P.to_numpy()[0, :, 0] != 0)


def equilibrium(beta):
    """Replicas of an SU(2) plane, brought to equilibrium by heatbath."""
    U = gauge.cold(lattice_of((8, 8), replicas=REPLICAS), "SU(2)")
    heatbath, rng = Heatbath(Wilson(beta=beta).on(U), 1), Random(17)
    for _ in range(40):
        heatbath.update(rng)
    return U


def check_exactness(hmc, updates):
    """Plaquette, <exp(-dH)> = 1 and acceptance in equilibrium at beta = 4, with steps that are coarse on purpose."""
    plaquettes, reports = run(hmc, 0, updates)
    mean, error = replica_mean(plaquettes)
    exact = exact2d.plaquette_sun(2, 4.0, 64)
    assert error < 0.003 * exact and abs(mean - exact) < 3 * error
    delta, accepted = (np.array([getattr(r, name) for r in reports]) for name in ("delta_h", "accepted"))
    mean, error = replica_mean(np.exp(-delta))
    assert delta.std() > 0.1 and error < 0.05 and abs(mean - 1) < 3 * error
    assert 0.2 < accepted.mean() < 0.97
    assert abs(np.mean(accepted - np.minimum(1, np.exp(-delta)))) < 3 * 0.5 / np.sqrt(accepted.size)


@pytest.mark.parametrize(
    "name, steps, tau", [("leapfrog", 5, 1.0), ("2mn", 2, 1.0), ("omf4", 1, 1.0), ("force-gradient", 2, 1.5)]
)
def test_hmc_is_exact_in_two_dimensions(name, steps, tau):
    U = equilibrium(4.0)
    check_exactness(HMC(Wilson(beta=4.0).on(U), steps, tau, scheme(name)), 60)


def test_a_guide_makes_hmc_no_less_exact():
    """Molecular dynamics of another action (self-learning HMC): the distribution is that of the tested one."""
    U = equilibrium(4.0)
    check_exactness(HMC(Wilson(beta=4.0).on(U), steps=5, guide=Wilson(beta=3.8).on(U)), 60)


def test_a_guide_on_other_links_is_refused():
    U = gauge.cold(lattice_of((4, 8)), "U(1)")
    with pytest.raises(LqcdError, match="guide .* same field"):
        HMC(Wilson(beta=1.0).on(U), steps=3, guide=Wilson(beta=1.0).on(U.copy()))


def test_hmc_and_heatbath_agree_for_rectangles():
    """With two colours instead of four the heatbath would be wrong here."""
    found = []
    for make in (lambda a: Heatbath(a), lambda a: HMC(a, steps=6, tau=1.0)):
        U = gauge.cold(lattice_of((8, 8), replicas=REPLICAS), "SU(2)")
        plaquettes, _ = run(make(Symanzik(beta=2.5).on(U)), 20, 60)
        found.append(replica_mean(plaquettes))
    (heatbath, e1), (hmc, e2) = found
    assert max(e1, e2) < 0.002 * hmc and abs(heatbath - hmc) < 3 * np.hypot(e1, e2)


def test_hmc_and_heatbath_agree_for_su3_in_four_dimensions():
    found = []
    for make in (lambda a: Heatbath(a, 1), lambda a: HMC(a, steps=8, tau=1.0)):
        U = gauge.cold(lattice_of((4, 4, 4, 4), replicas=8))
        plaquettes, _ = run(make(Wilson(beta=5.5).on(U)), 30, 120)
        found.append(replica_mean(plaquettes))
    (heatbath, e1), (hmc, e2) = found
    assert max(e1, e2) < 0.01 * hmc and abs(heatbath - hmc) < 3.5 * np.hypot(e1, e2)


def test_a_rejected_trajectory_leaves_the_bits_of_its_start():
    U = gauge.hot(lattice_of((4, 8)), Random(4), "SU(2)")
    hmc, rng = HMC(Wilson(beta=40.0).on(U), steps=1, tau=3.0), Random(6)
    rejected = 0
    for _ in range(6):
        start = U.copy()
        reunitarise(start)
        report = hmc.update(rng)
        assert report.accepted == (not np.array_equal(U.to_numpy(), start.to_numpy()))
        rejected += not report.accepted
    assert rejected > 0


def test_every_replica_is_accepted_by_itself():
    U = gauge.cold(lattice_of((8, 8), replicas=16), "SU(2)")
    hmc, rng = HMC(Wilson(beta=4.0).on(U), steps=3), Random(7)
    for _ in range(5):
        start = U.copy()
        reunitarise(start)
        report = hmc.update(rng)
        same = np.all(U.to_numpy() == start.to_numpy(), axis=(1, 2, 3, 4, 5))
        assert report.delta_h.shape == (16,) and np.array_equal(report.accepted, ~same)
        assert np.all(report.accepted[report.delta_h <= 0])


def test_a_trajectory_that_is_not_finite_is_an_error_and_leaves_the_start():
    U = gauge.hot(lattice_of((4, 8)), Random(4), "SU(2)")
    reunitarise(U)
    start = U.to_numpy()
    with pytest.raises(LqcdError, match="take more steps than 1"):
        HMC(Wilson(beta=2.0).on(U), steps=1, tau=1e200).update(Random(1))
    assert np.allclose(U.to_numpy(), start, atol=1e-14)


@pytest.mark.parametrize("settings", [{"steps": 0}, {"steps": 3, "tau": 0.0}, {"steps": 3, "tau": -1.0}])
def test_settings_that_make_no_trajectory_are_refused(settings):
    with pytest.raises(LqcdError, match="tau > 0 and steps >= 1"):
        HMC(Wilson(beta=2.0).on(gauge.cold(lattice_of((4, 8)), "U(1)")), **settings)


def test_hmc_prints_its_hamiltonian_and_its_integrator():
    hmc = HMC(Wilson(beta=2.0).on(gauge.cold(lattice_of((4, 8)), "U(1)")), steps=3, integrator=SCHEMES["omf4"])
    assert "H = tr P^2 + S, S = Wilson(beta=2.0" in str(hmc) and "OMF4 (order 4): P(0.0839832)" in str(hmc)
