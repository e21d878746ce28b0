"""What measurements with quarks have in common: an operator, a solver, a source, and sums over time slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator

from ..errors import LqcdError
from ..fields.domain import Slice
from ..fields.field import Field
from ..fields.launch import prepare


def _is_description(value):
    if not (hasattr(value, "on") or callable(value)):
        raise ValueError('give a table with a kind, such as { kind = "wilson", ... }')
    return value


Described = Annotated[Any, AfterValidator(_is_description)]


@dataclass(frozen=True)
class Propagator:
    """S(x) of one source: copy j of `field` solves D S = source column j; what it cost."""

    field: Field
    iterations: int
    residual: float | np.ndarray


class Quark:
    """D^-1 on the columns of a source, for the gauge field as it is when called.

    Raises `LqcdError` for what operator and source refuse, `NotConverged` as the solver does.
    """

    def __init__(self, operator, solver, source, U):
        self._operator, self._solver, self._source, self.U = operator, solver, source, U
        D = operator.on(U)
        source.on(D)
        self.lattice, self.kind, self.time = U.lattice, D.kind, source.time(U.lattice)
        self.has_spin = len(D.kind.shape) == 2

    @property
    def boundary(self):
        """What a quark is multiplied by that goes once around time: 1 or -1."""
        return self._operator.boundary[-1]

    def propagator(self):
        D = self._operator.on(self.U)
        solution = self._solver(D, self._source.on(D)())
        return Propagator(solution.x, solution.iterations, largest(solution.residuals))

    def from_source(self, correlator):
        """A correlator (time first) so that it begins at the time slice of the source."""
        return np.roll(correlator, -self.time, axis=0)


def largest(residuals):
    """The largest residual of the right-hand sides: a number, or one per replica."""
    worst = np.max(np.reshape(residuals, (len(residuals), -1)), axis=0)
    return float(worst[0]) if len(worst) == 1 else worst


def time_slices(kernel, **fields):
    """The sums of a kernel over every time slice: name -> (time,), or (time, replicas)."""
    lattice = next(iter(fields.values())).lattice
    last = lattice.ndim - 1
    rows = [prepare(kernel, Slice(last, t), **fields)() for t in range(lattice.shape[last])]
    return {name: np.array([row[name] for row in rows]) for name in kernel.sums}


def require_spin(quark, what):
    """Raises `LqcdError` for operators without spin."""
    if not quark.has_spin:
        raise LqcdError(f'{what} needs an operator with spin, such as "wilson": for "staggered" take staggered_pion')
