"""One seed, one history: the same bits on every grid of ranks, for every number of lanes and threads."""

import hashlib
import itertools
import struct

import numpy as np
import pytest
from site_functions import simd

from lqcd_hpc import Lattice, Random, gauge, scalar
from lqcd_hpc.actions.complex_phi4 import ComplexPhi4
from lqcd_hpc.actions.iwasaki import Iwasaki
from lqcd_hpc.actions.phi4 import Phi4
from lqcd_hpc.actions.sigma import Sigma
from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.fields.exchange import Exchange
from lqcd_hpc.lattice import SerialCommunicator, world
from lqcd_hpc.lattice.decomposition import grids
from lqcd_hpc.measurements.scalar import Scalar
from lqcd_hpc.measurements.scalar_correlator import ScalarCorrelator
from lqcd_hpc.sampling.heatbath import Heatbath
from lqcd_hpc.sampling.hmc import HMC
from lqcd_hpc.sampling.integrators import SCHEMES
from lqcd_hpc.sampling.metropolis import Metropolis

PLANE, SPACETIME = (16, 8), (8, 4, 4, 4)


@pytest.fixture(autouse=True)
def poison(monkeypatch):
    monkeypatch.setattr(Exchange, "poison", True)


def check(shape, history, size=64, **arguments):
    """`history(lattice)` gives the same digest on all grids as on one process with other lanes and two threads."""
    with simd(size):
        expected = history(Lattice(shape, comm=SerialCommunicator(), threads=2, **arguments))
    with simd(16):
        for grid in grids(shape, world().size):
            found = history(Lattice(shape, ranks=grid, **arguments))
            assert found == expected, f"grid {grid}"
    assert len(set(world().allgather(expected))) == 1


def digest(U, *numbers):
    """SHA-256 of the whole field and of all numbers of the history."""
    values = np.concatenate([np.atleast_1d(np.asarray(n, float)) for n in numbers])
    links = U.to_numpy(gather=True).tobytes()
    return hashlib.sha256(links + struct.pack(f"{len(values)}d", *values)).hexdigest()


def sweeps(group, action, number=2, seed=7):
    """A history of heatbath and over-relaxation from a hot start."""

    def history(lattice):
        rng = Random(seed)
        U = gauge.hot(lattice, rng, group)
        update, told = Heatbath(action.on(U), overrelaxation=2), []
        for _ in range(number):
            told += [update.update(rng).drift, update.action.value()]
        return digest(U, *told, rng.uniform(1))

    return history


def trajectories(group, action, schemes, seed=8):
    """A history of trajectories by several integrators, each once in steps so coarse that it may be rejected."""

    def history(lattice):
        rng = Random(seed)
        U = gauge.hot(lattice, rng, group)
        told = []
        for name, tau in itertools.product(schemes, (2.5, 0.3)):
            end = HMC(action.on(U), steps=2, tau=tau, integrator=SCHEMES[name]).update(rng)
            told += [end.accepted, end.delta_h, end.drift]
        assert {True, False} <= set(told[::3]), "some trajectory is accepted and some is not"
        return digest(U, *told, rng.uniform(1))

    return history


@pytest.mark.parametrize("replicas, size", [(1, 64), (4, 16)])
def test_heatbath_and_overrelaxation(replicas, size):
    check(PLANE, sweeps("U(1)", Wilson(beta=2.0)), size, replicas=replicas)


def test_subgroup_sweeps():
    check(PLANE, sweeps("SU(2)", Wilson(beta=2.5)), size=16)


def test_sweeps_of_an_action_with_rectangles():
    check(PLANE, sweeps("U(1)", Iwasaki(beta=1.5)), size=16)


def test_hybrid_monte_carlo_with_every_integrator():
    check(PLANE, trajectories("U(1)", Wilson(beta=2.0), SCHEMES), size=64)


def test_hybrid_monte_carlo_with_rectangles_and_open_boundaries():
    boundary = ("periodic", "open")
    check(PLANE, trajectories("U(1)", Iwasaki(beta=1.5), ["2mn", "omf4"]), size=16, boundary=boundary)


def proposals(group, action, number=2, seed=9):
    """A history of Metropolis sweeps of links from a hot start."""

    def history(lattice):
        rng = Random(seed)
        U = gauge.hot(lattice, rng, group)
        update, told = Metropolis(action.on(U), width=0.4, hits=2, overrelaxation=1), []
        for _ in range(number):
            told += [update.update(rng).acceptance, update.action.value()]
        return digest(U, *told, rng.uniform(1))

    return history


def scalars(description, seed=10):
    """A history of Metropolis sweeps, trajectories and measurements of a scalar field from a hot start."""

    def history(lattice):
        rng = Random(seed)
        phi = scalar.hot(lattice, rng, description.field_kind)
        action, unit = description.on(phi), phi.kind.law == "unit"
        metropolis, hmc = Metropolis(action, 0.5, 2, overrelaxation=int(unit)), HMC(action, steps=4)
        measures, told = [Scalar().on(phi), ScalarCorrelator().on(phi)], []
        for _ in range(2):
            told += [metropolis.update(rng).acceptance, hmc.update(rng).delta_h, action.value()]
            told += [np.ravel(value) for measure in measures for value in measure().values()]
        return digest(phi, *told, rng.uniform(1))

    return history


THEORIES = [Phi4(m2=-1.0, lam=0.8, normalisation="half"), ComplexPhi4(eta=4.2, lam=0.6), Sigma(beta=1.1, components=3)]


def test_metropolis_of_links():
    check(PLANE, proposals("U(1)", Wilson(beta=2.0)), size=64)
    check(PLANE, proposals("SU(2)", Iwasaki(beta=1.5)), size=16)


@pytest.mark.parametrize("description", THEORIES)
def test_scalars_and_spins(description):
    check(PLANE, scalars(description), size=64)


def test_replicas_of_spins_with_an_open_direction():
    check(PLANE, scalars(THEORIES[2]), size=16, replicas=4, boundary=("open", "periodic"))


@pytest.mark.long
@pytest.mark.parametrize("action", [Wilson(beta=5.7), Iwasaki(beta=2.3)])
def test_su3_in_four_dimensions(action):
    check(SPACETIME, sweeps("SU(3)", action))
    check(SPACETIME, trajectories("SU(3)", action, SCHEMES))
