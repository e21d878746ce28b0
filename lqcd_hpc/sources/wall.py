"""A source on a whole time slice."""

from __future__ import annotations

from pydantic import NonNegativeInt

from ..description import description
from ..errors import LqcdError
from .columns import unit_columns


@description
class Wall:
    """b(x) = delta(t, time_slice) in every spin and colour: a quark at rest.

    The sites of a wall do not transform alike, so that a correlator from it is not gauge invariant by itself: fix the
    Coulomb gauge first, or take the terms between different sites for noise that vanishes on average.
    """

    time_slice: NonNegativeInt

    def time(self, lattice):
        """The time slice of the source. Raises `LqcdError` if it lies outside the lattice."""
        if self.time_slice >= lattice.shape[-1]:
            raise LqcdError(f"source time_slice = {self.time_slice}: choose one of 0 .. {lattice.shape[-1] - 1}")
        return self.time_slice

    def on(self, D):
        """The source for the operator D."""
        size = D.lattice.volume // D.lattice.shape[-1]
        first = self.time(D.lattice) * size
        return lambda: unit_columns(D, first, first + size)
