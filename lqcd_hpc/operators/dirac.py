"""What the Wilson operators have in common: hops of spinors, and a term on the sites.

    D = A - H/2,   H psi(x) = sum_mu c_mu [(1 - gamma_mu) U_mu(x) psi(x+mu) + (1 + gamma_mu) U_mu(x-mu)^dag psi(x-mu)]

A is a number, a twisted mass or a clover block per site; `SiteTerm` says which.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import LqcdError
from ..fields import kinds
from ..fields.field import Field
from ..fields.launch import Kernel, in_, prepare
from ..fields.launch import out as out_
from ..fields.projection import Projection
from .finish import STORE
from .gauge_operator import GaugeOperator, sites_of
from .links import Storage, are_far, hops
from .operator import LinearOperator

NOTHING, MASS, TWISTED, PACKED, PACKED_TWISTED, FULL = range(6)  # kernels/site_term.h


@dataclass(frozen=True)
class SiteTerm:
    """mass + i twist gamma5, or blocks + i twist gamma5."""

    number: int
    mass: float = 0.0
    twist: float = 0.0
    blocks: Field | None = None

    def arguments(self, name):
        return (in_(f"{name}_blocks"),) if self.blocks else ()

    def fields(self, name):
        return {f"{name}_blocks": self.blocks} if self.blocks else {}

    def values(self, name):
        return {f"{name}_mass": self.mass, f"{name}_twist": self.twist}


NO_TERM = SiteTerm(NOTHING)
ONE = SiteTerm(MASS, 1.0)


class DiracOperator(GaugeOperator):
    """The base of Wilson operators on one gauge field.

    A subclass gives `site_term(dagger)` and `inverse_site_term(dagger)`.
    Raises `LqcdError` if the lattice has not 2 or 4 dimensions, or the description's phases do not fit it.
    """

    hop_factor = -0.5  # D = A - H/2
    antihermitian_hop = False

    def __init__(self, description, U, precision=None, storage=None):
        if U.lattice.ndim not in (2, 4):
            raise LqcdError(f"{type(description).__name__} needs 2 or 4 dimensions, not {U.lattice.ndim}")
        self.weights = description.hop_weights(U.lattice.ndim)
        # two links per direction are read 5 to 15 % faster than one (benchmarks/dirac.py)
        storage = storage or replace(Storage.smallest(U.kind.nc, self.weights), per_site=2)
        super().__init__(description, U, kinds.spinors(U.kind.nc, U.lattice.ndim), precision, storage)

    def site_term(self, dagger=False):
        """A, or its adjoint."""
        raise NotImplementedError

    def inverse_site_term(self, dagger=False):
        """A^-1, or its adjoint. Raises `LqcdError` if A is singular."""
        raise NotImplementedError

    def launches(self, psi, out, dagger=False, finish=STORE, numbers=None, gamma5=False):
        term = self.site_term(dagger)
        return [self.hop(psi, out, None, dagger, psi, term, finish=finish, numbers=numbers, gamma5=gamma5)]

    def hop(
        self, psi, out, parity, dagger=False, own=None, own_term=NO_TERM, after=NO_TERM, hopping=-0.5, finish=STORE,
        numbers=None, gamma5=False,
    ):  # fmt: skip
        """The launch of out = own_term own + after (hopping H psi) on the sites of a parity (None: all)."""
        nc, ndim, copies = self.kind.nc, self.lattice.ndim, psi.copies
        reach, links = hops(ndim), self.links
        half = Projection("wilson.h", "project_half_spinor", (nc, ndim, copies, int(dagger)), self.kind.reals // 2)
        arguments = [
            in_("psi", reach, projection=half),
            in_("links", self.links_reach),
            *([in_("own")] if own is not None else []),
            *own_term.arguments("own"),
            *after.arguments("after"),
            *finish.arguments,
        ]
        constants = (*self.links_constants, copies, int(dagger))
        constants += (own_term.number, after.number, int(gamma5), finish.flags)
        scalars = [("far", "i64")]
        scalars += [(name, "double") for name in ("hopping", *own_term.values("own"), *after.values("after"))]
        kernel = Kernel(
            "wilson.h", "wilson", constants, tuple(arguments), reach, (*scalars, *finish.scalars),
            (self.phase_type,), finish.sums(copies),
        )  # fmt: skip
        fields = {"psi": psi, "links": links} | ({"own": own} if own is not None else {})
        fields |= own_term.fields("own") | after.fields("after") | finish.fields(out)
        launch = prepare(kernel, sites_of(parity), {"phases": self.phase_table}, numbers, **fields)
        terms = own_term.values("own") | after.values("after")
        return launch.set(far=are_far(links), hopping=hopping, **terms, **finish.values)

    def forward_hop(self, mu, psi, out):
        """The launch of out(x) = -(c_mu/2) (1 - gamma_mu) U_mu(x) psi(x+mu)."""
        nc, ndim, copies = self.kind.nc, self.lattice.ndim, psi.copies
        reach = hops(ndim)
        half = Projection("wilson.h", "project_half_spinor", (nc, ndim, copies, 0), self.kind.reals // 2)
        arguments = in_("psi", reach, projection=half), in_("links", self.links_reach), out_("out")
        kernel = Kernel(
            "wilson.h", "forward_hop", (*self.links_constants, copies, mu), arguments, reach, (("hopping", "double"),),
            (self.phase_type,),
        )  # fmt: skip
        return prepare(kernel, tables={"phases": self.phase_table}, psi=psi, links=self.links, out=out).set(
            hopping=self.hop_factor
        )

    def site_part(self, psi, out):
        """The launch of out = A psi."""
        return self.on_sites(self.site_term(), psi, out)

    def on_sites(self, term, psi, out, parity=None, finish=STORE, numbers=None, gamma5=False):
        """The launch of out = term psi."""
        nc, ndim, copies = self.kind.nc, self.lattice.ndim, psi.copies
        constants = (nc, ndim, copies, term.number, int(gamma5), finish.flags)
        arguments = (in_("psi"), *term.arguments("own"), *finish.arguments)
        scalars = tuple((name, "double") for name in term.values("own")) + finish.scalars
        kernel = Kernel("wilson.h", "apply_site_term", constants, arguments, scalars=scalars, sums=finish.sums(copies))
        fields = {"psi": psi} | term.fields("own") | finish.fields(out)
        return prepare(kernel, sites_of(parity), numbers=numbers, **fields).set(**term.values("own"), **finish.values)

    @property
    def gamma5_form(self):
        """gamma5 D, Hermitian for Wilson and clover operators."""
        return Gamma5Form(self)


class Gamma5Form(LinearOperator):
    """Q = gamma5 D; Q^dag = D^dag gamma5 = gamma5 D with the opposite twist."""

    def __init__(self, operator):
        self.operator = operator
        self.lattice, self.kind, self.precision = operator.lattice, operator.kind, operator.precision

    def launches(self, psi, out, dagger=False, finish=STORE, numbers=None):
        if not dagger:
            return self.operator.launches(psi, out, False, finish, numbers, gamma5=True)
        turned = self.temporary("gamma5 psi", psi.copies)
        first = self.operator.on_sites(ONE, psi, turned, gamma5=True)
        return [first, *self.operator.launches(turned, out, True, finish, numbers)]

    def to(self, precision):
        return Gamma5Form(self.operator.to(precision))
