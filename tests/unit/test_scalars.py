"""Scalars and spins: laws of their motion, exact results of every model and sampler, refusals, measurements."""

import numpy as np
import pytest
from reference import exact2d
from reference import scalar as oracle

from lqcd_hpc import Lattice, LqcdError, Random, gauge, scalar
from lqcd_hpc.actions.complex_phi4 import ComplexPhi4
from lqcd_hpc.actions.phi4 import Phi4
from lqcd_hpc.actions.phi4_hopping import Phi4Hopping
from lqcd_hpc.actions.sigma import Sigma
from lqcd_hpc.actions.symanzik import Symanzik
from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.analysis.correlators import effective_masses
from lqcd_hpc.analysis.errors import estimate, exp_minus_dh
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.domain import Colour, Parity
from lqcd_hpc.measurements.plaquette import Plaquette
from lqcd_hpc.measurements.scalar import Scalar
from lqcd_hpc.measurements.scalar_correlator import ScalarCorrelator
from lqcd_hpc.sampling.colouring import site_colours
from lqcd_hpc.sampling.dynamics import Dynamics
from lqcd_hpc.sampling.heatbath import Heatbath
from lqcd_hpc.sampling.hmc import HMC
from lqcd_hpc.sampling.integrators import SCHEMES, scheme
from lqcd_hpc.sampling.metropolis import Metropolis

MODELS = {
    "phi4": Phi4(m2=-1.0, lam=0.8, normalisation="full"),
    "hopping": Phi4Hopping(beta=0.5, lam=0.5),
    "complex": ComplexPhi4(eta=4.2, lam=0.6),
    "xy": Sigma(beta=0.8, components=2),
    "heisenberg": Sigma(beta=0.8, components=3),
    "o5": Sigma(beta=0.8, components=5),
}
every_model = pytest.mark.parametrize("name", MODELS)
every_scheme = pytest.mark.parametrize("integrator", SCHEMES)


def field_of(description, shape=(6, 8), replicas=1, seed=3, boundary=None, spread=0.5):
    """A random field: spins anywhere, scalars not far from zero."""
    lattice = Lattice(shape, threads=1, replicas=replicas, boundary=boundary)
    phi = scalar.hot(lattice, Random(seed), description.field_kind)
    return phi if phi.kind.law == "unit" else phi.from_numpy(spread * phi.to_numpy())


def is_refused(name, integrator):
    return MODELS[name].field_kind.law == "unit" and integrator == "force-gradient"


@every_model
@every_scheme
def test_trajectories_are_reversible(name, integrator):
    if is_refused(name, integrator):
        pytest.skip("no force-gradient steps of spins")
    phi = field_of(MODELS[name])
    dynamics = Dynamics(MODELS[name].on(phi))
    dynamics.refresh(Random(1))
    start, momenta = phi.to_numpy(), dynamics.P.to_numpy()
    dynamics.integrate(scheme(integrator), 1.0, 6)
    assert np.abs(phi.to_numpy() - start).max() > 0.1
    dynamics.P.from_numpy(-dynamics.P.to_numpy())
    dynamics.integrate(scheme(integrator), 1.0, 6)
    assert np.abs(phi.to_numpy() - start).max() < 1e-12
    assert np.abs(dynamics.P.to_numpy() + momenta).max() < 1e-12


@every_model
@every_scheme
def test_energy_violation_scales_with_the_order(name, integrator):
    if is_refused(name, integrator):
        pytest.skip("no force-gradient steps of spins")
    phi = field_of(MODELS[name], replicas=8)
    dynamics = Dynamics(MODELS[name].on(phi))
    dynamics.refresh(Random(2))
    start, momenta = phi.to_numpy(), dynamics.P.to_numpy()

    def violation(steps):
        phi.from_numpy(start)
        dynamics.P.from_numpy(momenta)
        before = dynamics.kinetic_energy() + dynamics.action.value()
        dynamics.integrate(scheme(integrator), 0.5, steps)
        return np.sqrt(np.mean((dynamics.kinetic_energy() + dynamics.action.value() - before) ** 2))

    assert np.log2(violation(8) / violation(16)) == pytest.approx(scheme(integrator).order, abs=0.2)


