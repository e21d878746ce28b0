"""The O(N) model: the XY model for two components, Heisenberg's for three."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..description import description
from ..fields import kinds
from .scalar_action import Coefficients, ScalarDescription


@description
class Sigma(ScalarDescription):
    """S = -beta sum_{x, mu} s(x).s(x+mu), |s| = 1, s of so many components.

    >>> from lqcd_hpc import Lattice, scalar
    >>> action = Sigma(beta=1.5, components=3)
    >>> action.on(scalar.cold(Lattice((4, 4)), action.field_kind)).value()
    -48.0
    """

    beta: float
    components: Annotated[int, Field(ge=2)]

    @property
    def field_kind(self):
        """A unit vector on every site."""
        return kinds.spins(self.components)

    def coefficients(self, ndim):
        """The coupling alone."""
        return Coefficients(coupling=self.beta)
