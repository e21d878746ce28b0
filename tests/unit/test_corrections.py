"""Defect correction: the last correction solves no better than needed, and workspace that is kept leaves no trace."""

import numpy as np
import pytest

from lqcd_hpc import Lattice, Random, gauge
from lqcd_hpc.operators.wilson import Wilson
from lqcd_hpc.solvers import FGMRES, GCR, BiCGStab, Refine


def system(seed):
    D = Wilson(mass=0.2, boundary=(1, -1)).on(gauge.hot(Lattice((8, 8)), Random(1), "U(1)"))
    b = D.vector()
    rng = np.random.default_rng(seed)
    return D, b.from_numpy(rng.normal(size=b.to_numpy().shape) + 1j * rng.normal(size=b.to_numpy().shape))


@pytest.mark.parametrize("inner", [BiCGStab(tol=1e-5), FGMRES(tol=1e-5, restart=64)])
def test_the_last_correction_solves_no_better_than_needed(inner):
    D, b = system(2)
    single = D.to("single").vector()
    single.assign(b)
    first = inner(D.to("single"), single).iterations
    both = Refine(inner, tol=1e-6)(D, b)
    assert both.residual <= 1e-6
    assert both.iterations < 1.7 * first  # a second correction to 1e-5 takes as many iterations as the first


@pytest.mark.parametrize("solver", [FGMRES(tol=1e-8, restart=8), GCR(tol=1e-8), BiCGStab(tol=1e-8)])
def test_a_prepared_solver_gives_the_bits_of_a_fresh_one(solver):
    D, _ = system(2)
    solve = solver.prepared(D)
    for seed in (2, 3):
        b = D.vector().from_numpy(system(seed)[1].to_numpy())
        fresh, kept = solver(D, b), solve(b)
        assert kept.iterations == fresh.iterations
        assert np.array_equal(kept.x.to_numpy(), fresh.x.to_numpy())
    assert solve(b, 1e-3).iterations < fresh.iterations