@pytest.mark.parametrize("name", ["xy", "heisenberg", "o5"])
def test_spins_turn_along_great_circles_and_momenta_with_them(name):
    s = field_of(MODELS[name])
    dynamics = Dynamics(MODELS[name].on(s))
    dynamics.refresh(Random(4))
    s0, p0 = s.to_numpy(), dynamics.P.to_numpy()
    assert np.abs(np.sum(s0 * p0, axis=-1)).max() < 1e-14
    size = np.linalg.norm(p0, axis=-1, keepdims=True)
    for launch in dynamics._drift(0.7, None):
        launch()
    assert np.abs(s.to_numpy() - (s0 * np.cos(0.7 * size) + p0 / size * np.sin(0.7 * size))).max() < 1e-14
    assert np.abs(dynamics.P.to_numpy() - (p0 * np.cos(0.7 * size) - s0 * size * np.sin(0.7 * size))).max() < 1e-14
    dynamics.P.from_numpy(0 * p0)
    dynamics._drift(0.7, None)[0]()
    assert np.all(np.isfinite(s.to_numpy())) and np.all(dynamics.P.to_numpy() == 0)


@every_model
def test_momenta_have_one_half_per_degree_of_freedom(name):
    phi = field_of(MODELS[name], replicas=64)
    dynamics = Dynamics(MODELS[name].on(phi))
    dynamics.refresh(Random(5))
    free = phi.lattice.volume * (phi.reals - (phi.kind.law == "unit"))
    energies = dynamics.kinetic_energy()
    assert energies[0] == pytest.approx(np.sum(np.abs(dynamics.P.to_numpy()[0]) ** 2) / 2, rel=1e-13)
    assert abs(energies.mean() - free / 2) < 4 * np.sqrt(free / 2 / 64)
    assert 0.5 < energies.var() / (free / 2) < 1.7


def test_starts():
    lattice = Lattice((16, 16), replicas=8)
    s = scalar.hot(lattice, Random(1), kinds.spins(3)).to_numpy()
    assert np.abs(np.linalg.norm(s, axis=-1) - 1).max() < 1e-15
    assert np.abs(s.mean(axis=(0, 1, 2))).max() < 4 / np.sqrt(3 * 2048)
    assert np.abs((s**2).mean(axis=(0, 1, 2)) - 1 / 3).max() < 0.03
    phi = scalar.hot(lattice, Random(1), kinds.complex_scalars()).to_numpy()
    assert abs(np.mean(phi.real**2) - 1) < 0.15 and abs(np.mean(phi.real * phi.imag)) < 0.1
    assert not np.array_equal(phi[0], phi[1])
    assert np.all(scalar.cold(lattice, kinds.scalars()).to_numpy() == 0)


def test_spins_are_put_back_on_their_sphere():
    s = field_of(MODELS["heisenberg"])
    before = s.to_numpy()
    s.from_numpy(1.001 * before)
    assert scalar.normalise(s) == pytest.approx(0.001, rel=1e-9)
    assert np.abs(s.to_numpy() - before).max() < 1e-15


# ---- exact results; each within three errors of the Gamma method


def histories(update, measure, thermalisation, updates, seed=12):
    """name -> (replicas, updates) of what a measurement tells, and the reports of all updates."""
    rng, told, reports = Random(seed), [], []
    for number in range(thermalisation + updates):
        report = update.update(rng)
        if number >= thermalisation:
            told.append(measure())
            reports.append(report)
    return {name: np.array([one[name] for one in told]).T for name in told[0]}, reports


def prepared(description, shape, replicas, boundary=None):
    """Replicas after some Metropolis sweeps from a cold start."""
    phi = scalar.cold(Lattice(shape, threads=1, replicas=replicas, boundary=boundary), description.field_kind)
    action, rng = description.on(phi), Random(29)
    metropolis = Metropolis(action, width=0.6, hits=3)
    for _ in range(40):
        metropolis.update(rng)
    return action


def hmc(tau, steps):
    return lambda action: HMC(action, steps, tau)


