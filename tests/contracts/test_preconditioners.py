"""What every preconditioner of a flexible solver promises. A file of lqcd_hpc/solvers that defines one is tested by
being there, with a row of PRECONDITIONERS."""

import numpy as np
import pytest
from fermions import describe, fill, gauge_field, links_of
from solver_samples import PRECONDITIONERS, TOL

from lqcd_hpc import Lattice, LqcdError, Random, config, gauge
from lqcd_hpc.operators.staggered import Staggered
from lqcd_hpc.solvers.fgmres import FGMRES
from lqcd_hpc.solvers.gcr import GCR
from lqcd_hpc.solvers.preconditioning import Preconditioner

every_one = pytest.mark.parametrize("kind", PRECONDITIONERS)
CASES = [("U(1)", (8, 8), "wilson"), ("SU(3)", (4, 4, 4, 4), "clover")]
everywhere = pytest.mark.parametrize(("group", "shape", "operator"), CASES)


def made(kind, group, shape, operator):
    U = gauge_field(links_of(group, shape, 7), Lattice(shape))
    return PRECONDITIONERS[kind](len(shape)), describe(operator, ndim=len(shape)).on(U)


def true_residual(D, x, b):
    rest = b.to_numpy() - D.apply(x).to_numpy()
    return np.linalg.norm(rest) / np.linalg.norm(b.to_numpy())


def test_every_preconditioner_has_a_row():
    kinds = {kind for kind in config.kinds("solver") if _is_one(kind)}
    assert kinds == set(PRECONDITIONERS)


def _is_one(kind):
    from lqcd_hpc.config.tables import _class_of

    return issubclass(_class_of("solver", kind, "solver"), Preconditioner)


@every_one
@everywhere
@pytest.mark.parametrize("solver", [FGMRES, GCR])
def test_a_solve_ends_at_the_true_residual(kind, group, shape, operator, solver):
    M, D = made(kind, group, shape, operator)
    b = fill(D.vector(), 1)
    solution = solver(tol=TOL, preconditioner=M, preconditioner_precision="single")(D, b)
    assert true_residual(D, solution.x, b) <= TOL


@every_one
def test_several_right_hand_sides_also_in_one_precision(kind):
    M, D = made(kind, *CASES[0])
    b = fill(D.vector(2), 1)
    solution = FGMRES(tol=TOL, preconditioner=M, preconditioner_precision="single")(D, b)
    assert true_residual(D, solution.x, b) <= TOL
    single = D.to("single")
    low = single.vector(2)
    low.assign(b)
    assert FGMRES(tol=1e-5, preconditioner=M)(single, low).residual <= 1e-5


@every_one
@everywhere
def test_it_is_gauge_covariant_and_of_use(kind, group, shape, operator):
    """Random starts aside a preconditioner knows no gauge: iterations do not change, and are fewer than without."""
    M, D = made(kind, group, shape, operator)
    b = fill(D.vector(), 1)
    plain = FGMRES(tol=TOL)(D, b).iterations
    first = FGMRES(tol=TOL, preconditioner=M, preconditioner_precision="single")(D, b).iterations
    U = D.U.copy()
    gauge.transform(U, gauge.random_transformation(U, Random(5)))
    second = FGMRES(tol=TOL, preconditioner=M, preconditioner_precision="single")(D.description.on(U), b).iterations
    assert abs(second - first) <= 2
    assert 1.5 * first < plain


@every_one
def test_it_follows_the_gauge_field(kind):
    M, D = made(kind, *CASES[0])
    single = D.to("single")
    before = M.on(single)
    assert M.on(single) is before
    D.U.from_numpy(links_of("U(1)", (8, 8), 8))
    assert M.on(single) is not before
    b, solver = fill(D.vector(), 1), FGMRES(tol=TOL, preconditioner=M, preconditioner_precision="single")
    assert true_residual(D, solver(D, b).x, b) <= TOL


@every_one
def test_other_operators_are_refused(kind):
    U = gauge_field(links_of("SU(2)", (8, 8), 7), Lattice((8, 8)))
    D = Staggered(mass=0.5, boundary=(1, 1)).on(U)
    with pytest.raises(LqcdError, match="Wilson and clover"):
        FGMRES(tol=TOL, preconditioner=PRECONDITIONERS[kind](2))(D, fill(D.vector(), 1))
