"""Another solver as preconditioner of a flexible one."""

from __future__ import annotations

from .refine import approximate


def preconditioned(solver, A, r, z):
    """z = M r with the preconditioner of a solver (z = r without one)."""
    if solver.preconditioner is None:
        z.assign(r)
        return
    z.assign(approximate(solver.preconditioner, A.to(solver.preconditioner_precision or A.precision), r).x)
