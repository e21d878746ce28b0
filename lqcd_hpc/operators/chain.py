"""Operators one after another, with the source added again on the way: a linear network of layers."""

from __future__ import annotations

from ..errors import LqcdError
from .finish import STORE, Finish
from .operator import LinearOperator, with_shift


class Chain(LinearOperator):
    """psi_1 = A_1 psi, psi_{k+1} = A_{k+1} psi_k + skips[k-1] psi: the polynomials of Horner's scheme for equal layers.

    layers : operators on the same fields; a layer may change the number of copies, skips ask for the number at the
    beginning. Raises `LqcdError` for an adjoint with skips.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=1.0, boundary=(1, 1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> one = D.vector().from_numpy(1 + D.vector().to_numpy())
    >>> complex(Chain([D, D], skips=[0.5]).apply(one).to_numpy()[0, 0, 0, 0])
    (1.5+0j)
    """

    def __init__(self, layers, skips=None):
        self.layers, self.skips = list(layers), list(skips) if skips is not None else [0.0] * (len(layers) - 1)
        self.operator = first = self.layers[0]
        self.lattice, self.kind, self.precision = first.lattice, first.kind, first.precision

    def copies_after(self, copies, dagger):
        for layer in self.layers[::-1] if dagger else self.layers:
            copies = layer.copies_after(copies, dagger)
        return copies

    def launches(self, psi, out, dagger=False, finish=STORE, numbers=None):
        if dagger and any(self.skips):
            raise LqcdError("a chain with skips has no adjoint here")
        layers, found, source = (self.layers[::-1] if dagger else self.layers), [], psi
        for number, layer in enumerate(layers):
            skip = 0.0 if dagger or number == 0 else self.skips[number - 1]
            if number + 1 < len(layers):
                target = self._between(number, layer.copies_after(source.copies, dagger))
                ending = Finish(left=psi, shift=skip) if skip else STORE
                found += layer.launches(source, target, dagger, ending)
                source = target
            else:

                def last(out, finish, numbers, layer=layer, source=source):
                    return layer.launches(source, out, dagger, finish, numbers)

                found += with_shift(self, last, skip, psi, out, finish, numbers)
        return found

    def _between(self, number, copies):
        """The vector that layer `number` makes; two are used in turn."""
        return self.temporary(("layer", number % 2), copies)

    def to(self, precision):
        return self if precision == self.precision else Chain([A.to(precision) for A in self.layers], self.skips)

    def __repr__(self):
        return f"Chain of {len(self.layers)} layers on {self.lattice!r}"
