"""Conjugate gradients for Hermitian positive operators, in one precision or two."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt

from ..description import description
from ..errors import LqcdError
from .reliable import reliable_iterations
from .solver import Solver, System


@description
class CG(Solver):
    """A x = b for A Hermitian and positive; |b - A x| <= tol |b| for every right-hand side.

    precision : "single" iterates in single precision with reliable updates whenever the residual has fallen by the
    factor `reliable`; where that no longer helps, the iteration goes on in the precision of A.

    Raises `LqcdError` if A is not Hermitian and positive, and `NotConverged`.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.laplace import Laplace
    >>> A = Laplace(mass_squared=1.0, boundary=(1, 1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> CG(tol=1e-10)(A, A.vector().from_numpy(1 + A.vector().to_numpy())).iterations
    1
    """

    tol: float
    max_iterations: PositiveInt = 10000
    precision: Literal["double", "single"] | None = None
    reliable: float = 0.03

    def __call__(self, A, b, guess=None):
        if not A.hermitian:
            raise LqcdError(f"CG needs a Hermitian and positive operator: use NormalCG for {A!r}")
        system = System(A, b, guess)
        return reliable_iterations(self, A, system, system.residual)
