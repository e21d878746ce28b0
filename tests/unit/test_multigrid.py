"""Relaxation, dense coarse solves and the multigrid made of them."""

import numpy as np
import pytest
from pydantic import ValidationError

from lqcd_hpc import Heatbath, Lattice, LqcdError, Random, Wilson, gauge
from lqcd_hpc.fields.basis import Basis
from lqcd_hpc.operators.wilson import Wilson as WilsonFermions
from lqcd_hpc.solvers.dense import DenseInverse
from lqcd_hpc.solvers.fgmres import FGMRES
from lqcd_hpc.solvers.gcr import GCR
from lqcd_hpc.solvers.multigrid import Multigrid
from lqcd_hpc.solvers.relaxation import Relaxation
from lqcd_hpc.solvers.solution import NotConverged


def random(field, seed):
    shape, rng = field.to_numpy().shape, np.random.default_rng(seed)
    return field.from_numpy(rng.normal(size=shape) + 1j * rng.normal(size=shape))


def fermions(shape=(8, 8), group="U(1)", mass=0.1, seed=3, precision="double"):
    phases = (1,) * (len(shape) - 1) + (-1,)
    return WilsonFermions(mass=mass, boundary=phases).on(
        gauge.hot(Lattice(shape), Random(seed), group, precision=precision)
    )


@pytest.fixture(scope="module")
def smooth():
    """Quenched U(1) links at beta = 6 on 16 x 16."""
    U = gauge.unit(Lattice((16, 16)), "U(1)")
    sweeps, rng = Heatbath(Wilson(beta=6.0).on(U), overrelaxation=1), Random(5)
    for _ in range(100):
        sweeps.update(rng)
    return U


# ---- parts


@pytest.mark.parametrize("copies", [1, 3])
def test_a_basis_is_an_array_of_vectors(copies):
    D = fermions()
    vectors = [random(D.vector(copies), k) for k in range(4)]
    basis, w = Basis(vectors[0], 5), random(D.vector(copies), 9)
    for k, v in enumerate(vectors):
        basis.keep(k, v, 2.0)
    arrays = np.array([2 * v.to_numpy().reshape(copies, -1) for v in vectors])
    values = w.to_numpy().reshape(copies, -1)
    assert np.allclose(basis.products(w, 4)[..., 0], np.einsum("kcx,cx->kc", arrays.conj(), values), rtol=1e-13)
    z = np.random.default_rng(1).normal(size=(3, copies, 1)) + 0.5j
    norm = basis.accumulate(w, z)
    expected = values + np.einsum("kc,kcx->cx", z[..., 0], arrays[:3])
    assert np.allclose(w.to_numpy().reshape(copies, -1), expected, rtol=1e-13)
    assert np.allclose(norm[:, 0], (np.abs(expected) ** 2).sum(1), rtol=1e-13)


@pytest.mark.parametrize("shape", [(8, 8), (5, 6)])
def test_relaxation_leaves_what_it_says_and_no_more_than_gcr(shape):
    """left = r - A z; on odd extents, where nothing is even-odd, z is that of as many steps of GCR."""
    D, steps = fermions(shape), 4
    r, z, left = random(D.vector(2), 1), D.vector(2), D.vector(2)
    relaxation = Relaxation(D, r, z, left, steps)
    relaxation()
    rest = r.to_numpy() - D.apply(z).to_numpy()
    assert np.abs(left.to_numpy() - rest).max() < 1e-12
    assert relaxation.even_odd == (shape == (8, 8))
    if not relaxation.even_odd:
        with pytest.raises(NotConverged) as ended:
            GCR(tol=1e-12, restart=steps, max_iterations=steps)(D, r)
        assert np.abs(ended.value.solution.x.to_numpy() - z.to_numpy()).max() < 1e-4 * np.abs(z.to_numpy()).max()


