"""Conjugate gradients in mixed precision on operators with one very small eigenvalue."""

import numpy as np
import pytest

from lqcd_hpc import Lattice, Random, gauge
from lqcd_hpc.actions.wilson import Wilson as WilsonAction
from lqcd_hpc.operators.wilson import Wilson
from lqcd_hpc.sampling.heatbath import Heatbath
from lqcd_hpc.solvers import NormalCG, Schur

PHASES = {"boundary": (1, -1)}


@pytest.fixture(scope="module")
def charged():
    """Links with topological charge, and the smallest real eigenvalue of D at mass 0."""
    U = gauge.hot(Lattice((16, 16)), Random(seed=4), "U(1)")
    rng, update = Random(seed=5), Heatbath(WilsonAction(beta=6.0).on(U), overrelaxation=1)
    for _ in range(60):
        update.update(rng)
    D = Wilson(mass=0.0, **PHASES).on(U)
    psi = D.vector()
    unit = np.eye(psi.to_numpy().size, dtype=complex)
    matrix = np.stack([D(psi.from_numpy(e.reshape(psi.to_numpy().shape))).to_numpy().ravel() for e in unit], 1)
    values = np.linalg.eigvals(matrix)
    return U, values[np.abs(values.imag) < 1e-9].real.min()


@pytest.mark.parametrize("distance", [1e-2, 1e-3, 1e-4, 1e-5])
def test_mixed_precision_solves_where_single_precision_sees_no_smallest_eigenvalue(charged, distance):
    U, real_mode = charged
    D = Wilson(mass=distance - real_mode, **PHASES).on(U)
    rng = np.random.default_rng(1)
    b = D.vector()
    b.from_numpy(rng.standard_normal(b.to_numpy().shape) + 1j * rng.standard_normal(b.to_numpy().shape))
    for wrapped in (Schur, lambda solver: solver):
        double, mixed = (wrapped(NormalCG(tol=1e-10, precision=p, max_iterations=3000))(D, b) for p in (None, "single"))
        assert double.residual <= 1e-10 and mixed.residual <= 1e-10
        assert mixed.iterations < 8 * double.iterations