def metropolis(width, hits=3, overrelaxation=0):
    return lambda action: Metropolis(action, width, hits, overrelaxation)


def moment(name):
    return lambda columns: columns[name]


FREE6 = Phi4(m2=4.0, lam=0.0, normalisation="half")
FREE8 = Phi4(m2=1.25, lam=0.0, normalisation="half")
E1 = Phi4(m2=-4.0, lam=6.975, normalisation="full")
HOPPING = Phi4Hopping(beta=0.537, lam=0.5)
GAS = ComplexPhi4(eta=4.01, lam=1.0)
XY, RING = Sigma(beta=0.6, components=2), Sigma(beta=1.3, components=3)
OPEN = ("open", "periodic")
LADDER = {"bond": (2 * oracle.xy_ladder(0.6, 8), 0)}
CHAIN = {"bond": (oracle.heisenberg_chain(1.3, 8), 0)}
# expected values with their errors; E1: arXiv:1904.12072; a tau that no mode of the free field returns in
EXACT = [
    (FREE6, (6, 6), None, hmc(0.5, 3), {"phi2": (0.1341530383, 0), "m2": (0.25, 0)}),
    (FREE6, (6, 6), None, metropolis(0.6), {"phi2": (0.1341530383, 0), "m2": (0.25, 0)}),
    (FREE8, (8, 8), None, hmc(0.8, 4), {"phi2": (0.2339670015, 0)}),
    (FREE8, (8, 8), None, metropolis(0.6), {"phi2": (0.2339670015, 0)}),
    (E1, (6, 6), None, hmc(1.0, 8), {"phi2": (0.16139, 0.00004), "m2": (1.0620, 0.0033)}),
    (E1, (6, 6), None, metropolis(0.5), {"phi2": (0.16139, 0.00004), "m2": (1.0620, 0.0033)}),
    (HOPPING, (6, 6), None, hmc(1.0, 6), {"phi2": (0.60411, 0.00033), "m2": (4.028, 0.021)}),
    (HOPPING, (6, 6), None, metropolis(0.8), {"phi2": (0.60411, 0.00033), "m2": (4.028, 0.021)}),
    (GAS, (4, 60), None, hmc(1.0, 8), {"phi2": (0.26199, 0.00006)}),
    (GAS, (4, 60), None, metropolis(0.4), {"phi2": (0.26199, 0.00006)}),
    (XY, (2, 8), None, hmc(1.5, 6), LADDER),
    (XY, (2, 8), None, metropolis(1.5), LADDER),
    (XY, (2, 8), None, metropolis(1.5, 1, 2), LADDER),
    (RING, (1, 8), OPEN, hmc(1.5, 8), CHAIN),
    (RING, (1, 8), OPEN, metropolis(1.5), CHAIN),
    (RING, (1, 8), OPEN, metropolis(1.5, 1, 2), CHAIN),
]


@pytest.mark.parametrize("case", range(len(EXACT)), ids=lambda k: f"{EXACT[k][0]}-{k}")
def test_means_are_exact(case, figure):
    description, shape, boundary, make, expected = EXACT[case]
    action = prepared(description, shape, 128, boundary)
    update = make(action)
    found, reports = histories(update, Scalar().on(action.phi), 10, 400)
    for name, (value, error) in expected.items():
        got = estimate(found[name], name)
        assert got.error < 0.025 * value and got.deviation(value) * got.error < 3 * np.hypot(got.error, error)
        figure(f"{description} {update.kind} {name}", got.mean, got.error, value)
    assert np.mean([np.mean(getattr(r, "acceptance", r.accepted)) for r in reports]) > 0.3


def test_the_free_field_of_the_table_is_that_of_the_sum_over_momenta():
    assert oracle.free_square((6, 6), 4.0) == pytest.approx(0.1341530383, abs=1e-10)
    assert oracle.free_square((8, 8), 1.25) == pytest.approx(0.2339670015, abs=1e-10)


