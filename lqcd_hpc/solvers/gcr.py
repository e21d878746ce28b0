"""Generalised conjugate residuals (Eisenstat, Elman and Schultz, SIAM J. Numer. Anal. 20 (1983) 345), restarted."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import PositiveInt

from ..description import description
from .preconditioning import Preconditioner, preconditioning
from .progress import Progress
from .solver import Solver, System, checked_tolerance


@description
class GCR(Solver):
    """A x = b; |b - A x| <= tol |b|. Minimises the residual over `restart` directions, made from the residual or by a
    preconditioner: a solver with a loose tolerance or a `Preconditioner`, in `preconditioner_precision` if given.

    Raises `NotConverged`.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.5, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> GCR(tol=1e-10)(D, D.vector().from_numpy(1 + D.vector().to_numpy())).residual < 1e-10
    True
    """

    tol: float
    restart: PositiveInt = 16
    max_iterations: PositiveInt = 10000
    preconditioner: Solver | Preconditioner | None = None
    preconditioner_precision: Literal["double", "single"] | None = None

    def __call__(self, A, b, guess=None):
        tol, system = checked_tolerance(self.tol), System(A, b, guess)
        r, progress = A.vector(b.copies), Progress("GCR", A.lattice)
        precondition, relative = preconditioning(self, A), system.residual(r)
        z, q = ([A.vector(b.copies) for _ in range(self.restart)] for _ in range(2))
        while (relative > tol).any():
            if system.iterations >= self.max_iterations:
                system.give_up("the limit of iterations is reached", relative)
            self._cycle(A, system, r, z, q, tol, progress, precondition)
            before, relative = relative, system.residual(r)
            if (relative[relative > tol] > 0.999 * before[relative > tol]).any():
                system.give_up(f"it stagnates in {A.precision} precision", relative)
        return system.solution(relative)

    def _cycle(self, A, system, r, z, q, tol, progress, precondition):
        """At most `restart` directions z_k with A z_k = q_k orthogonal."""
        vectors, norms = system.vectors, []
        for k in range(self.restart):
            precondition(r, z[k])
            A.apply(z[k], q[k])
            for j in range(k):
                overlap = vectors.inner(q[j], q[k]) / norms[j]
                vectors.accumulate(q[k], -overlap, q[j])
                vectors.accumulate(z[k], -overlap, z[j])
            norm = vectors.norm2(q[k])
            norms.append(np.where(norm > 0, norm, 1))
            step = vectors.inner(q[k], r) / norms[k]
            vectors.accumulate(system.x, step, z[k])
            estimate = np.sqrt(vectors.accumulate(r, -step, q[k])) / system.size
            system.iterations += 1
            system.history.append(float(estimate.max()))
            progress(system.iterations, system.history[-1], tol)
            if (estimate <= tol).all() or system.iterations >= self.max_iterations:
                return
