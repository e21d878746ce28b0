"""The staggered operator (Kogut and Susskind, Phys. Rev. D 11 (1975) 395)."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np

from ..description import description
from ..errors import LqcdError
from ..fields import kinds
from ..fields.domain import EVERYWHERE, Parity
from ..fields.launch import Kernel, in_, prepare
from .dirac import MASS, NO_TERM, SiteTerm
from .fermion_phases import phases_of
from .finish import STORE
from .links import Storage, are_far, boundary_phases, hops, stored_links
from .operator import LinearOperator


@description
class Staggered:
    """D = mass + K,  K psi(x) = 1/2 sum_mu eta_mu(x) [U_mu(x) psi(x+mu) - U_mu(x-mu)^dag psi(x-mu)].

    eta_mu(x) = (-1)^(x_0 + .. + x_{mu-1}).

    >>> from lqcd_hpc import Lattice, gauge
    >>> D = Staggered(mass=0.1, boundary=(1, 1, 1, -1)).on(gauge.unit(Lattice((4, 4, 4, 4))))
    >>> D.apply(D.vector()).to_numpy().shape
    (4, 4, 4, 4, 3)
    """

    mass: float
    boundary: tuple[Literal[1, -1], ...]
    twist: tuple[float, ...] | None = None

    def on(self, U):
        """The operator on the gauge field U."""
        return StaggeredOperator(self, U)


class StaggeredOperator(LinearOperator):
    """The operator of a `Staggered` description. Raises `LqcdError` if an extent is odd."""

    hop_factor = 0.5  # D = m + H/2
    antihermitian_hop = True

    def __init__(self, description, U, precision=None, storage=None):
        if any(n % 2 for n in U.lattice.shape):
            raise LqcdError(f"staggered fermions need even extents, not {U.lattice.shape}")
        self.description, self.U, self.lattice = description, U, U.lattice
        self.precision = precision or U.precision
        self.kind = kinds.colour_vectors(U.kind.nc)
        self.storage = storage or Storage.smallest(U.kind.nc)
        self.phases = phases_of(description, U.lattice)

    def to(self, precision):
        return self if precision == self.precision else self._other

    @cached_property
    def _other(self):
        other = {"double": "single", "single": "double"}[self.precision]
        return StaggeredOperator(self.description, self.U, other, self.storage)

    def launches(self, psi, out, dagger=False, finish=STORE, numbers=None):
        return [self.hop(psi, out, None, dagger, psi, self.site_term(), finish=finish, numbers=numbers)]

    def site_term(self, dagger=False):
        """The mass."""
        return SiteTerm(MASS, self.description.mass)

    def inverse_site_term(self, dagger=False):
        """1/mass. Raises `LqcdError` if it is zero."""
        if self.description.mass == 0:
            raise LqcdError(f"{self.description}: mass = 0 makes the even-odd block singular; choose another mass")
        return SiteTerm(MASS, 1 / self.description.mass)

    def hop(
        self, psi, out, parity, dagger=False, own=None, own_term=NO_TERM, after=NO_TERM, hopping=0.5, finish=STORE,
        numbers=None,
    ):  # fmt: skip
        """The launch of out = own_term own + after (hopping H psi) on the sites of a parity (None: all); H = 2 K."""
        hopping *= (-1 if dagger else 1) * (after.mass if after is not NO_TERM else 1)
        nc, ndim, copies = self.kind.nc, self.lattice.ndim, psi.copies
        reach = hops(ndim)
        arguments = [
            in_("psi", reach),
            in_("links", reach[ndim:] if self.storage.per_site == 1 else ()),
            *([in_("own")] if own is not None else []),
            *finish.arguments,
        ]
        constants = (nc, ndim, self.storage.rows, self.storage.per_site * ndim, copies)
        tables = ("phases", "double" if self.precision == "double" else "float"), ("signs", "u32")
        kernel = Kernel(
            "staggered.h", "staggered", (*constants, int(own is not None), finish.flags), tuple(arguments), reach,
            (("far", "i64"), ("hopping", "double"), ("own_mass", "double"), *finish.scalars),
            tables, finish.sums(copies),
        )  # fmt: skip
        fields = {"psi": psi, "links": stored_links(self.U, self.storage, self.precision)}
        fields |= ({"own": own} if own is not None else {}) | finish.fields(out)
        domain = EVERYWHERE if parity is None else Parity(parity)
        launch = prepare(kernel, domain, {"phases": self._tables[0], "signs": self._tables[1]}, numbers, **fields)
        return launch.set(far=are_far(fields["links"]), hopping=hopping, own_mass=own_term.mass, **finish.values)

    def on_sites(self, term, psi, out, parity=None, finish=STORE, numbers=None):
        """The launch of out = term psi."""
        kernel = Kernel(
            "staggered.h", "scaled", (self.kind.nc, psi.copies, finish.flags), (in_("psi"), *finish.arguments),
            scalars=(("own_mass", "double"), *finish.scalars), sums=finish.sums(psi.copies),
        )  # fmt: skip
        domain = EVERYWHERE if parity is None else Parity(parity)
        launch = prepare(kernel, domain, numbers=numbers, psi=psi, **finish.fields(out))
        return launch.set(own_mass=term.mass, **finish.values)

    @cached_property
    def _tables(self):
        """Boundary phases, and bit mu set per item where eta_mu = -1 (the same in all lanes)."""
        layout = self.U.layout if self.precision == self.U.precision else self.vector().layout
        phases = boundary_phases(layout, self.phases).astype("f8" if self.precision == "double" else "f4")
        coords = layout.coords + np.array(self.lattice.origin)
        signs = np.zeros(len(coords), np.uint32)
        for mu in range(self.lattice.ndim):
            signs |= (coords[:, :mu].sum(axis=1) % 2 << mu).astype(np.uint32)
        return phases, signs

    def __repr__(self):
        return f"{self.description!r} on {self.lattice!r}"
