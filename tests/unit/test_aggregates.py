"""Blocks of sites: restriction and prolongation, and the Galerkin operator between them."""

import numpy as np
import pytest

from lqcd_hpc import Lattice, LqcdError, Random, gauge
from lqcd_hpc.fields.domain import EVERYWHERE
from lqcd_hpc.fields.linalg import Vectors
from lqcd_hpc.operators.aggregates import Aggregates, Transfer, basis_of
from lqcd_hpc.operators.clover import Clover
from lqcd_hpc.operators.coarse import CoarseOperator
from lqcd_hpc.operators.laplace import Laplace
from lqcd_hpc.operators.staggered import Staggered
from lqcd_hpc.operators.twisted_clover import TwistedClover
from lqcd_hpc.operators.wilson import Wilson

CASES = [
    pytest.param((8, 8), (4, 4), "U(1)", Wilson(mass=-0.1, boundary=(1, -1)), 2, id="U1"),
    pytest.param((8, 16), (2, 8), "SU(2)", Wilson(mass=0.1, boundary=(1, 1), twist=(0.3, 0.1)), 3, id="SU2"),
    pytest.param((4, 4, 4, 8), (2, 2, 2, 4), "SU(3)", Clover(mass=-0.3, csw=1.0, boundary=(1, 1, 1, -1)), 3, id="SU3"),
    pytest.param(
        (4, 4, 4, 4), (2, 2, 4, 2), "SU(3)", TwistedClover(kappa=0.13, csw=1.0, mu=0.2, boundary=(1, 1, 1, -1)), 3,
        id="twisted",
    ),
]  # fmt: skip


def random(field, seed):
    shape, rng = field.to_numpy().shape, np.random.default_rng(seed)
    return field.from_numpy(rng.normal(size=shape) + 1j * rng.normal(size=shape))


def spanned(shape, block, group, description, count, precision="double"):
    """(D, transfer) with random basis vectors."""
    lattice = Lattice(shape).grained(block)
    D = description.on(gauge.hot(lattice, Random(seed=3), group, precision=precision))
    return D, Transfer(Aggregates(lattice, block, precision), random(basis_of(D, count), 1))


@pytest.mark.parametrize(("shape", "block", "group", "description", "count"), CASES)
def test_restriction_undoes_prolongation(shape, block, group, description, count):
    D, transfer = spanned(shape, block, group, description, count)
    coarse = random(transfer.coarse_vector(2), 2)
    fine, back = D.vector(2), transfer.coarse_vector(2)
    transfer.prolong(coarse, fine)()
    transfer.restrict(fine, back)()
    assert np.abs(back.to_numpy() - coarse.to_numpy()).max() < 1e-13
    transfer.prolong(coarse, fine, add=True)()
    transfer.restrict(fine, back)()
    assert np.abs(back.to_numpy() - 2 * coarse.to_numpy()).max() < 1e-13


@pytest.mark.parametrize(("shape", "block", "group", "description", "count"), CASES[:3])
def test_restriction_is_the_adjoint_of_prolongation(shape, block, group, description, count):
    D, transfer = spanned(shape, block, group, description, count)
    coarse, fine = random(transfer.coarse_vector(), 2), random(D.vector(), 3)
    up, down = D.vector(), transfer.coarse_vector()
    transfer.prolong(coarse, up)()
    transfer.restrict(fine, down)()
    left = Vectors(fine, EVERYWHERE).inner(up, fine)[0, 0]
    assert abs(left - np.vdot(coarse.to_numpy(), down.to_numpy())) < 1e-11


def test_the_span_keeps_the_basis_and_its_chiral_halves():
    """P P^dag v = v for every vector that went into the basis, and for gamma5 v."""
    shape, block, group, description, count = CASES[2].values
    lattice = Lattice(shape).grained(block)
    D = description.on(gauge.hot(lattice, Random(seed=3), group))
    vectors = random(basis_of(D, count), 1)
    given = vectors.to_numpy()
    transfer = Transfer(Aggregates(lattice, block, "double"), vectors)
    for half in (slice(None), slice(0, 2)):
        fine = D.vector()
        kept = np.zeros_like(given[1])
        kept[..., half, :] = given[1][..., half, :]
        fine.from_numpy(kept)
        coarse, back = transfer.coarse_vector(), D.vector()
        transfer.restrict(fine, coarse)()
        transfer.prolong(coarse, back)()
        assert np.abs(back.to_numpy() - kept).max() < 1e-12