@pytest.mark.parametrize("name, steps", [("phi4", 4), ("complex", 4), ("xy", 2), ("heisenberg", 2)])
def test_coarse_trajectories_are_exact(name, steps):
    action = prepared(MODELS[name], (6, 8), 256)
    _, reports = histories(HMC(action, steps, 1.2), lambda: {"none": 0}, 5, 60)
    delta = np.array([report.delta_h for report in reports])
    assert delta.std() > 0.03
    one = exp_minus_dh(delta.T)
    assert one.error < 0.05 and one.deviation(1) < 3.5
    accepted = np.array([report.accepted for report in reports])
    assert abs(np.mean(accepted - np.minimum(1, np.exp(-delta)))) < 3 * 0.5 / np.sqrt(accepted.size)


LINKS = [("U(1)", Wilson(beta=2.0), 1.2, 0), ("U(1)", Wilson(beta=2.0), 1.2, 1), ("SU(2)", Wilson(beta=2.2), 0.6, 0),
         ("SU(3)", Wilson(beta=3.0), 0.5, 1)]  # fmt: skip


@pytest.mark.parametrize("group, description, width, overrelaxation", LINKS)
def test_metropolis_of_links_has_the_exact_plaquette(group, description, width, overrelaxation):
    U = gauge.cold(Lattice((8, 8), threads=1, replicas=128), group)
    update = Metropolis(description.on(U), width, hits=2, overrelaxation=overrelaxation)
    found, reports = histories(update, Plaquette().on(U), 50, 100)
    nc, beta = U.kind.nc, description.beta
    exact = exact2d.plaquette_u1(beta, 64) if nc == 1 else exact2d.plaquette_sun(nc, beta, 64, boxes=6)
    got = estimate(found["plaquette"], "plaquette")
    assert got.error < 0.005 * exact and got.deviation(exact) < 3
    assert 0.3 < np.mean([r.acceptance for r in reports]) < 0.95
    assert max(np.max(r.drift) for r in reports) < 1e-14


def test_metropolis_and_hmc_agree_on_links_with_rectangles():
    found = []
    for make in (metropolis(0.6), hmc(1.0, 6)):
        U = gauge.cold(Lattice((8, 8), threads=1, replicas=128), "SU(2)")
        columns, _ = histories(make(Symanzik(beta=2.5).on(U)), Plaquette().on(U), 40, 80)
        found.append(estimate(columns["plaquette"]))
    assert abs(found[0].mean - found[1].mean) < 3 * np.hypot(found[0].error, found[1].error)


def test_absent_links_stay_absent_and_are_not_counted():
    U = gauge.cold(Lattice((4, 8), boundary=("open", "open")), "U(1)")
    update, rng = Metropolis(Wilson(beta=0.0).on(U), width=1.0), Random(1)
    assert update.update(rng).acceptance == 1
    assert np.all(U.to_numpy()[0, :, -1] == 0) and np.all(U.to_numpy()[1, -1] == 0)


@pytest.mark.parametrize("boundary", [None, ("open", "periodic")])
@pytest.mark.parametrize("name", ["xy", "heisenberg", "o5"])
def test_overrelaxation_of_spins_keeps_the_action(name, boundary):
    s = field_of(MODELS[name], (6, 8), replicas=4, boundary=boundary)
    update = Metropolis(MODELS[name].on(s), width=1e-300, overrelaxation=3)
    before, value = s.to_numpy(), update.action.value()
    update.update(Random(1))
    assert update.action.value() == pytest.approx(value, rel=1e-12)
    assert np.mean(np.abs(s.to_numpy() - before).max(axis=-1) > 0.1) > 0.7


@pytest.mark.parametrize(
    "shape, boundary", [((5, 5), None), ((6, 9), None), ((5, 7), ("open", "open")), ((6, 4, 2), None)]
)
def test_sites_of_a_colour_are_no_neighbours(shape, boundary):
    lattice = Lattice(shape, boundary=boundary)
    domains, sites = (
        site_colours(lattice),
        np.stack(np.meshgrid(*map(np.arange, shape)), axis=-1).reshape(-1, len(shape)),
    )
    assert np.all(sum(d.contains(sites).astype(int) for d in domains) == 1)
    for mu in range(len(shape)):
        there = sites + np.eye(len(shape), dtype=int)[mu]
        inside = there[:, mu] < shape[mu] if lattice.is_open(mu) else np.ones(len(sites), bool)
        there = there % np.array(shape)
        assert not any(np.any(d.contains(sites[inside]) & d.contains(there[inside])) for d in domains)
    assert (
        domains == [Parity(0), Parity(1)] if shape == (6, 4, 2) else shape != (5, 5) or isinstance(domains[0], Colour)
    )


