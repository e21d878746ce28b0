"""Correlators and condensates have the same bits on every grid of ranks, for every number of lanes and threads."""

import hashlib

import numpy as np
import pytest
from site_functions import simd

from lqcd_hpc import Lattice, Random, config, gauge
from lqcd_hpc.fields.exchange import Exchange
from lqcd_hpc.lattice import SerialCommunicator, world
from lqcd_hpc.lattice.decomposition import grids

PLANE, SPACETIME = (16, 8), (4, 4, 4, 8)


@pytest.fixture(autouse=True)
def poison(monkeypatch):
    monkeypatch.setattr(Exchange, "poison", True)


def check(shape, group, table, grids):
    with simd(64):
        expected = digest(Lattice(shape, comm=SerialCommunicator(), threads=2), group, table)
    with simd(16):
        for grid in grids:
            assert digest(Lattice(shape, ranks=grid), group, table) == expected, f"grid {grid}"
    assert len(set(world().allgather(expected))) == 1


def digest(lattice, group, table):
    U = gauge.hot(lattice, Random(7), group)
    columns = config.described("measure", table, "measure.hadrons").on(U)()
    names, values = zip(*sorted(columns.items()))
    return (names, *(hashlib.sha256(np.asarray(value, float).tobytes()).hexdigest() for value in values))


def parameters(kind, ndim):
    """The table of a measurement, away from the origin of the lattice."""
    boundary, position = [*[1] * (ndim - 1), -1], [3, 0, 1, 2][-ndim:]
    wilson = {"kind": "wilson", "mass": 1.0, "boundary": boundary}
    staggered = {"kind": "staggered", "mass": 1.0, "boundary": boundary}
    normal = {"kind": "schur", "inner": {"kind": "normal", "tol": 1e-10}}
    plain = {"kind": "schur", "inner": {"kind": "cg", "tol": 1e-10}}
    gaussian = {"kind": "gaussian", "position": position, "width": 1.5, "steps": 4}
    wall = {"kind": "wall", "time_slice": 5}
    keys = {
        "spectrum": {"operator": wilson, "solver": normal, "source": gaussian, "hadrons": ["mesons"]},
        "staggered_pion": {"operator": staggered, "solver": plain, "source": wall},
        "condensate": {"operator": staggered, "solver": plain, "sources": 3, "seed": 4},
    }
    return {"kind": kind} | keys[kind]


@pytest.mark.parametrize("kind", ["spectrum", "staggered_pion", "condensate"])
def test_quarks_in_two_dimensions(kind):
    check(PLANE, "U(1)", parameters(kind, 2), list(grids(PLANE, world().size)))


def test_mesons_and_nucleon_in_four_dimensions():
    table = parameters("spectrum", 4) | {"hadrons": ["mesons", "nucleon"]}
    check(SPACETIME, "SU(3)", table, [None])
