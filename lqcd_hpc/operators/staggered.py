"""The staggered operator (Kogut and Susskind, Phys. Rev. D 11 (1975) 395)."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np

from ..description import description
from ..errors import LqcdError
from ..fields import kinds
from ..fields.launch import Kernel, in_, prepare
from .dirac import MASS, NO_TERM, SiteTerm
from .finish import STORE
from .gauge_operator import GaugeOperator, sites_of
from .links import Storage, are_far, hops


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


class StaggeredOperator(GaugeOperator):
    """The operator of a `Staggered` description. Raises `LqcdError` if an extent is odd."""

    hop_factor = 0.5  # D = m + H/2
    antihermitian_hop = True

    def __init__(self, description, U, precision=None, storage=None):
        if any(n % 2 for n in U.lattice.shape):
            raise LqcdError(f"staggered fermions need even extents, not {U.lattice.shape}")
        storage = storage or Storage.smallest(U.kind.nc)
        super().__init__(description, U, kinds.colour_vectors(U.kind.nc), precision, storage)

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
        reach, links = hops(self.lattice.ndim), self.links
        arguments = [
            in_("psi", reach),
            in_("links", self.links_reach),
            *([in_("own")] if own is not None else []),
            *finish.arguments,
        ]
        constants = (*self.links_constants, psi.copies, int(own is not None), finish.flags)
        kernel = Kernel(
            "staggered.h", "staggered", constants, tuple(arguments), reach,
            (("far", "i64"), ("hopping", "double"), ("own_mass", "double"), *finish.scalars),
            (self.phase_type, ("signs", "u32")), finish.sums(psi.copies),
        )  # fmt: skip
        fields = {"psi": psi, "links": links} | ({"own": own} if own is not None else {}) | finish.fields(out)
        tables = {"phases": self.phase_table, "signs": self._signs}
        launch = prepare(kernel, sites_of(parity), tables, numbers, **fields)
        return launch.set(far=are_far(links), hopping=hopping, own_mass=own_term.mass, **finish.values)

    def on_sites(self, term, psi, out, parity=None, finish=STORE, numbers=None):
        """The launch of out = term psi."""
        kernel = Kernel(
            "staggered.h", "scaled", (self.kind.nc, psi.copies, finish.flags), (in_("psi"), *finish.arguments),
            scalars=(("own_mass", "double"), *finish.scalars), sums=finish.sums(psi.copies),
        )  # fmt: skip
        launch = prepare(kernel, sites_of(parity), numbers=numbers, psi=psi, **finish.fields(out))
        return launch.set(own_mass=term.mass, **finish.values)

    @cached_property
    def _signs(self):
        """Bit mu set per item where eta_mu = -1 (the same in all lanes)."""
        layout = self.U.layout if self.precision == self.U.precision else self.vector().layout
        coords = layout.coords + np.array(self.lattice.origin)
        signs = np.zeros(len(coords), np.uint32)
        for mu in range(self.lattice.ndim):
            signs |= (coords[:, :mu].sum(axis=1) % 2 << mu).astype(np.uint32)
        return signs