def test_metropolis_on_odd_extents():
    description = Phi4(m2=1.0, lam=0.0, normalisation="half")
    action = prepared(description, (5, 5), 128)
    found, _ = histories(Metropolis(action, 0.8, 3), Scalar().on(action.phi), 0, 150)
    got = estimate(found["phi2"])
    assert got.error < 0.01 and got.deviation(oracle.free_square((5, 5), 1.0)) < 3


PHI, LINK = Phi4(m2=1.0, lam=0.0, normalisation="half"), Wilson(beta=1.0)
REFUSED = [
    (lambda: Heatbath(PHI.on(field_of(PHI))), "heatbath is for links"),
    (lambda: Metropolis(PHI.on(field_of(PHI)), 0.5, overrelaxation=1), "no over-relaxation of scalars"),
    (lambda: Metropolis(PHI.on(field_of(PHI)), 0.0), "width > 0"),
    (lambda: Metropolis(PHI.on(field_of(PHI)), 0.5, hits=2000), "hits <= 1000"),
    (lambda: Metropolis(PHI.on(field_of(PHI, (1, 8))), 0.5), "its own neighbour"),
    (lambda: Metropolis(PHI.on(field_of(PHI, (11, 13))), 0.5), "no colouring"),
    (lambda: Metropolis(Symanzik(beta=1.0).on(gauge.cold(Lattice((2, 8)), "U(1)")), 0.5), "meets a link"),
    (lambda: HMC(XY.on(field_of(XY)), 2, integrator=scheme("force-gradient")).update(Random(1)), "force-gradient"),
    (lambda: XY.on(field_of(RING)), r"acts on spins of shape \(2,\)"),
    (lambda: Scalar().on(gauge.cold(Lattice((4, 4)), "U(1)")), "for scalars and spins"),
    (lambda: ScalarCorrelator().on(field_of(PHI, boundary=("periodic", "open"))), "periodic last direction"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_makes_no_sense_is_refused(number):
    call, why = REFUSED[number]
    with pytest.raises(LqcdError, match=why):
        call()


# ---- measurements


@every_model
def test_moments_are_those_of_the_field(name):
    phi = field_of(MODELS[name], replicas=3)
    found, values = Scalar().on(phi)(), phi.to_numpy().reshape(3, 8, 6, *phi.kind.shape)
    for replica, one in enumerate(values):
        size = oracle.square(one, 2)
        total = oracle.square(one.sum(axis=(0, 1)), 0)
        expected = {"phi2": size.mean(), "phi4": (size**2).mean(), "bond": oracle.bonds(one, (0, 0)) / 48}
        expected |= {"m2": total / 48, "abs_m": np.sqrt(total) / 48}
        assert {key: value[replica] for key, value in found.items()} == pytest.approx(expected, rel=1e-12)


def test_the_correlator_of_the_free_field_has_its_pole():
    """C(t) = (1/T) sum_p cos(p t)/(p_hat^2 + m^2), cosh of the mass = 1 + m^2/2."""
    action = prepared(FREE8, (4, 8), 256)
    found, _ = histories(HMC(action, 4, 0.8), ScalarCorrelator().on(action.phi), 0, 150)
    correlator = found["correlator"].transpose(2, 1, 0)  # (updates, T, replicas)
    p = 2 * np.pi * np.arange(8) / 8
    for t in range(8):
        exact = np.mean(np.cos(p * t) / (4 * np.sin(p / 2) ** 2 + 1.25))
        assert estimate(correlator[:, t].T).deviation(exact) < 3.5
    mass = effective_masses(correlator)[1]
    assert mass.error < 0.1 and mass.deviation(np.arccosh(1 + 1.25 / 2)) < 3
