"""BiCGStab (H. A. van der Vorst, SIAM J. Sci. Stat. Comput. 13 (1992) 631), for any D that can be inverted."""

from __future__ import annotations

import numpy as np
from pydantic import PositiveInt

from ..description import description
from ..fields.launch import Kernel, in_, inout, prepare
from ..fields.numbers import Numbers
from ..operators.finish import Finish, per_copy
from .progress import Progress
from .solver import Solver, System, checked_tolerance

ALPHA, OMEGA, BETA = 0, 2, 4  # complex numbers of kernels/linalg.h


@description
class BiCGStab(Solver):
    """A x = b; |b - A x| <= tol |b| for every right-hand side. Raises `NotConverged`.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.5, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> BiCGStab(tol=1e-10)(D, D.vector().from_numpy(1 + D.vector().to_numpy())).residual < 1e-10
    True
    """

    tol: float
    max_iterations: PositiveInt = 10000

    def __call__(self, A, b, guess=None):
        tol, system = checked_tolerance(self.tol), System(A, b, guess)
        progress, iteration = Progress("BiCGStab", A.lattice), _Iteration(A, system)
        relative, stalls = system.residual(iteration.r), 0
        while (relative > tol).any():
            if system.iterations >= self.max_iterations:
                system.give_up("the limit of iterations is reached", relative)
            iteration.begin(again=system.iterations > 0)
            while system.iterations < self.max_iterations:
                estimate = iteration.step(tol)
                system.iterations += 1
                system.history.append(float(estimate.max()))
                progress(system.iterations, system.history[-1], tol)
                if (estimate <= tol).all() or iteration.broken:
                    break
            before, relative = relative, system.residual(iteration.r)
            stalls = stalls + 1 if (relative[relative > tol] > 0.5 * before[relative > tol]).any() else 0
            if stalls > 2:
                system.give_up(f"it stagnates in {A.precision} precision", relative)
        return system.solution(relative)


class _Iteration:
    """The vectors and numbers of BiCGStab for x and r = b - A x."""

    def __init__(self, A, system):
        self._system, copies = system, system.b.copies
        self.r, self._shadow, self._p, self._v, self._t = (A.vector(copies) for _ in range(5))
        self._numbers = Numbers(A.lattice, copies, 6)
        self._ap = A.launches(self._p, self._v, finish=Finish(dot=True, left=self._shadow))
        self._ar = A.launches(self.r, self._t, finish=Finish(norm=True, dot=True, left=self.r))
        size = A.kind.reals // 2, copies

        def vectors(function, sums, *arguments, **fields):
            kernel = Kernel("linalg.h", function, size, arguments, sums=per_copy(sums, copies))
            return prepare(kernel, A.domain, numbers=self._numbers, **fields)

        inputs = in_("p"), in_("t"), in_("shadow")
        self._stabilise = vectors(
            "stabilise", ("norm", "re", "im"), inout("x"), inout("r"), *inputs,
            x=system.x, r=self.r, p=self._p, t=self._t, shadow=self._shadow,
        )  # fmt: skip
        turned = inout("p"), in_("r"), in_("v")
        self._turn = vectors("turn_direction", (), *turned, p=self._p, r=self.r, v=self._v)

    def begin(self, again):
        """Start from p = r with the shadow r, or r + A r where that one has failed."""
        vectors = self._system.vectors
        begin_shadow(self._system, self.r, self._shadow, self._t, again)
        self._p.assign(self.r)
        self._rho = vectors.inner(self._shadow, self.r)
        self.broken = False

    def _sums(self, launches, names):
        for launch in launches:
            sums = launch()
        return np.array([np.atleast_1d(v) for v in sums.values()]).reshape(names, *self._rho.shape)

    def step(self, tol):
        """One iteration; returns the relative residual of the recursion. A finished or broken system stays."""
        vectors = self._system.vectors
        re, im = self._sums(self._ap, 2)
        alpha = _ratio(self._rho, re + 1j * im)
        vectors.accumulate(self.r, -alpha, self._v)
        norm, re, im = self._sums(self._ar, 3)
        omega = _ratio(re - 1j * im, norm + 0j)
        self._write(ALPHA, alpha)
        self._write(OMEGA, omega)
        norm, re, im = self._sums([self._stabilise], 3)
        rho = re + 1j * im
        self._write(BETA, _ratio(rho * alpha, self._rho * omega))
        self._turn()
        estimate = np.sqrt(norm) / self._system.size
        stuck = (np.abs(rho) < 1e-14 * norm) | (omega == 0) | (alpha == 0)
        self.broken = bool((stuck & (estimate > tol)).any()) or not np.isfinite(estimate).all()
        self._rho = rho
        return estimate

    def _write(self, name, value):
        self._numbers.write(name, value.real)
        self._numbers.write(name + 1, value.imag)


def begin_shadow(system, r, shadow, spare, again):
    """The shadow residual: r, or r + A r in a restart, lest r lead into the same breakdown again."""
    if again:
        system.A.apply(r, spare)
        system.vectors.combine(shadow, 1, r, 1, spare)
    else:
        shadow.assign(r)


def _ratio(a, b):
    """a/b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)