def test_a_dense_inverse_inverts(smooth):
    D = WilsonFermions(mass=-0.05, boundary=(1, -1)).on(smooth).to("single")
    level = Multigrid(blocks=[(4, 4)], vectors=4).on(D).level
    assert isinstance(level.solver, DenseInverse)
    b, x = random(level.coarse.vector(2), 1), level.coarse.vector(2)
    level.solver.apply(b, x)
    assert np.abs(level.coarse.apply(x).to_numpy() - b.to_numpy()).max() < 1e-4


# ---- multigrid


def test_iterations_do_not_grow_towards_the_critical_mass(smooth):
    """A scan in which FGMRES alone takes three times as many iterations and more."""
    counts = {None: [], "multigrid": []}
    for mass in (-0.02, -0.06, -0.1):
        D = WilsonFermions(mass=mass, boundary=(1, -1)).on(smooth)
        b = random(D.vector(), 1)
        for name, M in ((None, None), ("multigrid", Multigrid(blocks=[(4, 4)], vectors=4))):
            solver = FGMRES(tol=1e-10, restart=16, preconditioner=M, preconditioner_precision="single")
            counts[name].append(solver(D, b).iterations)
    few = counts["multigrid"]
    assert counts[None][-1] > 3 * counts[None][0], counts
    assert max(few) <= 1.2 * min(few), counts
    assert max(few) < 20, counts


def test_three_levels_and_a_flexible_coarsest_one(smooth):
    D = WilsonFermions(mass=-0.05, boundary=(1, -1)).on(smooth)
    b = random(D.vector(), 1)
    for M in (
        Multigrid(blocks=[(4, 4), (2, 2)], vectors=4),
        Multigrid(blocks=[(4, 4)], vectors=4, dense=0, coarse_tol=0.05, coarse_iterations=30),
    ):
        solution = FGMRES(tol=1e-10, preconditioner=M, preconditioner_precision="single")(D, b)
        assert solution.residual <= 1e-10 and solution.iterations < 40


def test_setup_time_is_told_and_the_seed_decides(smooth):
    D = WilsonFermions(mass=-0.05, boundary=(1, -1)).on(smooth).to("single")
    r = random(D.vector(), 1)
    results = []
    for seed in (1, 1, 2):
        M, z = Multigrid(blocks=[(4, 4)], vectors=4, seed=seed), D.vector()
        made = M.on(type(D)(D.description, D.U.copy(), "single"))
        made.apply(r, z)
        results.append(z.to_numpy())
        assert made.setup_seconds > 0
    assert np.array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_refusals():
    D = fermions((8, 8))
    b = random(D.vector(), 1)

    def solve(M):
        FGMRES(tol=1e-8, preconditioner=M)(D, b)

    with pytest.raises(LqcdError, match="do not divide the 8x8 sites"):
        solve(Multigrid(blocks=[(3, 4)], vectors=2))
    with pytest.raises(LqcdError, match="have not the 2 dimensions"):
        solve(Multigrid(blocks=[(4, 4, 4, 4)], vectors=2))
    with pytest.raises(LqcdError, match="fewer vectors or larger blocks"):
        solve(Multigrid(blocks=[(2, 2)], vectors=5))
    with pytest.raises(ValidationError, match="at most 8"):
        Multigrid(blocks=[(2, 2)], vectors=2, smoothing=9)
    with pytest.raises(ValidationError, match="has no entry"):
        Multigrid(blocks=[], vectors=2)


def test_a_singular_coarse_matrix_is_refused(smooth):
    D = WilsonFermions(mass=-0.05, boundary=(1, -1)).on(smooth).to("single")
    level = Multigrid(blocks=[(4, 4)], vectors=4).on(D).level
    level.coarse.matrices.from_numpy(np.zeros_like(level.coarse.matrices.to_numpy()))
    with pytest.raises(LqcdError, match="is singular: choose another mass"):
        DenseInverse(level.coarse)
