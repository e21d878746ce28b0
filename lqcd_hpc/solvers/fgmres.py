"""Flexible GMRES (Y. Saad, SIAM J. Sci. Comput. 14 (1993) 461), restarted."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import PositiveInt

from ..description import description
from .preconditioning import preconditioned
from .progress import Progress
from .solver import Solver, System, checked_tolerance


@description
class FGMRES(Solver):
    """A x = b; |b - A x| <= tol |b|. Minimises the residual over `restart` preconditioned directions, orthogonalised by
    modified Gram-Schmidt. The preconditioner is a solver with a loose tolerance, in `preconditioner_precision` if
    given.

    Raises `NotConverged`.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.5, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> FGMRES(tol=1e-10)(D, D.vector().from_numpy(1 + D.vector().to_numpy())).residual < 1e-10
    True
    """

    tol: float
    restart: PositiveInt = 16
    max_iterations: PositiveInt = 10000
    preconditioner: Solver | None = None
    preconditioner_precision: Literal["double", "single"] | None = None

    def __call__(self, A, b, guess=None):
        tol, system = checked_tolerance(self.tol), System(A, b, guess)
        r, progress = A.vector(b.copies), Progress("FGMRES", A.lattice)
        relative = system.residual(r)
        basis = [A.vector(b.copies) for _ in range(self.restart + 1)]
        directions = [A.vector(b.copies) for _ in range(self.restart)]
        while (relative > tol).any():
            if system.iterations >= self.max_iterations:
                system.give_up("the limit of iterations is reached", relative)
            self._cycle(A, system, r, basis, directions, tol, progress)
            before, relative = relative, system.residual(r)
            if (relative[relative > tol] > 0.999 * before[relative > tol]).any():
                system.give_up(f"it stagnates in {A.precision} precision", relative)
        return system.solution(relative)

    def _cycle(self, A, system, r, v, z, tol, progress):
        """A z_k = sum_j v_j h_jk; x += sum_k z_k y_k with |r - A z y| smallest."""
        vectors = system.vectors
        size = np.sqrt(vectors.norm2(r))
        vectors.combine(v[0], _inverse(size), r, 0, r)
        h = np.zeros((self.restart + 1, self.restart, *size.shape), complex)
        for k in range(self.restart):
            preconditioned(self, A, v[k], z[k])
            A.apply(z[k], v[k + 1])
            for j in range(k + 1):
                h[j, k] = vectors.inner(v[j], v[k + 1])
                vectors.accumulate(v[k + 1], -h[j, k], v[j])
            h[k + 1, k] = np.sqrt(vectors.norm2(v[k + 1]))
            r.assign(v[k + 1])
            vectors.combine(v[k + 1], _inverse(h[k + 1, k]), r, 0, r)
            y, left = _least_squares(h[: k + 2, : k + 1], size)
            estimate = left / system.size
            system.iterations += 1
            system.history.append(float(estimate.max()))
            progress(system.iterations, system.history[-1], tol)
            if (estimate <= tol).all() or system.iterations >= self.max_iterations:
                break
        for k in range(len(y)):
            vectors.accumulate(system.x, y[k], z[k])


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
