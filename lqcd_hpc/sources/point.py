"""A source on one site."""

from __future__ import annotations

from pydantic import NonNegativeInt

from ..description import description
from .columns import site_number, unit_columns


@description
class Point:
    """b(x) = delta(x, position) in every spin and colour, position = (x, y, z, t).

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.staggered import Staggered
    >>> D = Staggered(mass=0.5, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "SU(3)"))
    >>> Point(position=(1, 2)).on(D)().to_numpy()[:, 2, 1].real  # copies, then colours
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """

    position: tuple[NonNegativeInt, ...]

    def time(self, lattice):
        """The time slice of the source."""
        site_number(lattice, self.position)
        return self.position[-1]

    def on(self, D):
        """The source for the operator D. Raises `LqcdError` if the position lies outside the lattice."""
        number = site_number(D.lattice, self.position)
        return lambda: unit_columns(D, number, number + 1)
