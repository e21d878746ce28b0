"""Flexible GMRES (Y. Saad, SIAM J. Sci. Comput. 14 (1993) 461), restarted."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import PositiveInt

from ..description import description
from ..fields.basis import Basis
from ..fields.linalg import Vectors
from .preconditioning import Preconditioner, preconditioning
from .progress import Progress
from .solver import Solver, System, checked_tolerance


@description
class FGMRES(Solver):
    """A x = b; |b - A x| <= tol |b|. Minimises the residual over `restart` preconditioned directions, orthogonalised by
    one or two passes of Gram-Schmidt. The preconditioner is a solver with a loose tolerance or a `Preconditioner`, in
    `preconditioner_precision` if given.

    Raises `NotConverged`.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.5, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> FGMRES(tol=1e-10)(D, D.vector().from_numpy(1 + D.vector().to_numpy())).residual < 1e-10
    True
    """

    tol: float
    restart: PositiveInt = 32
    max_iterations: PositiveInt = 10000
    preconditioner: Solver | Preconditioner | None = None
    preconditioner_precision: Literal["double", "single"] | None = None

    def __call__(self, A, b, guess=None):
        tol = checked_tolerance(self.tol)
        return self._solve(System(A, b, guess), tol, _Cycle(self, A, b.copies))

    def prepared(self, A):
        cycles = {}

        def solve(b, tol=None):
            system = System(A, b)
            if b.copies not in cycles:
                cycles[b.copies] = _Cycle(self, A, b.copies)
            return self._solve(system, checked_tolerance(tol or self.tol), cycles[b.copies])

        return solve

    def _solve(self, system, tol, cycle):
        relative = system.residual(cycle.r)
        while (relative > tol).any():
            if system.iterations >= self.max_iterations:
                system.give_up("the limit of iterations is reached", relative)
            cycle(system, tol)
            before, relative = relative, system.residual(cycle.r)
            if (relative[relative > tol] > 0.999 * before[relative > tol]).any():
                system.give_up(f"it stagnates in {system.A.precision} precision", relative)
        return system.solution(relative)


class _Cycle:
    """A z_k = sum_j v_j h_jk from the residual r on; x += sum_k z_k y_k with |r - A z y| smallest."""

    def __init__(self, settings, A, copies):
        self.settings, self.A = settings, A
        self.r, self.v, self.z, self.w = (A.vector(copies) for _ in range(4))
        self.vectors = Vectors(self.r, A.domain)
        self.precondition = preconditioning(settings, A)
        self.basis = Basis(self.r, settings.restart, A.domain)
        self.directions = Basis(self.r, settings.restart, A.domain)
        self.progress = Progress("FGMRES", A.lattice)

    def __call__(self, system, tol):
        settings = self.settings
        size = length = np.sqrt(self.vectors.norm2(self.r))
        self.w.assign(self.r)
        h = np.zeros((settings.restart + 1, settings.restart, *size.shape), complex)
        for k in range(settings.restart):
            self._next_direction(k, length)
            h[: k + 1, k], length = self._orthogonalised(k + 1)
            h[k + 1, k] = length
            y, left = _least_squares(h[: k + 2, : k + 1], size)
            estimate = left / system.size
            system.iterations += 1
            system.history.append(float(estimate.max()))
            self.progress(system.iterations, system.history[-1], tol)
            if (estimate <= tol).all() or system.iterations >= settings.max_iterations:
                break
        self.directions.accumulate(system.x, y)

    def _next_direction(self, k, length):
        """v_k = w/|w|, z_k = M v_k, w = A z_k."""
        self.vectors.combine(self.v, _inverse(length), self.w, 0, self.w)
        self.basis.keep(k, self.v)
        self.precondition(self.v, self.z)
        self.directions.keep(k, self.z)
        self.A.apply(self.z, self.w)

    def _orthogonalised(self, count):
        """Take the first vectors out of w, again where little is left of it; h and |w|."""
        h = self.basis.products(self.w, count)
        left = self.basis.accumulate(self.w, -h)
        if (left < 0.01 * (np.abs(h) ** 2).sum(axis=0)).any():
            again = self.basis.products(self.w, count)
            h, left = h + again, self.basis.accumulate(self.w, -again)
        return h, np.sqrt(left)


def _inverse(a):
    """1/a, and 0 where a is 0."""
    return np.divide(1, a, out=np.zeros_like(a), where=a != 0)


def _least_squares(h, size):
    """y (k, copies, replicas) that minimises |size e_0 - h y| for every system, and what is left."""
    rows, columns = h.shape[:2]
    y, left = np.zeros((columns, *size.shape), complex), np.zeros(size.shape)
    for system in np.ndindex(size.shape):
        matrix = h[(slice(None), slice(None), *system)]
        target = np.zeros(rows, complex)
        target[0] = size[system]
        y[(slice(None), *system)] = np.linalg.lstsq(matrix, target, rcond=None)[0]
        left[system] = np.linalg.norm(target - matrix @ y[(slice(None), *system)])
    return y, left
