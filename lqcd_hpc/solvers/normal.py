"""Conjugate gradients on the normal equation D^dag D x = D^dag b, for any D that can be inverted."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt

from ..description import description
from ..operators.operator import Normal
from .reliable import reliable_iterations
from .solver import Solver, System


@description
class NormalCG(Solver):
    """D x = b; |b - D x| <= tol |b| for every right-hand side. Parameters as those of `CG`.

    Raises `NotConverged`.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.5, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> NormalCG(tol=1e-10)(D, D.vector().from_numpy(1 + D.vector().to_numpy())).residual < 1e-10
    True
    """

    tol: float
    max_iterations: PositiveInt = 10000
    precision: Literal["double", "single"] | None = None
    reliable: float = 0.03

    def __call__(self, D, b, guess=None):
        system = System(D, b, guess)
        s = D.vector(b.copies)

        def residual(r):
            relative = system.residual(s)
            D.adjoint(s, r)
            return relative

        return reliable_iterations(self, Normal(D), system, residual)
