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
    """

    x: Field
    iterations: int
    residuals: np.ndarray
    history: list[float]

    @property
    def residual(self):
        return float(np.max(self.residuals))


class NotConverged(LqcdError):
    """A solver has not reached its tolerance; `solution` is the best it has, with its history."""

    def __init__(self, message, solution):
        super().__init__(message)
        self.solution = solution

    @property
    def history(self):
        return self.solution.history
