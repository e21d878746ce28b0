"""Defect correction: any solver in single precision, residuals in the precision of the operator."""

from __future__ import annotations

import numpy as np
from pydantic import PositiveInt

from ..description import description
from .solution import NotConverged
from .solver import Solver, System, checked_tolerance


@description
class Refine(Solver):
    """A x = b to `tol`: e = inner(b - A x) in single precision is added to x until the true residual is small enough.

    An inner solver that gives up is used as far as it came, and solves the last correction no better than needed.
    Raises `NotConverged` when a correction does not help.

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
        solve = approximate(self.inner, A.to("single"))
        relative = system.residual(r)
        for _ in range(self.max_corrections):
            if (relative <= tol).all():
                return system.solution(relative)
            solution = solve(r, self._sufficient(tol / relative[relative > tol]))
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
        """Half the reduction of |r| that is left to do, where the inner solver would do more."""
        needed, given = 0.5 * float(np.min(reductions)), getattr(self.inner, "tol", None)
        return None if given is None or given >= needed else needed


def approximate(solver, A):
    """solve(b, tol=None): what a solver finds for A x = b in the precision of A, also where it misses its tolerance."""
    solve = solver.prepared(A)

    def found(b, tol=None):
        source = A.vector(b.copies)
        source.assign(b)
        try:
            return solve(source, tol)
        except NotConverged as error:
            return error.solution

    return found
