"""Dirac operators and solvers have the same bits on every grid of ranks, for every number of lanes and threads."""

import hashlib
import struct

import numpy as np
import pytest
from ahead import compile_ahead
from fermions import KINDS, describe
from site_functions import simd
from solver_samples import POSITIVE, SAMPLES

from lqcd_hpc import Lattice, Random, gauge
from lqcd_hpc.fields.exchange import Exchange
from lqcd_hpc.lattice import SerialCommunicator, world
from lqcd_hpc.lattice.decomposition import grids
from lqcd_hpc.operators.operator import Normal
from lqcd_hpc.operators.schur import SchurOperator
from lqcd_hpc.solvers.fgmres import FGMRES
from lqcd_hpc.solvers.gcr import GCR
from lqcd_hpc.solvers.normal import NormalCG
from lqcd_hpc.solvers.refine import Refine
from lqcd_hpc.solvers.schur import Schur

PLANE, SPACETIME, TOL = (16, 8), (4, 4, 4, 8), 1e-4
EVERY_SOLVER = {kind: row[""] for kind, row in SAMPLES.items()}
EVERY_SOLVER |= {  # short, and in two precisions
    "normal": lambda tol: NormalCG(tol=tol, precision="single"),
    "gcr": lambda tol: GCR(tol=tol, restart=3),
    "fgmres": lambda tol: FGMRES(tol=tol, restart=3),
    "refine": lambda tol: Refine(Schur(NormalCG(tol=1e-2)), tol=tol),
}
POSITIVE_ONES = {kind: row[""] for kind, row in POSITIVE.items()}


def shown(solvers):
    """Names of solvers; on more ranks than cores some are enough."""
    few = world().size > 4
    return [pytest.param(n, marks=pytest.mark.long if few and n not in ("schur", "cg") else ()) for n in solvers]


@pytest.fixture(autouse=True)
def poison(monkeypatch):
    monkeypatch.setattr(Exchange, "poison", True)


@pytest.fixture(scope="module", autouse=True)
def kernels():
    """On one grid and one process; what other grids need besides is compiled when it is met."""

    def work():
        for lattice in (Lattice(PLANE), Lattice(SPACETIME)):
            U = gauge.unit(lattice, group_of(lattice))
            for kind in KINDS if lattice.ndim == 2 else ["wilson"]:
                products(kind, U)
        U = gauge.unit(Lattice(PLANE), "SU(2)")
        for param in shown(EVERY_SOLVER):
            if not param.marks:
                solution(*param.values, U)
        for param in shown(POSITIVE_ONES):
            if not param.marks:
                even_solution(*param.values, U)

    with simd(16):
        compile_ahead(work)


def group_of(lattice):
    return "SU(2)" if lattice.ndim == 2 else "SU(3)"


def check(shape, work, **arguments):
    """`work(U)` gives the same digest on all grids as on one process with other lanes and two threads."""

    def found(**ranks):
        lattice = Lattice(shape, **ranks, **arguments)
        return work(gauge.hot(lattice, Random(7), group_of(lattice)))

    with simd(64):
        expected = found(comm=SerialCommunicator(), threads=2)
    with simd(16):
        for grid in grids(shape, world().size):
            assert found(ranks=grid) == expected, f"grid {grid}"
    assert len(set(world().allgather(expected))) == 1


def digest(fields, numbers=()):
    """SHA-256 of whole fields and of numbers."""
    state = hashlib.sha256(struct.pack(f"{len(numbers)}d", *numbers))
    for field in fields:
        state.update(field.to_numpy(gather=True).tobytes())
    return state.hexdigest()


def vector(A, copies=1, seed=1):
    """Random numbers that do not know of ranks."""
    field = A.vector(copies)
    re, im = np.random.default_rng(seed).normal(size=(2, *field._canonical_shape(A.lattice.shape)))
    return field.from_numpy(re + 1j * im, gathered=True)


def products(kind, U, copies=1):
    D = describe(kind, ndim=U.lattice.ndim).on(U)
    psi = vector(D, copies)
    return digest([D.apply(psi), D.apply(D.apply(psi))] + ([D.adjoint(psi)] if U.lattice.ndim == 2 else []))


def of_solution(found):
    numbers = [found.iterations, *np.ravel(found.residuals), *found.history]
    return digest([found.x], np.asarray(numbers, float))


def solution(name, U):
    D = describe("clover" if name == "schur" else "wilson", mass=1.0).on(U)
    return of_solution(EVERY_SOLVER[name](TOL)(D, vector(D)))


def even_solution(name, U):
    A = SchurOperator(describe("staggered", mass=1.0).on(U))
    return of_solution(POSITIVE_ONES[name](TOL)(A, vector(A)))


@pytest.mark.parametrize("kind", KINDS)
def test_operators_on_the_plane(kind):
    check(PLANE, lambda U: products(kind, U))


def test_an_operator_on_replicas():
    check(PLANE, lambda U: products("wilson", U), replicas=2)


def test_an_operator_on_right_hand_sides():
    check(PLANE, lambda U: products("wilson", U, copies=3))


def test_wilson_operator_in_four_dimensions():
    check(SPACETIME, lambda U: products("wilson", U))


@pytest.mark.parametrize("name", shown(EVERY_SOLVER))
def test_solvers(name):
    check(PLANE, lambda U: solution(name, U))


@pytest.mark.parametrize("name", shown(POSITIVE_ONES))
def test_solvers_of_positive_operators(name):
    check(PLANE, lambda U: even_solution(name, U))


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_every_operator_and_its_square_in_four_dimensions(kind):
    def work(U):
        D = describe(kind, ndim=4).on(U)
        psi = vector(D)
        return digest([D.apply(psi), D.adjoint(psi), Normal(D, 0.3).apply(psi)])

    check(SPACETIME, work)
