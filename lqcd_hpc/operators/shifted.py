"""A + sigma for an operator A."""

from __future__ import annotations

from functools import partial

from .finish import STORE
from .operator import LinearOperator, Normal, with_shift


def shifted(A, sigma):
    """A + sigma; a normal operator stays one.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.laplace import Laplace
    >>> shifted(Laplace(mass_squared=0.0, boundary=(1, 1)).on(gauge.unit(Lattice((4, 4)))), 0.5).hermitian
    True
    """
    if sigma == 0:
        return A
    return Normal(A.operator, A.shift + sigma) if isinstance(A, Normal) else Shifted(A, sigma)


class Shifted(LinearOperator):
    """A + sigma, as positive as A for sigma > 0."""

    def __init__(self, operator, sigma):
        self.operator, self.sigma = operator, float(sigma)
        self.lattice, self.kind, self.precision = operator.lattice, operator.kind, operator.precision
        self.parity = operator.parity
        self.hermitian = operator.hermitian or (operator.semidefinite and sigma > 0)

    def launches(self, psi, out, dagger=False, finish=STORE, numbers=None):
        plain = partial(self.operator.launches, psi, dagger=dagger)
        return with_shift(self, plain, self.sigma, psi, out, finish, numbers)

    def to(self, precision):
        return Shifted(self.operator.to(precision), self.sigma)

    def __repr__(self):
        return f"Shifted({self.operator!r}, {self.sigma})"
