"""A polynomial of an operator as its approximate inverse, on the even sites where it has an even-odd form."""

from __future__ import annotations

from math import comb

from ..errors import LqcdError
from ..fields.linalg import superposition
from ..fields.numbers import Numbers
from .finish import STORE
from .operator import LinearOperator
from .schur import even_odd_form


class InversePolynomial(LinearOperator):
    """x_e = sum_k c_k (1 - S)^k b'_e for the symmetric even-odd form S x_e = b'_e of D x = b; odd sites follow exactly.

    Without an even-odd form x = sum_k c_k (1 - D/a)^k b/a, a the diagonal of D. c_k = 1 is the Neumann series.

    Raises `LqcdError` for its adjoint.

    >>> from lqcd_hpc import Lattice, Random, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=2.0, boundary=(1, -1)).on(gauge.hot(Lattice((4, 4)), Random(1), "U(1)"))
    >>> b = D.vector().from_numpy(D.vector().to_numpy() + 1)
    >>> left = D.apply(InversePolynomial(D, [1] * 9).apply(b)).to_numpy() - b.to_numpy()
    >>> bool(abs(left).max() < 1e-4)
    True
    """

    def __init__(self, A, coefficients):
        self.operator, self.coefficients = A, [float(c) for c in coefficients]
        self.lattice, self.kind, self.precision = A.lattice, A.kind, A.precision
        self.system = even_odd_form(A)
        self.even_odd = self.system is not A
        self.scale = 1.0 if self.even_odd else A.description.diagonal(A.lattice.ndim)

    def launches(self, psi, out, dagger=False, finish=STORE, numbers=None):
        if dagger:
            raise LqcdError("a polynomial on even sites has no adjoint here")
        target = out if finish is STORE else self.temporary("solution", psi.copies)
        powers, first = self._powers(psi, len(self.coefficients))
        found = [*first, self._sum(powers, target, self._monomials(self.coefficients))]
        if self.even_odd:
            found += self.system.full_launches(target, psi)
        return found if finish is STORE else [*found, finish.launch(target, out, self.domain, numbers)]

    def terms(self, psi, count):
        """(vectors, launches) of what c_0, c_1, .. multiply, for a source psi; the vectors have psi's odd part none."""
        powers, launches = self._powers(psi, count)
        found, zero = [psi.like() for _ in range(count)], psi.like()
        for k, target in enumerate(found):
            launches = [
                *launches,
                self._sum(powers, target, self._monomials([0.0] * k + [1.0] + [0.0] * (count - k - 1))),
            ]
            if self.even_odd:
                launches += self.system.full_launches(target, zero)
        return found, launches

    def rest(self, psi):
        """(vector, launches) of x where all c_k are zero: the odd part of psi by itself."""
        target = psi.like()
        return target, self.system.full_launches(target, psi) if self.even_odd else []

    def _powers(self, psi, count):
        """Vectors S^k b'_e, and the launches that make them."""
        powers = [self.temporary(("power", k), psi.copies) for k in range(count)]
        if self.even_odd:
            launches = self.system.source_launches(psi, powers[0])
        else:
            launches = [self._sum([psi], powers[0], [1.0])]
        for v, w in zip(powers, powers[1:]):
            launches = [*launches, *self.system.launches(v, w)]
        return powers, launches

    def _sum(self, vectors, target, factors):
        numbers = Numbers(self.lattice, target.copies, 2 * len(factors))
        for k, c in enumerate(factors):
            numbers.write(2 * k, c)
        return superposition(vectors, target, numbers, 0, self.system.domain)

    def _monomials(self, coefficients):
        """The coefficients of S^j (or D^j): (1 - S)^k = sum_j binomial(k, j) (-S)^j."""
        found = [0.0] * len(coefficients)
        for k, c in enumerate(coefficients):
            for j in range(k + 1):
                found[j] += c * comb(k, j) * (-1) ** j / self.scale ** (j + 1)
        return found

    def to(self, precision):
        if precision == self.precision:
            return self
        return InversePolynomial(self.operator.to(precision), self.coefficients)

    def __repr__(self):
        return f"InversePolynomial of degree {len(self.coefficients) - 1} of {self.operator!r}"
