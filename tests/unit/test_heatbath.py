"""Heatbath and over-relaxation: the distribution of one link, exact results in two dimensions, colours of a sweep."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from reference import algebra, exact2d
from scipy import integrate, stats
from scipy.special import i0e

from lqcd_hpc import Lattice, LqcdError, Random, gauge
from lqcd_hpc.actions.loops import Loops
from lqcd_hpc.actions.symanzik import Symanzik
from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.analysis.errors import estimate
from lqcd_hpc.fields import Field, kinds
from lqcd_hpc.fields.domain import Colour, Parity
from lqcd_hpc.fields.launch import prepare
from lqcd_hpc.measurements.topology import Topology
from lqcd_hpc.paths.path import links, parse, staples
from lqcd_hpc.paths.plaquette import plaquette_planes
from lqcd_hpc.sampling import heatbath, local_update
from lqcd_hpc.sampling.colouring import colours
from lqcd_hpc.sampling.heatbath import METHODS, Heatbath

REPLICAS = 256
CLOVER_LEAF = "+x +y -x -y +x +y -x -y"


def lattice_of(shape, **settings):
    """One thread: small lattices gain nothing from more."""
    return Lattice(shape, threads=1, **settings)


def one_links(nc, staple, beta, method="auto", updates=1, side=128):
    """Independent links of weight exp(beta/Nc Re tr U S), all with the same S: shape (sites, Nc, Nc)."""
    U = gauge.cold(lattice_of((side, side)), kinds.group_name(nc))
    field = U.like(kinds.matrices(nc))
    field.from_numpy(np.broadcast_to(staple, field.to_numpy().shape))
    update = prepare(local_update.staple_kernel("heatbath", nc, 2, 0, heatbath._SCALARS), U=U, staple=field)
    rng = Random(seed=6)
    for _ in range(updates):
        update(beta=beta, key=rng.key(), method=METHODS[method])
    return U.to_numpy()[0].reshape(-1, nc, nc)


def p_value(samples, density, low, high):
    """Of the Kolmogorov-Smirnov test against a density that need not be normalised."""
    grid = low + (high - low) * (1 - np.cos(np.linspace(0, np.pi, 20001))) / 2  # dense at both ends
    total = integrate.cumulative_simpson(density(grid), x=grid, initial=0)
    return stats.kstest(samples, lambda x: np.interp(x, grid, total / total[-1])).pvalue


@pytest.mark.parametrize("method", ["creutz", "kennedy-pendleton", "auto"])
@pytest.mark.parametrize("alpha", [0.0, 0.2, 0.6, 1.6, 4.0, 25.0, 400.0])
def test_su2_link_has_its_density(alpha, method):
    """a0 = Re tr U V/2 (S = k V, alpha = beta k) has density sqrt(1 - a0^2) exp(alpha a0); the rest is isotropic."""
    v = algebra.exp_i(algebra.from_coefficients(np.array([0.4, -1.3, 0.7])))
    k = 1.7
    w = one_links(2, k * v, alpha / k, method) @ v
    a0 = np.einsum("nii->n", w).real / 2
    low = max(-1.0, 1 - 60 / alpha) if alpha else -1.0
    assert p_value(a0, lambda a: np.sqrt(np.maximum(0, 1 - a**2)) * np.exp(alpha * (a - 1)), low, 1) > 1e-3
    vector = np.array([w[:, 0, 1].imag, w[:, 0, 1].real, w[:, 0, 0].imag]) / np.sqrt(1 - a0**2)
    assert np.allclose(np.sum(vector**2, axis=0), 1, atol=1e-6)
    for component in vector:
        assert stats.kstest(component, stats.uniform(-1, 2).cdf).pvalue > 1e-3
        assert abs(stats.spearmanr(component, a0).statistic) < 4 / np.sqrt(len(a0))


@pytest.mark.parametrize("kappa", [0.0, 1e-3, 0.5, 2.0, 10.0, 1000.0])
def test_u1_link_has_the_von_mises_distribution(kappa):
    """The angle of U S has density exp(kappa cos t), kappa = beta |S|."""
    s = 1.7 * np.exp(0.9j)
    angle = np.angle(one_links(1, s, kappa / 1.7)[:, 0, 0] * s)
    width = min(np.pi, 10 / np.sqrt(kappa)) if kappa else np.pi
    assert p_value(angle, lambda t: np.exp(kappa * (np.cos(t) - 1)) / i0e(kappa), -width, width) > 1e-3
    assert abs(np.mean(np.sign(angle))) < 4 / np.sqrt(angle.size)


@pytest.mark.parametrize("nc, beta", [(2, 3.0), (6, 24.0)])
def test_one_link_of_sun_has_its_exact_trace(nc, beta):
    """With S = 1 the link is a plaquette of the infinite plane; sweeps over all subgroups bring it to equilibrium."""
    u = one_links(nc, np.eye(nc), beta, updates=30, side=64 if nc > 3 else 128)
    trace = np.einsum("nii->n", u).real / nc
    error = trace.std() / np.sqrt(trace.size)
    exact = exact2d.plaquette_sun(nc, beta)
    assert error < 0.01 * exact and abs(trace.mean() - exact) < 3 * error
    assert np.abs(np.linalg.det(u) - 1).max() < 1e-12


def test_overrelaxation_of_one_su6_link_keeps_its_weight():
    rng = np.random.default_rng(2)
    links, staple = (algebra.random_links((4, 8), 6, rng) for _ in range(2))
    staple[0] += 0.3j * staple[1]  # no multiple of a group element
    U = Field(lattice_of((4, 8)), kinds.links(6, 2)).from_numpy(links)
    field = U.like(kinds.matrices(6)).from_numpy(staple[0])
    prepare(local_update.staple_kernel("overrelaxation", 6, 2, 0, ()), U=U, staple=field)()
    after = U.to_numpy()
    weights = [np.einsum("yxij,yxji->yx", u[0], staple[0]).real for u in (links, after)]
    assert np.abs(weights[1] - weights[0]).max() < 1e-13 and np.abs(after[0] - links[0]).max() > 0.3
    assert np.abs(np.linalg.det(after) - 1).max() < 1e-13 and np.array_equal(after[1], links[1])


WILSON, SYMANZIK = Wilson(beta=2.0), Symanzik(beta=2.0)


@pytest.mark.parametrize(
    "group, description", [("U(1)", WILSON), ("SU(2)", WILSON), ("SU(3)", WILSON), ("SU(2)", SYMANZIK)]
)
def test_overrelaxation_moves_links_and_keeps_the_action(group, description):
    action = description.on(gauge.hot(lattice_of((8, 8), replicas=8), Random(3), group))
    relax = local_update.LocalUpdate(action, "overrelaxation")
    before, value = action.U.to_numpy(), action.value()
    for _ in range(3):
        relax.sweep()
    after = action.U.to_numpy()
    assert action.value() == pytest.approx(value, rel=1e-13)
    moved = np.abs(after - before).max(axis=(-1, -2))
    assert np.mean(moved > 0.1) > 0.7
    assert gauge.unitarity_deviation(action.U) < 1e-13
    assert group == "U(1)" or np.abs(np.linalg.det(after) - 1).max() < 1e-13


def replica_mean(history):
    """Mean and error of a history (updates, replicas): replicas are independent."""
    means = np.mean(history, axis=0)
    return means.mean(), means.std(ddof=1) / np.sqrt(means.size)


def plaquettes_of(U):
    planes = plaquette_planes(U)
    return sum(planes.values()) / (len(planes) * U.lattice.volume)


def run(update, U, thermalisation, updates, observable=plaquettes_of, seed=21):
    rng = Random(seed)
    history = []
    for number in range(thermalisation + updates):
        update.update(rng)
        if number >= thermalisation:
            history.append(observable(U))
    return np.array(history)


@pytest.mark.parametrize(
    "group, nc, beta, overrelaxation",
    [("U(1)", 1, 1.0, 1), ("U(1)", 1, 4.0, 0), ("SU(2)", 2, 2.2, 0), ("SU(2)", 2, 6.0, 1), ("SU(3)", 3, 3.0, 0),
     ("SU(3)", 3, 6.0, 1)],
)  # fmt: skip
def test_plaquette_in_two_dimensions_is_exact(group, nc, beta, overrelaxation):
    U = gauge.cold(lattice_of((8, 8), replicas=REPLICAS), group)
    history = run(Heatbath(Wilson(beta=beta).on(U), overrelaxation), U, 40, 60)
    mean, error = replica_mean(history)
    exact = exact2d.plaquette_u1(beta, 64) if nc == 1 else exact2d.plaquette_sun(nc, beta, 64, boxes=6)
    assert error < 0.003 * exact and abs(mean - exact) < 3 * error


def test_open_plane_has_the_plaquette_of_the_infinite_one():
    """Without a closed surface plaquettes are independent; absent links stay zero."""
    lattice = lattice_of((4, 8), boundary=("open", "open"), replicas=REPLICAS)
    U = gauge.hot(lattice, Random(1), "U(1)")
    update = Heatbath(Wilson(beta=2.0).on(U))
    mean, error = replica_mean(run(update, U, 40, 80, lambda U: plaquette_planes(U)[0, 1] / 21))
    assert error < 0.003 * mean and abs(mean - exact2d.plaquette_u1(2.0)) < 3 * error
    links_x, links_y = U.to_numpy().swapaxes(0, 1)
    assert np.all(links_x[:, :, -1] == 0) and np.all(links_y[:, -1] == 0)


@pytest.mark.parametrize("beta", [1.0, 2.0, 3.0])
def test_u1_susceptibility_is_exact(beta):
    """chi_t = <Q^2>/V on the torus."""
    U = gauge.hot(lattice_of((8, 8), replicas=1024), Random(2), "U(1)")
    charge = Topology().on(U)
    history = run(Heatbath(Wilson(beta=beta).on(U), 1), U, 40, 150, lambda _: charge()["charge"])
    assert np.abs(history - np.round(history)).max() < 1e-12
    mean, error = replica_mean(history**2 / 64)
    exact = exact2d.susceptibility_u1(beta, 64)
    assert error < 0.01 * exact and abs(mean - exact) < 3 * error


def brute_force_conflicts(shape, boundary, mu, loops, domains):
    """Pairs of links of direction mu, updated together, of which one is in the staple of the other."""
    conflicts = 0
    for site in itertools.product(*map(range, shape)):
        colour = [bool(d.contains(np.array([site]))[0]) for d in domains].index(True)
        for rest in (rest for loop in loops for rest in staples(loop, mu)):
            start = [x + (nu == mu) for nu, x in enumerate(site)]
            walk = [site_on(p, shape, boundary) for nu, p, _ in links(rest, start, len(shape)) if nu == mu]
            conflicts += sum(p is not None and domains[colour].contains(np.array([p]))[0] for p in walk)
    return conflicts


def site_on(position, shape, boundary):
    """The site modulo the extents, or None beyond an open end."""
    for x, n, kind in zip(position, shape, boundary):
        if kind == "open" and not 0 <= x < n:
            return None
    return tuple(x % n for x, n in zip(position, shape))


LOOPS = {
    "plaquette": ["+x +y -x -y"],
    "rectangles": ["+x +y -x -y", "+x2 +y -x2 -y", "+x +y2 -x -y2"],
    "long": ["+x3 +y -x3 -y", "+x +y3 -x -y3"],
}


@pytest.mark.parametrize("loops", LOOPS)
@pytest.mark.parametrize(
    "shape, boundary",
    [((8, 8), "pp"), ((12, 4), "pp"), ((4, 6), "pp"), ((5, 7), "oo"), ((9, 8), "op"), ((6, 12), "pp")],
)
def test_no_two_links_of_a_colour_share_a_loop(loops, shape, boundary):
    boundary = ["open" if b == "o" else "periodic" for b in boundary]
    lattice, loops = Lattice(shape, boundary=boundary), [parse(text) for text in LOOPS[loops]]
    for mu in range(2):
        try:
            domains = colours(lattice, mu, loops)
        except LqcdError:
            continue
        covered = sum(d.contains(np.array(list(itertools.product(*map(range, shape))))).astype(int) for d in domains)
        assert np.all(covered == 1)
        assert brute_force_conflicts(shape, boundary, mu, loops, domains) == 0


def test_brute_force_finds_rectangles_on_a_chequerboard():
    loops = [parse(text) for text in LOOPS["rectangles"]]
    assert brute_force_conflicts((8, 8), ["periodic"] * 2, 0, loops, [Parity(0), Parity(1)]) > 0


@pytest.mark.parametrize("ndim", [2, 3, 4])
def test_plaquettes_need_two_colours_and_rectangles_four(ndim):
    lattice = Lattice((8,) * ndim)
    for mu in range(ndim):
        assert colours(lattice, mu, [p for p, _ in Wilson(beta=1.0).loops(ndim)]) == [Parity(0), Parity(1)]
        four = colours(lattice, mu, [p for p, _ in Symanzik(beta=1.0).loops(ndim)])
        assert len(four) == 4
        assert ndim == 2 or four[1] == Colour(tuple(2 if nu == mu else 1 for nu in range(ndim)), 4, 1)


@pytest.mark.parametrize(
    "shape, action, why",
    [
        ((11, 13), Wilson(beta=1.0), "no colouring .* use even extents"),
        ((13, 13), Symanzik(beta=1.0), "no colouring"),
        ((2, 8), Symanzik(beta=1.0), "meets a link .* twice"),
        ((8, 1), Wilson(beta=1.0), "meets a link .* twice"),
        ((8, 8), Loops(beta=1.0, terms=[(CLOVER_LEAF, 1.0)]), "meets a link .* twice"),
    ],
)
def test_a_sweep_that_would_break_detailed_balance_is_refused(shape, action, why):
    with pytest.raises(LqcdError, match=why):
        Heatbath(action.on(gauge.cold(Lattice(shape), "U(1)")))


@pytest.mark.parametrize(
    "settings, why", [({"method": "best"}, "choose one of"), ({"overrelaxation": -1}, "0 or more")]
)
def test_wrong_settings_are_refused(settings, why):
    with pytest.raises(LqcdError, match=why):
        Heatbath(Wilson(beta=1.0).on(gauge.cold(Lattice((4, 4)), "U(1)")), **settings)


@dataclass(frozen=True)
class Part:
    """Of a domain, the sites with (x + 3 y) mod 4 = number."""

    whole: object
    number: int

    def contains(self, coords):
        return self.whole.contains(coords) & ((coords[..., 0] + 3 * coords[..., 1]) % 4 == self.number)


@pytest.mark.parametrize("description", [WILSON, SYMANZIK], ids=["wilson", "symanzik"])
def test_a_sweep_does_not_depend_on_the_order_within_a_colour(description, monkeypatch):
    """All links of a colour at once, or in four parts one after another, in both orders: the same bits."""
    lattice, results = lattice_of((8, 8), replicas=8), []
    for order in (None, (0, 1, 2, 3), (3, 1, 2, 0)):
        if order:
            monkeypatch.setattr(
                local_update, "colours", lambda *a, o=order: [Part(d, k) for d in colours(*a) for k in o]
            )
        U = gauge.hot(lattice, Random(4), "SU(2)")
        update, rng = Heatbath(description.on(U)), Random(9)
        for _ in range(2):
            update.update(rng)
        results.append(U.to_numpy())
    assert np.array_equal(results[0], results[1]) and np.array_equal(results[0], results[2])


def test_a_part_of_the_seed_changes_everything():
    results = []
    for seed, stream in ((1, 0), (1, 0), (2, 0), (1, 1)):
        U = gauge.cold(lattice_of((8, 8), replicas=8), "SU(2)")
        Heatbath(Wilson(beta=2.0).on(U)).update(Random(seed, stream))
        results.append(U.to_numpy())
    assert np.array_equal(results[0], results[1])
    assert not np.any(results[0] == results[2]) and not np.any(results[0] == results[3])


def test_links_stay_in_the_group():
    U = gauge.hot(lattice_of((8, 8), replicas=8), Random(8), "SU(3)")
    update, rng = Heatbath(Wilson(beta=10.0).on(U), 1), Random(3)
    for _ in range(5):
        assert update.update(rng).drift.max() < 1e-14
    assert gauge.unitarity_deviation(U) < 1e-14 and np.abs(np.linalg.det(U.to_numpy()) - 1).max() < 1e-13


# SU(3), 8^4, beta = 6.0 by 10200 HMC trajectories: HMC_8888 in tests/slow/test_plaquettes.py
HMC_PLAQUETTE = 0.594282, 0.000056


def test_heatbath_on_8888_agrees_with_the_hmc_value():
    U = gauge.cold(lattice_of((8, 8, 8, 8)))
    found = estimate(run(Heatbath(Wilson(beta=6.0).on(U), 2), U, 30, 150))
    assert found.error < 0.0005
    assert abs(found.mean - HMC_PLAQUETTE[0]) < 3 * np.hypot(found.error, HMC_PLAQUETTE[1])
