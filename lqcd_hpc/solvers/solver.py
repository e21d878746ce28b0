"""The contract of solvers, and what all of them check."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..backend import device
from ..errors import LqcdError
from ..fields.linalg import Vectors
from .solution import NotConverged, Solution


class Solver:
    """A value: `solve(A, b, guess=None)` gives a `Solution` whose true residual is at most `tol`.

    Raises `LqcdError` for a source that is zero everywhere, not finite, or not a vector of A, and `NotConverged`.
    """

    def __call__(self, A, b, guess=None):
        raise NotImplementedError

    def prepared(self, A):
        """solve(b, tol=None) for one source of A after another; a `tol` larger than the solver's own may be given."""
        return lambda b, tol=None: (self if tol is None else replace(self, tol=tol))(A, b)


class System:
    """A x = b for every right-hand side and replica, with the checks and the bookkeeping of a solver."""

    def __init__(self, A, b, guess=None):
        A.check(b)
        self.A, self.b = A, b
        self.vectors = Vectors(b, A.domain)
        self.size = np.sqrt(self.vectors.norm2(b))
        self._rehearsed = 0
        if device.is_recording():
            self.size = np.ones_like(self.size)
        if not np.isfinite(self.size).all():
            raise LqcdError("the source has numbers that are not finite")
        if (self.size == 0).all():
            raise LqcdError("the source is zero: there is nothing to solve")
        self.size[self.size == 0] = 1  # one of several that is zero has the solution zero
        self.x = A.vector(b.copies)
        if guess is not None:
            A.check(guess)
            if guess.copies != b.copies:
                raise LqcdError(f"the guess has {guess.copies} right-hand sides, the source {b.copies}")
            self.x.assign(guess)
        self._product = A.vector(b.copies)
        self.iterations, self.history = 0, []

    def residual(self, r):
        """r = b - A x; returns |r|/|b|. Raises `LqcdError` if it is not finite."""
        self.A.apply(self.x, self._product)
        relative = np.sqrt(self.vectors.combine(r, 1, self.b, -1, self._product)) / self.size
        if device.is_recording():  # one pass, so that all kernels are met
            self._rehearsed += 1
            return np.full(relative.shape, 1.0 if self._rehearsed == 1 else 0.0)
        self.check_finite(relative)
        return relative

    def check_finite(self, norms):
        """Raises `LqcdError` if the norms of what the operator has made are not finite."""
        if not np.isfinite(norms).all():
            raise LqcdError(f"the residual is not finite: are all links and masses of {self.A!r} finite?")

    def solution(self, residuals):
        return Solution(self.x, self.iterations, np.asarray(residuals), list(self.history))

    def give_up(self, why, residuals):
        """Raises `NotConverged`."""
        reached = float(np.max(residuals))
        text = f"not converged after {self.iterations} iterations: {why}; the residual is {reached:.2e}"
        raise NotConverged(text, self.solution(residuals))


def checked_tolerance(tol):
    """The tolerance, if it is one."""
    if not (isinstance(tol, (int, float)) and math.isfinite(tol) and 0 < tol < 1):
        raise LqcdError(f"tol = {tol!r}: choose a relative residual between 0 and 1")
    return float(tol)
