"""Multigrid on a decomposed lattice: the same bits on every grid, setup and solves included."""

import hashlib

import numpy as np

from lqcd_hpc import Lattice, Random, gauge
from lqcd_hpc.fields.noise import draw_signs
from lqcd_hpc.lattice import SerialCommunicator, world
from lqcd_hpc.lattice.decomposition import grids
from lqcd_hpc.operators.aggregates import Aggregates, Transfer, basis_of
from lqcd_hpc.operators.coarse import CoarseOperator
from lqcd_hpc.operators.wilson import Wilson
from lqcd_hpc.solvers.fgmres import FGMRES
from lqcd_hpc.solvers.multigrid import Multigrid

SHAPE, BLOCK = (16, 16), (4, 4)


def fermions(lattice, precision="double"):
    U = gauge.unit(lattice, "U(1)", precision)
    gauge.transform(U, gauge.random_transformation(U, Random(3)))
    hot = gauge.hot(lattice, Random(5), "U(1)", precision)
    phase = np.exp(0.4j * np.angle(hot.to_numpy()))
    U.from_numpy(U.to_numpy() * phase)
    return Wilson(mass=0.05, boundary=(1, -1)).on(U)


def lattices():
    return [Lattice(SHAPE, ranks=grid) for grid in grids(SHAPE, world().size) if all(16 // r % 4 == 0 for r in grid)]


def images(lattice):
    """A digest of the coarse operator applied to noise, gathered."""
    lattice = lattice.grained(BLOCK)
    D = fermions(lattice, "single")
    vectors = basis_of(D, 3)
    draw_signs(vectors, Random(7).key())
    coarse = CoarseOperator(D, Transfer(Aggregates(lattice, BLOCK, "single"), vectors))
    noise = coarse.vector()
    draw_signs(noise, Random(8).key())
    found = [coarse.apply(noise, dagger=dagger).to_numpy(gather=True) for dagger in (False, True)]
    return hashlib.sha256(b"".join(f.tobytes() for f in found)).hexdigest(), coarse.dense()


def test_galerkin_operators_have_the_same_bits():
    alone, dense = images(Lattice(SHAPE, comm=SerialCommunicator()))
    for lattice in lattices():
        digest, matrix = images(lattice)
        assert np.array_equal(matrix, dense), lattice
        assert digest == alone, lattice


def test_solves_have_the_same_bits():
    M = Multigrid(blocks=[BLOCK], vectors=4)
    solutions = []
    for lattice in (Lattice(SHAPE, comm=SerialCommunicator()), *lattices()):
        D = fermions(lattice)
        b = D.vector()
        draw_signs(b, Random(9).key())
        solution = FGMRES(tol=1e-10, preconditioner=M, preconditioner_precision="single")(D, b)
        assert solution.residual <= 1e-10
        solutions.append((solution.iterations, solution.x.to_numpy(gather=True)))
    for iterations, x in solutions[1:]:
        assert iterations == solutions[0][0]
        assert np.array_equal(x, solutions[0][1])
