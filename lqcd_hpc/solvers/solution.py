"""What a solver returns, or raises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import LqcdError
from ..fields.field import Field


@dataclass
class Solution:
    """x, and what it cost: iterations; `residual`: the true |b - A x|/|b|, largest over right-hand sides and replicas.

    `residuals` : of every right-hand side and replica; `history` : estimates of the residual, one per iteration

    >>> Solution(x=None, iterations=7, residuals=np.array([1e-11, 3e-11]), history=[]).residual
    3e-11
    """

    x: Field
    iterations: int
    residuals: np.ndarray
    history: list[float]

    @property
    def residual(self):
        return float(np.max(self.residuals))


class NotConverged(LqcdError):
    """A solver has not reached its tolerance; `solution` is the best it has, with its history.

    >>> try:
    ...     raise NotConverged("no progress", Solution(None, 5, np.array([0.1]), [0.5, 0.1]))
    ... except NotConverged as error:
    ...     error.solution.iterations, error.history
    (5, [0.5, 0.1])
    """

    def __init__(self, message, solution):
        super().__init__(message)
        self.solution = solution

    @property
    def history(self):
        return self.solution.history
