"""BiCGStab(l) (Sleijpen and Fokkema, ETNA 1 (1993) 11): stabilised by polynomials of degree l."""

from __future__ import annotations

import numpy as np
from pydantic import PositiveInt

from ..description import description
from .bicgstab import begin_shadow
from .progress import Progress
from .solver import Solver, System, checked_tolerance


@description
class BiCGStabL(Solver):
    """A x = b; |b - A x| <= tol |b| for every right-hand side; an iteration counts 2 l products with A.

    Raises `NotConverged`.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.5, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> BiCGStabL(tol=1e-10, l=2)(D, D.vector().from_numpy(1 + D.vector().to_numpy())).residual < 1e-10
    True
    """

    tol: float
    l: PositiveInt = 2  # noqa: E741 (the name of the method)
    max_iterations: PositiveInt = 10000

    def __call__(self, A, b, guess=None):
        tol, system = checked_tolerance(self.tol), System(A, b, guess)
        progress = Progress("BiCGStabL", A.lattice)
        r, u = ([A.vector(b.copies) for _ in range(self.l + 1)] for _ in range(2))
        shadow = A.vector(b.copies)
        relative, stalls = system.residual(r[0]), 0
        while (relative > tol).any():
            if system.iterations >= self.max_iterations:
                system.give_up("the limit of iterations is reached", relative)
            self._cycle(A, system, r, u, shadow, tol, progress)
            before, relative = relative, system.residual(r[0])
            stalls = stalls + 1 if (relative[relative > tol] > 0.5 * before[relative > tol]).any() else 0
            if stalls > 2:
                system.give_up(f"it stagnates in {A.precision} precision", relative)
        return system.solution(relative)

    def _cycle(self, A, system, r, u, shadow, tol, progress):
        """Iterate from r[0] = b - A x until the recursion has converged or breaks down."""
        vectors, one = system.vectors, np.ones(system.size.shape, complex)
        begin_shadow(system, r[0], shadow, r[1], system.iterations > 0)
        vectors.combine(u[0], 0, r[0], 0, r[0])
        rho, alpha, omega = one, 0 * one, one
        while system.iterations < self.max_iterations:
            rho, alpha, sound = self._bicg(A, system, r, u, shadow, -omega * rho, alpha)
            gamma = self._minimise(system, r, u)
            omega = gamma[-1]
            estimate = np.sqrt(vectors.norm2(r[0])) / system.size
            system.iterations += 1
            system.history.append(float(estimate.max()))
            progress(system.iterations, system.history[-1], tol)
            broken = ~sound | (omega == 0) | ~np.isfinite(estimate)
            if (estimate <= tol).all() or (broken & (estimate > tol)).any():
                return

    def _bicg(self, A, system, r, u, shadow, rho, alpha):
        """l steps of BiCG: r_i = A^i r, u_i = A^i u."""
        vectors, sound = system.vectors, np.ones(rho.shape, bool)
        spare = A.temporary("spare", system.b.copies)
        for j in range(self.l):
            new = vectors.inner(shadow, r[j])
            beta, rho = alpha * _ratio(new, rho), new
            for i in range(j + 1):
                spare.assign(u[i])
                vectors.combine(u[i], 1, r[i], -beta, spare)
            A.apply(u[j], u[j + 1])
            below = vectors.inner(shadow, u[j + 1])
            alpha = _ratio(rho, below)
            sound &= (below != 0) & (rho != 0)
            for i in range(j + 1):
                vectors.accumulate(r[i], -alpha, u[i + 1])
            A.apply(r[j], r[j + 1])
            vectors.accumulate(system.x, alpha, u[0])
        return rho, alpha, sound

    def _minimise(self, system, r, u):
        """r_0 -= sum_j gamma_j r_j of the smallest norm, the same polynomial for x and u; returns gamma."""
        vectors, count = system.vectors, self.l
        gram = np.array([[vectors.inner(r[i], r[j]) for j in range(count + 1)] for i in range(1, count + 1)])
        gamma = np.zeros((count, *system.size.shape), complex)
        for one in np.ndindex(system.size.shape):
            matrix, target = gram[(slice(None), slice(1, None), *one)], gram[(slice(None), 0, *one)]
            gamma[(slice(None), *one)] = np.linalg.lstsq(matrix, target, rcond=1e-15)[0]
        for j in range(count):
            vectors.accumulate(system.x, gamma[j], r[j])
        for j in range(count):
            vectors.accumulate(r[0], -gamma[j], r[j + 1])
            vectors.accumulate(u[0], -gamma[j], u[j + 1])
        return gamma


def _ratio(a, b):
    """a/b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)
