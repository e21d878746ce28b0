"""Adaptive aggregation multigrid for Wilson and clover operators (arXiv:1303.1377, arXiv:1005.3043)."""

from __future__ import annotations

import time

import numpy as np
from pydantic import NonNegativeInt, PositiveInt, model_validator

from ..backend.program import RandomKey
from ..description import description
from ..errors import LqcdError
from ..fields.field import Field, layout_of
from ..fields.noise import draw_signs
from ..fields.orthonormal import orthonormalise
from ..operators.aggregates import Aggregates, Transfer, basis_of
from ..operators.coarse import CoarseOperator
from .dense import DenseInverse
from .fgmres import FGMRES
from .preconditioning import Preconditioner
from .refine import approximate
from .relaxation import MOST, Relaxation


@description
class Multigrid(Preconditioner):
    """z = M r: a few relaxation steps, then the coarse operator P^dag A P on what they leave, for A of Wilson type.

    blocks : extents of the blocks of every coarsening, finest first
    vectors : test vectors that span the coarse space, each with both chiralities
    smoothing : steps of a relaxation (solvers/relaxation.py)
    setup : relaxations of the random vectors that the test vectors start from
    refinements : times that all test vectors go through the multigrid they have made, which is then made anew
    coarse_tol, coarse_iterations : of FGMRES on coarse levels, preconditioned by the level below: a K-cycle
    dense : the coarsest operator is inverted if it has at most this many rows
    seed : of the random vectors

    The preconditioner of FGMRES and GCR, best in single precision. It is made once for a gauge field and operator, and
    again when the field has changed; `on(A).setup_seconds` tells what that took.

    Raises `LqcdError` for blocks that do not divide the lattice, too many vectors for them, other operators, and
    singular coarse matrices.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> from lqcd_hpc.solvers.fgmres import FGMRES
    >>> D = Wilson(mass=0.01, boundary=(1, -1)).on(gauge.unit(Lattice((16, 16)), "U(1)"))
    >>> M = Multigrid(blocks=[[4, 4]], vectors=4)
    >>> b = D.vector().from_numpy(np.ones((16, 16, 2, 1)))
    >>> FGMRES(tol=1e-10, preconditioner=M, preconditioner_precision="single")(D, b).iterations < 15
    True
    """

    blocks: tuple[tuple[PositiveInt, ...], ...]
    vectors: PositiveInt
    smoothing: PositiveInt = 4
    setup: PositiveInt = 3
    refinements: NonNegativeInt = 2
    coarse_tol: float = 0.2
    coarse_iterations: PositiveInt = 16
    dense: NonNegativeInt = 2048
    seed: NonNegativeInt = 1

    @model_validator(mode="after")
    def _sound(self):
        if not self.blocks:
            raise ValueError("blocks has no entry: give the extents of the blocks of every coarsening")
        if self.smoothing > MOST:
            raise ValueError(f"smoothing = {self.smoothing}: at most {MOST} steps are made at once")
        if not 0 < self.coarse_tol < 1:
            raise ValueError("coarse_tol is a relative residual between 0 and 1")
        return self

    def on(self, A):
        """The multigrid of an operator, kept with its gauge field."""
        return self.made(A).complete()

    def made(self, A):
        """The same as it comes from its setup, for those who bring a coarse solver of their own."""
        if not hasattr(A, "forward_hop") or not hasattr(A, "U"):
            raise LqcdError(f"multigrid is made for Wilson and clover operators, not for {A!r}")
        slot = A.U.shared(("multigrid", self, A.description, A.precision), dict)
        if slot.get("version") != A.U.version:
            slot["multigrid"], slot["version"] = MultigridCycle(self, A), A.U.version
        return slot["multigrid"]


class MultigridCycle:
    """The multigrid of a `Multigrid` description for an operator; `setup_seconds` is what it took to make."""

    def __init__(self, description, A):
        start = time.monotonic()
        A = _with_whole_blocks(A, description.blocks)
        vectors = basis_of(A, description.vectors)
        draw_signs(vectors, RandomKey(description.seed, 0, 0))
        self.level = Level(description, A, vectors)
        self.setup_seconds = time.monotonic() - start

    def complete(self):
        """The same with its solver on the coarse lattice."""
        start = time.monotonic()
        self.level.make_solver()
        self.setup_seconds += time.monotonic() - start
        return self

    def apply(self, r, z):
        """z = M r."""
        self.level.apply(r, z)


