"""The solves that are measured, made to run on real fields."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from ...actions.wilson import Wilson as WilsonAction
from ...fields import Random, gauge
from ...fields.linalg import Vectors
from ...lattice import Lattice
from ...operators.clover import Clover
from ...operators.operator import Normal
from ...operators.schur import SchurOperator
from ...operators.staggered import Staggered
from ...operators.wilson import Wilson
from ...sampling.heatbath import Heatbath
from ...solvers.cg import CG
from ...solvers.conjugate_gradient import COUNT, ConjugateGradient
from ...solvers.multishift import MultishiftCG
from ...solvers.normal import NormalCG
from ...solvers.schur import Schur
from . import fermion_counts as counts

INNER = {"double": "double", "single": "single", "mixed": "single"}  # precision of an iteration
TOLERANCE = {"double": 1e-10, "mixed": 1e-10, "single": 1e-5}
UPDATES = 5  # of the gauge field
ITERATIONS = 100  # of conjugate gradients, to see what their launches cost
SHIFTS = (0.0, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
_PHASES = {"boundary": (1, 1, 1, -1)}
_WILSON, _CLOVER = Wilson(kappa=0.15, **_PHASES), Clover(kappa=0.132, csw=1.769, **_PHASES)
_STAGGERED = Staggered(mass=0.05, **_PHASES)


@dataclass(frozen=True)
class Case:
    """operator, solver : names; count : of an iteration per site that it runs on, half of them if `half`

    make(D, settings) : the operator that is solved, the solver, and the operator that conjugate gradients iterate on
    """

    operator: str
    solver: str
    description: object
    count: object
    make: object
    half: bool = False


def normal(D, settings):
    """D x = b by conjugate gradients on D^dag D."""
    return D, NormalCG(**settings), Normal(D)


def even_odd(D, settings):
    """The same on the even sites."""
    return D, Schur(NormalCG(**settings)), Normal(SchurOperator(D))


def hermitian_even_odd(D, settings):
    """The even-odd form is Hermitian and positive itself."""
    return D, Schur(CG(**settings)), SchurOperator(D)


def one_shift(D, settings):
    """D^dag D x = b."""
    return Normal(D), CG(**settings), Normal(D)


def all_shifts(D, settings):
    """(D^dag D + sigma) x = b for all `SHIFTS`."""
    return Normal(D), MultishiftCG(shifts=SHIFTS, **settings), None


CASES = (
    Case("wilson", "normal", _WILSON, counts.WILSON.normal_iteration, normal),
    Case("wilson", "even-odd", _WILSON, counts.WILSON_SCHUR.normal_iteration, even_odd, half=True),
    Case("wilson", "one shift", _WILSON, counts.WILSON.normal_iteration, one_shift),
    Case("wilson", "all shifts", _WILSON, counts.WILSON.normal_iteration, all_shifts),
    Case("clover", "normal", _CLOVER, counts.CLOVER.normal_iteration, normal),
    Case("clover", "even-odd", _CLOVER, counts.CLOVER_SCHUR.normal_iteration, even_odd, half=True),
    Case("staggered", "even-odd", _STAGGERED, counts.STAGGERED_HOP.factored_iteration, hermitian_even_odd, half=True),
)


def links(shape, threads, comm):
    """Links after a few heatbath and over-relaxation sweeps from 1 at beta = 6, so that solves converge as in use."""
    U = gauge.cold(Lattice(shape, threads=threads, comm=comm))
    rng, update = Random(seed=11), Heatbath(WilsonAction(beta=6.0).on(U), overrelaxation=1)
    for _ in range(UPDATES):
        update.update(rng)
    return U


class Solve:
    """One case on a gauge field: `run(n)` solves n times, `loop(n)` makes n iterations in C, `iterate(n)` makes n times
    `ITERATIONS` as a solver does, looking at the residual now and then. The last two are None for several shifts.

    After a solve: iterations, residual (the true one, relative).
    """

    loop = iterate = None

    def __init__(self, case, U, precision, copies):
        self.case, self.precision, self.copies, self.shape = case, precision, copies, U.lattice.shape
        self.tol = TOLERANCE[precision]
        D = case.description.on(U).to("single" if precision == "single" else "double")
        settings = {"tol": self.tol, "precision": "single" if precision == "mixed" else None}
        self._operator, self._solver, iterated = case.make(D, settings)
        self._b = noise(self._operator, copies)
        if iterated is not None:
            self._prepare(iterated.to(INNER[precision]))
        count = case.count(D.storage.rows, copies, {"double": 8, "single": 4}[INNER[precision]])
        half = 2 if case.half else 1
        self.count = counts.Count(count.flops / half, count.bytes / half, count.unit, count.how)
        self.units = prod(self.shape) * copies
        self.working_set = int(self.count.bytes * self.units) // U.lattice.comm.size

    def run(self, count):
        for _ in range(count):
            found = self._solver(self._operator, self._b)
        solutions = found if isinstance(found, list) else [found]
        self.iterations, self.residual = solutions[0].iterations, max(one.residual for one in solutions)

    def _prepare(self, A):
        x, r, b = (A.vector(self.copies) for _ in range(3))
        b.assign(self._b)
        norms = Vectors(b, A.domain).norm2(b)
        gradients = ConjugateGradient(A, x, r, ITERATIONS)

        def iterate(count):
            for _ in range(count):
                with x.writing() as data:
                    data[...] = 0
                r.assign(b)
                gradients.numbers.write(COUNT, 0.0)
                gradients.begin(norms, 1e-300)
                gradients.run(lambda values: None)

        self.loop, self.iterate = gradients.sequence, iterate


def noise(A, copies):
    """A random right-hand side, another one on every rank."""
    b, rng = A.vector(copies), np.random.default_rng(A.lattice.comm.rank)
    shape = b.to_numpy().shape
    return b.from_numpy(rng.standard_normal(shape) + 1j * rng.standard_normal(shape))
