"""What all operators on a gauge field have in common: its links as kernels read them, phases, the other precision."""

from __future__ import annotations

from functools import cached_property

from ..fields.domain import EVERYWHERE, Parity
from .fermion_phases import phases_of
from .links import boundary_phases, hops, stored_links
from .operator import LinearOperator


class GaugeOperator(LinearOperator):
    """An operator of a description on the gauge field U, for fields of `kind` in a precision (None: that of U).

    Raises `LqcdError` if the description's phases do not fit the lattice.
    """

    weights = None  # of the links in each direction; None: all 1

    def __init__(self, description, U, kind, precision, storage):
        self.description, self.U, self.lattice, self.kind = description, U, U.lattice, kind
        self.precision, self.storage = precision or U.precision, storage
        self.phases = phases_of(description, U.lattice)

    def to(self, precision):
        return self if precision == self.precision else self._other

    @cached_property
    def _other(self):
        other = {"double": "single", "single": "double"}[self.precision]
        return type(self)(self.description, self.U, other, self.storage)

    @property
    def links(self):
        """The links in the form that kernels read, of the gauge field as it is now."""
        return stored_links(self.U, self.storage, self.precision, self.weights)

    @property
    def links_reach(self):
        """Where the links of a hop lie: also at the neighbours behind, if one per direction is stored."""
        return hops(self.lattice.ndim)[self.lattice.ndim :] if self.storage.per_site == 1 else ()

    @property
    def links_constants(self):
        """Template arguments of kernels/hop.h: N, ND, ROWS, STORED."""
        nc, ndim = self.U.kind.nc, self.lattice.ndim
        return nc, ndim, self.storage.rows, self.storage.per_site * ndim

    @cached_property
    def phase_table(self):
        """Boundary phases as kernels read them."""
        layout = self.U.layout if self.precision == self.U.precision else self.vector().layout
        return boundary_phases(layout, self.phases).astype("f8" if self.precision == "double" else "f4")

    @property
    def phase_type(self):
        return ("phases", "double" if self.precision == "double" else "float")

    def __repr__(self):
        return f"{self.description!r} on {self.lattice!r}"


def sites_of(parity):
    """All sites (None), or those of a parity."""
    return EVERYWHERE if parity is None else Parity(parity)