class Level:
    """An operator, the space that its test vectors span on blocks, and the solver on that space."""

    def __init__(self, description, A, vectors, number=0):
        self.description, self.A, self.number = description, A, number
        self.aggregates = Aggregates(A.lattice, description.blocks[number], A.precision)
        self._relax(vectors, description.setup)
        for _ in range(description.refinements):
            self.span(vectors.copy())
            self._improve(vectors)
        self.span(vectors)

    def apply(self, r, z):
        """One cycle: z ~ A^-1 r."""
        self._cycles.apply(r, z)

    @property
    def solver(self):
        """The solver on the coarse lattice."""
        self.make_solver()
        return self._solver

    def make_solver(self):
        """Make the solver on the coarse lattice, if that has not been done."""
        if self._solver is None:
            self._solver = self._below or self._coarsest()

    def _relax(self, vectors, times):
        """Test vectors from noise: v <- relaxation of A^-1 v, the slow modes grow."""
        target, left = vectors.like(), vectors.like()
        relaxation = Relaxation(self.A, vectors, target, left, self.description.smoothing)
        for _ in range(times):
            relaxation()
            orthonormalise(target, vectors)

    def _improve(self, vectors):
        """v <- M v."""
        improved = vectors.like()
        Cycle(self, vectors, improved)()
        orthonormalise(improved, vectors)

    def span(self, vectors):
        """The coarse space of the vectors, which become its basis, and the operator there."""
        self._cycles, self._solver, self._below = Cycles(self), None, None
        last = self.number + 1 == len(self.description.blocks)
        if not last:
            given = vectors.copy()
        self.transfer = Transfer(self.aggregates, vectors)
        self.coarse = CoarseOperator(self.A, self.transfer)
        if last:
            return
        coarse_vectors = self.transfer.coarse_vector(self.description.vectors)
        self.transfer.restrict(given, coarse_vectors)()
        below = Level(self.description, self.coarse, coarse_vectors, self.number + 1)
        self._below = _Flexible(self.description, self.coarse, below)

    def _coarsest(self):
        rows = self.coarse.lattice.volume * self.coarse.size
        if rows <= self.description.dense:
            return DenseInverse(self.coarse)
        return _Flexible(self.description, self.coarse, None)


class Cycles:
    """M of a level for any number of right-hand sides, with its own solver on the coarse lattice or a given one."""

    def __init__(self, level, solver=None):
        self.level, self.solver, self._made = level, solver, {}

    def apply(self, r, z):
        """z = M r for vectors like those of the level's operator, in any precision."""
        if r.copies not in self._made:
            A = self.level.A
            self._made[r.copies] = Cycle(self.level, A.vector(r.copies), A.vector(r.copies), self.solver)
        cycle = self._made[r.copies]
        cycle.r.assign(r)
        cycle()
        z.assign(cycle.z)


class Cycle:
    """z = relaxation of A z = r; z += P (P^dag A P)^-1 P^dag (r - A z)."""

    def __init__(self, level, r, z, solver=None):
        transfer, left = level.transfer, level.A.vector(r.copies)
        self.r, self.z, self.solver = r, z, solver or level.solver
        self.source, self.result = transfer.coarse_vector(r.copies), transfer.coarse_vector(r.copies)
        self.relaxation = Relaxation(level.A, r, z, left, level.description.smoothing)
        self.restrict = transfer.restrict(left, self.source)
        self.prolong = transfer.prolong(self.result, z, add=True)

    def __call__(self):
        self.relaxation()
        self.restrict()
        self.solver.apply(self.source, self.result)
        self.prolong()


class _Flexible:
    """A loose flexible solve on a coarse level, with the level below as its preconditioner."""

    def __init__(self, description, A, below):
        steps = description.coarse_iterations
        preconditioner = None if below is None else _Given(below)
        solver = FGMRES(tol=description.coarse_tol, restart=steps, max_iterations=steps, preconditioner=preconditioner)
        self.solve = approximate(solver, A)

    def apply(self, r, z):
        """z ~ A^-1 r."""
        z.assign(self.solve(r).x)


class _Given(Preconditioner):
    """A preconditioner that is there already."""

    def __init__(self, level):
        self.level = level

    def on(self, A):
        return self.level


def _with_whole_blocks(A, blocks):
    """The operator on a lattice whose lanes hold whole blocks of the coarsest level."""
    ndim = A.lattice.ndim
    for block in blocks:
        if len(block) != ndim:
            raise LqcdError(f"blocks of {'x'.join(map(str, block))} have not the {ndim} dimensions of {A.lattice}")
    whole = tuple(int(np.prod([block[mu] for block in blocks])) for mu in range(ndim))
    grained = A.lattice.grained(whole)
    if A.lattice.replicas > 1:
        raise LqcdError("multigrid is made for one gauge field at a time: use a lattice without replicas")
    if layout_of(grained, A.precision).virtual == layout_of(A.lattice, A.precision).virtual:
        return A
    U = Field(grained, A.U.kind, A.precision)
    U.assign(A.U)
    return type(A)(A.description, U, A.precision)
