"""Defect correction: any solver in single precision, residuals in the precision of the operator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydantic import PositiveInt

from ..description import description
from .solution import NotConverged
from .solver import Solver, System, checked_tolerance


@description
class Refine(Solver):
    """A x = b to `tol`: e = inner(b - A x) in single precision is added to x until the true residual is small enough.

    An inner solver that gives up is used as far as it came, and one with a tolerance solves the last correction no better
    than needed. Raises `NotConverged` when a correction does not help.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> from lqcd_hpc.solvers.bicgstab import BiCGStab
    >>> D = Wilson(mass=0.5, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> Refine(BiCGStab(tol=1e-4), tol=1e-12)(D, D.vector().from_numpy(1 + D.vector().to_numpy())).residual < 1e-12
    True
    """

    inner: Solver
    tol: float
    max_corrections: PositiveInt = 100

    def __call__(self, A, b, guess=None):
        system, tol = System(A, b, guess), checked_tolerance(self.tol)
        r, correction = A.vector(b.copies), A.vector(b.copies)
        relative = system.residual(r)
        for _ in range(self.max_corrections):
            if (relative <= tol).all():
                return system.solution(relative)
            solution = approximate(self._sufficient(tol / relative[relative > tol]), A.to("single"), r)
            system.iterations += solution.iterations
            system.history += [h * float(relative.max()) for h in solution.history]
            correction.assign(solution.x)
            system.vectors.accumulate(system.x, 1, correction)
            before, relative = relative, system.residual(r)
            if (relative[relative > tol] > 0.7 * before[relative > tol]).any():
                system.give_up("corrections in single precision do not help", relative)
        if (relative <= tol).all():
            return system.solution(relative)
        system.give_up("the limit of corrections is reached", relative)

    def _sufficient(self, reductions):
        """The inner solver, with no smaller tolerance than half the reduction of |r| that is left to do."""
        needed, given = 0.5 * float(np.min(reductions)), getattr(self.inner, "tol", None)
        return self.inner if given is None or given >= needed else replace(self.inner, tol=needed)


def approximate(solver, A, b):
    """What a solver finds for A x = b in the precision of A, also when it does not reach its tolerance."""
    source = A.vector(b.copies)
    source.assign(b)
    try:
        return solver(A, source)
    except NotConverged as error:
        return error.solution