@pytest.mark.parametrize("dagger", [False, True])
@pytest.mark.parametrize(("shape", "block", "group", "description", "count"), CASES)
def test_the_galerkin_operator_is_restriction_operator_prolongation(shape, block, group, description, count, dagger):
    D, transfer = spanned(shape, block, group, description, count)
    A, coarse = CoarseOperator(D, transfer), random(transfer.coarse_vector(), 2)
    up, image, down = D.vector(), D.vector(), transfer.coarse_vector()
    transfer.prolong(coarse, up)()
    D.apply(up, image, dagger)
    transfer.restrict(image, down)()
    expected = down.to_numpy()
    assert np.abs(A.apply(coarse, dagger=dagger).to_numpy() - expected).max() < 1e-12
    if not dagger:
        dense = A.dense() @ coarse.to_numpy().reshape(-1)
        assert np.abs(dense - expected.reshape(-1)).max() < 1e-12


def test_a_galerkin_operator_of_a_galerkin_operator():
    lattice = Lattice((16, 16)).grained((8, 8))
    D = Wilson(mass=0.1, boundary=(1, -1)).on(gauge.hot(lattice, Random(seed=3), "U(1)"))
    first = Transfer(Aggregates(lattice, (4, 4), "double"), random(basis_of(D, 3), 1))
    A = CoarseOperator(D, first)
    second = Transfer(Aggregates(first.aggregates.coarse, (2, 2), "double"), random(basis_of(A, 2), 2))
    coarse = random(second.coarse_vector(), 5)
    up, image, down = A.vector(), A.vector(), second.coarse_vector()
    second.prolong(coarse, up)()
    A.apply(up, image)
    second.restrict(image, down)()
    assert np.abs(CoarseOperator(A, second).apply(coarse).to_numpy() - down.to_numpy()).max() < 1e-12


@pytest.mark.parametrize("copies", [1, 2, 3, 8])
def test_right_hand_sides_are_independent(copies):
    D, transfer = spanned(*CASES[0].values)
    A = CoarseOperator(D, transfer)
    many = random(A.vector(copies), 4)
    together = A.apply(many).to_numpy().reshape(copies, -1)
    for copy in range(copies):
        one = A.vector().from_numpy(many.to_numpy().reshape(copies, *A.vector().to_numpy().shape)[copy])
        assert np.array_equal(A.apply(one).to_numpy().reshape(-1), together[copy])


def test_refusals():
    lattice = Lattice((8, 8)).grained((4, 4))
    U = gauge.hot(lattice, Random(seed=3), "U(1)")
    D = Wilson(mass=0.1, boundary=(1, -1)).on(U)
    blocks = Aggregates(lattice, (4, 4), "double")
    with pytest.raises(LqcdError, match="do not divide the 8x8 sites .* choose extents from"):
        lattice.grained((3, 4))
    with pytest.raises(LqcdError, match="linearly dependent .* fewer vectors"):
        Transfer(blocks, basis_of(D, 2))
    with pytest.raises(LqcdError, match="fewer vectors or larger blocks"):
        Transfer(blocks, random(basis_of(D, 17), 1))
    laplace = Laplace(mass_squared=0.1, boundary=(1, 1)).on(U)
    with pytest.raises(LqcdError, match="no two chiralities"):
        Transfer(blocks, random(basis_of(laplace, 2), 1))
    staggered = Staggered(mass=0.1, boundary=(1, 1)).on(gauge.hot(lattice, Random(seed=3), "SU(2)"))
    with pytest.raises(LqcdError, match="is made of Wilson and clover operators"):
        CoarseOperator(staggered, Transfer(blocks, random(basis_of(staggered, 2), 1)))
