"""Preconditioners of flexible solvers: other solvers with a loose tolerance, or approximate inverses of their own."""

from __future__ import annotations

from .refine import approximate


class Preconditioner:
    """A value: `on(A)` gives M with `apply(r, z)`, z = M r ~ A^-1 r for vectors of A in any precision.

    M computes in the precision of A. What it needs of the gauge field it makes once, and again when the field has
    changed.
    """

    def on(self, A):
        raise NotImplementedError


def preconditioning(solver, A):
    """z = M r of a solver's preconditioner as a function of (r, z); z = r without one."""
    given = solver.preconditioner
    if given is None:
        return lambda r, z: z.assign(r)
    B = A.to(solver.preconditioner_precision or A.precision)
    if isinstance(given, Preconditioner):
        return given.on(B).apply
    solve = approximate(given, B)
    return lambda r, z: z.assign(solve(r).x)
