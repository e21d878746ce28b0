"""Conjugate gradients for A + sigma_k with all shifts at the price of one (B. Jegerlehner, hep-lat/9612014)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import NonNegativeFloat, PositiveInt

from ..description import description
from ..errors import LqcdError
from ..fields.field import Field
from ..fields.launch import Kernel, in_, inout, prepare
from ..fields.numbers import Step
from ..operators.shifted import shifted
from .cg import CG
from .conjugate_gradient import COUNT, HISTORY, RESIDUAL, ConjugateGradient
from .progress import Progress
from .solver import Solver, System, checked_tolerance


@description
class MultishiftCG(Solver):
    """(A + sigma_k) x_k = b for A Hermitian and positive; a list of solutions in the order of the shifts.

    Iterates on the smallest shift; the others follow with one vector update each, until they have converged. Each
    solution is checked and, where the recursion has drifted or `precision` is "single", refined by `CG`.

    Raises `LqcdError` if A is not Hermitian and positive or there are no shifts, and `NotConverged`.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.laplace import Laplace
    >>> A = Laplace(mass_squared=1.0, boundary=(1, 1)).on(gauge.unit(Lattice((4, 4)), "SU(2)"))
    >>> b = A.vector().from_numpy(np.ones((4, 4, 2)))
    >>> [round(float(one.x.to_numpy()[0, 0, 0].real), 9) for one in MultishiftCG(tol=1e-10, shifts=(0.0, 1.0))(A, b)]
    [1.0, 0.5]
    """

    tol: float
    shifts: tuple[NonNegativeFloat, ...]
    max_iterations: PositiveInt = 10000
    precision: Literal["double", "single"] | None = None

    def __call__(self, A, b, guess=None):
        if not self.shifts:
            raise LqcdError("shifts = []: give at least one")
        if guess is not None:
            raise LqcdError("multishift solvers start from zero: leave out the guess")
        base = shifted(A, min(self.shifts))
        if not base.hermitian:
            raise LqcdError(f"MultishiftCG needs a Hermitian and positive operator, such as Normal(D), not {A!r}")
        return self._refined(A, b, *self._iterate(base, System(base, b)))

    def _iterate(self, base, system):
        """Fields x_k, the iterations and the history of the shifted recursion."""
        inner, copies, tol = base.to(self.precision or base.precision), system.b.copies, checked_tolerance(self.tol)
        order = np.argsort(self.shifts, kind="stable")
        sigmas = [self.shifts[k] - min(self.shifts) for k in order[1:]]
        x, r = inner.vector(copies), inner.vector(copies)
        r.assign(system.b)
        gradients = ShiftedGradients(inner, x, r, self.max_iterations, sigmas)
        norms = system.vectors.norm2(system.b)
        reach = max(tol, 1e-5 if self.precision == "single" and base.precision == "double" else 0)
        gradients.begin(norms, norms * (0.9 * reach) ** 2)
        progress = Progress("MultishiftCG", base.lattice)
        scale = 1 / system.size

        def see(values):
            progress(int(values[COUNT].max()), float((np.sqrt(values[RESIDUAL]) * scale).max()), tol)
            gradients.drop_converged(values)

        values = gradients.run(see)
        count = int(values[COUNT].max())
        rows = np.sqrt(values[HISTORY + 1 : HISTORY + 1 + count]) * scale
        found = {int(order[0]): x} | {int(k): gradients.solution(n) for n, k in enumerate(order[1:])}
        return found, count, rows.max(axis=(1, 2)).tolist()

    def _refined(self, A, b, found, count, history):
        solutions = []
        refine = CG(tol=self.tol, max_iterations=self.max_iterations, precision=self.precision)
        for k, sigma in enumerate(self.shifts):
            guess = A.vector(b.copies)
            guess.assign(found[k])
            solution = refine(shifted(A, sigma), b, guess)
            solution.iterations += count
            solution.history[:0] = history
            solutions.append(solution)
        return solutions


class ShiftedGradients(ConjugateGradient):
    """Conjugate gradients on A, and x_k, p_k of A + sigma_k in the buffers of two fields; sigmas in ascending order."""

    def __init__(self, A, x, r, limit, sigmas):
        self.sigmas = sigmas
        if sigmas:
            stack = replace(A.kind, buffers=len(sigmas), directions=True)
            self.xs, self.ps = (Field(A.lattice, stack, A.precision, x.copies) for _ in range(2))
        super().__init__(A, x, r, limit)

    @property
    def _first(self):
        return HISTORY + 1 + self.limit

    def _more_names(self):
        return 7 * len(self.sigmas) + 3

    def _more_launches(self):
        if not self.sigmas:
            return []
        n, systems = len(self.sigmas), self.numbers.systems
        self._live = self._first + 7 * n + 2
        step = Step(self.numbers, "cg_shifts", first=self._first, shifts=n)
        arguments = inout("x"), inout("p"), in_("r")
        scalars = ("first", "i64"), ("live", "i64")
        kernel = Kernel("linalg.h", "advance_shifts", (self._size, self.x.copies), arguments, scalars=scalars)
        launch = prepare(kernel, self.A.domain, numbers=self.numbers, x=self.xs, p=self.ps, r=self.r)
        return [step, launch.set(first=self._first, live=self._live * systems)]

    def begin(self, norms, targets):
        super().begin(norms, targets)
        steps = self._first + 3 * len(self.sigmas)
        self.numbers.write(steps, 1.0)
        self.numbers.write(steps + 1, 0.0)
        for k, sigma in enumerate(self.sigmas):
            for offset, value in enumerate((sigma, 1.0, 1.0, targets)):
                self.numbers.write(steps + 2 + 4 * k + offset, value)
            with self.ps.writing() as data:
                data[k] = self.r.data[0]
        if self.sigmas:
            self.numbers.write(self._live, len(self.sigmas))

    def drop_converged(self, values):
        """Update only the shifts that some system still needs."""
        if self.sigmas:
            steps = self._first + 3 * len(self.sigmas)
            going = [k for k in range(len(self.sigmas)) if (values[steps + 2 + 4 * k + 1] != 0).any()]
            self.numbers.write(self._live, max(going, default=-1) + 1)

    def solution(self, k):
        """x_k as a field of its own."""
        x = self.A.vector(self.x.copies)
        with x.writing() as data:
            data[0] = self.xs.data[k]
        return x
