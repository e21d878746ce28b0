"""The contract of linear operators on fields, and what follows from it: adjoint, normal operator, gamma5 form."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial

from ..errors import LqcdError
from ..fields.domain import EVERYWHERE, Parity
from ..fields.field import Field
from ..fields.launch import Sequence
from .finish import STORE, Finish


class LinearOperator:
    """out = A psi on the fields of one kind, of one parity (0, 1) or on all sites (None).

    A subclass gives `lattice`, `kind`, `precision`, `parity` and
    `launches(psi, out, dagger, finish, numbers)`: prepared launches, the last of which ends as `finish` says.
    `hermitian` : A is Hermitian and positive, so that conjugate gradients may solve it; `semidefinite` : A + sigma is
    so for every sigma > 0.
    """

    parity = None
    hermitian = False
    semidefinite = False

    def launches(self, psi, out, dagger=False, finish=STORE, numbers=None):
        raise NotImplementedError

    @property
    def domain(self):
        """The sites on which vectors live."""
        return EVERYWHERE if self.parity is None else Parity(self.parity)

    def vector(self, copies=1):
        """A new zero vector (of several right-hand sides if `copies` > 1)."""
        return Field(self.lattice, self.kind, self.precision, copies)

    def temporary(self, name, copies):
        """A vector of this operator's own, made once."""
        key = (name, copies)
        if key not in self._temporaries:
            self._temporaries[key] = self.vector(copies)
        return self._temporaries[key]

    @cached_property
    def _temporaries(self):
        return {}

    @cached_property
    def _plans(self):
        return {}

    def apply(self, psi, out=None, dagger=False):
        """out = A psi (or A^dag psi); a new field if none is given.

        Raises `LqcdError` if psi or out is not a vector of this operator.
        """
        self.check(psi)
        copies = self.copies_after(psi.copies, dagger)
        out = self.vector(copies) if out is None else out
        self.check(out)
        if out.copies != copies:
            raise LqcdError(f"psi has {psi.copies} right-hand sides, out has {out.copies}")
        key = (id(psi), id(out), dagger)
        if key not in self._plans or self._plans[key][0] != self.version:
            self._plans.pop(key, None)
            while len(self._plans) >= 8:
                self._plans.pop(next(iter(self._plans)))
            self._plans[key] = self.version, psi, out, Sequence(self.launches(psi, out, dagger))
        self._plans[key][-1]()
        return out

    def copies_after(self, copies, dagger):
        """Copies of A psi for these of psi."""
        return copies

    @property
    def version(self):
        """Counts the writes to the gauge field: launches are prepared for one of its states."""
        return (self.operator if hasattr(self, "operator") else self.U).version

    def adjoint(self, psi, out=None):
        """out = A^dag psi."""
        return self.apply(psi, out, dagger=True)

    __call__ = apply

    def check(self, psi):
        """Raises `LqcdError` unless psi is a vector of this operator."""
        if not isinstance(psi, Field) or psi.kind != self.kind or psi.lattice is not self.lattice:
            raise LqcdError(f"{self} acts on {self.kind.name} of its lattice, not on {psi!r}: make one with .vector()")
        if psi.precision != self.precision:
            raise LqcdError(f"{self} is in {self.precision} precision, {psi!r} is not: take .to({psi.precision!r})")

    def to(self, precision):
        """The same operator in "double" or "single" precision."""
        raise NotImplementedError


def with_shift(A, launches, shift, psi, out, finish, numbers):
    """`launches(out=, finish=, numbers=)` of A with shift psi added before their end.

    What the end needs of another vector than psi is done by a launch of its own.
    """
    if not shift:
        return launches(out=out, finish=finish, numbers=numbers)
    if finish.left in (None, psi):
        return launches(out=out, finish=replace(finish, left=psi, shift=finish.shift + shift), numbers=numbers)
    made = A.temporary("shifted", psi.copies)
    first = launches(out=made, finish=Finish(left=psi, shift=shift), numbers=None)
    return [*first, finish.launch(made, out, A.domain, numbers)]


class Normal(LinearOperator):
    """D^dag D + shift, Hermitian and positive."""

    hermitian = True

    def __init__(self, operator, shift=0.0):
        self.operator, self.shift = operator, float(shift)
        self.lattice, self.kind, self.precision = operator.lattice, operator.kind, operator.precision
        self.parity = operator.parity

    def launches(self, psi, out, dagger=False, finish=STORE, numbers=None):
        middle = self.temporary("D psi", psi.copies)
        second = partial(self.operator.launches, middle, dagger=True)
        return self.first_half(psi, middle) + with_shift(self, second, self.shift, psi, out, finish, numbers)

    def first_half(self, psi, middle, finish=STORE, numbers=None):
        """middle = D psi: <psi, D^dag D psi> is the norm of it."""
        return self.operator.launches(psi, middle, False, finish, numbers)

    def factors(self, psi, residual, numbers):
        """Launches for conjugate gradients: the norm of B psi, then r -= numbers[0] (B^dag B + shift) psi."""
        middle = self.temporary("D psi", psi.copies)
        last = Finish(left=psi, shift=self.shift, residual=residual)
        first = self.first_half(psi, middle, Finish(norm=True), numbers)
        return first, self.operator.launches(middle, residual, True, last, numbers)

    def to(self, precision):
        return Normal(self.operator.to(precision), self.shift)

    def __repr__(self):
        return f"Normal({self.operator!r}" + (f", shift={self.shift})" if self.shift else ")")
