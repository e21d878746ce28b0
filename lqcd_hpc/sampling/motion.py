"""How fields move: the momenta of a kind of field, how they are drawn, and where they take the field.

links     U <- exp(i eps P) U, density exp(-tr P^2) (U(1): exp(-p^2/2))
scalars   phi <- phi + eps P, density exp(-P.P/2)
spins     s turns by the angle eps |P| along the great circle of P, and P with it; P.s = 0, density exp(-P.P/2)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from ..errors import LqcdError
from ..fields import kinds
from ..fields.gauge import reunitarise
from ..fields.launch import Kernel, in_, inout
from ..fields.scalar import is_unit, normalise
from ..smearing.gradient_flow import exponential_kernel


@dataclass(frozen=True)
class Motion:
    """Momenta and motion of one kind of field.

    draw : kernel of new momenta, on (field, P); scalar `key`
    energy : kernel of the kinetic energy, on P
    drift : kernel of the free motion, on (field, P); scalar `eps`
    project : puts a field back where it belongs (the group, the sphere), returns how far it had drifted
    kinetic : the kinetic energy as text
    """

    momenta: kinds.Kind
    draw: Kernel
    energy: Kernel
    drift: Kernel
    project: Callable
    kinetic: str


def motion_of(field):
    """The motion of a field; raises `LqcdError` for kinds that have none."""
    kind, ndim = field.kind, field.lattice.ndim
    if kind.law == "link":
        drift = exponential_kernel(kind.nc, ndim)
        momenta = kinds.algebra(kind.nc, ndim)
        return Motion(momenta, _gaussian(kind.nc, ndim), _kinetic(kind.nc, ndim), drift, reunitarise, "tr P^2")
    if kind.law not in ("scalar", "unit"):
        raise LqcdError(f"there are no momenta for {field!r}: links, scalars and spins have them")
    n, unit = field.reals, is_unit(field)
    momenta = kinds.real_vectors(n) if unit else kind
    project = normalise if unit else lambda field: 0.0
    return Motion(momenta, _scalar_momenta(n, unit), _scalar_kinetic(n), _scalar_drift(n, unit), project, "P.P/2")


@cache
def _gaussian(nc, ndim):
    return Kernel("fill.h", "gaussian_momenta", (nc, ndim), (in_("U"), inout("P")), scalars=(("key", "RandomKey"),))


@cache
def _kinetic(nc, ndim):
    return Kernel("fill.h", "kinetic_energy", (nc, ndim), (in_("P"),), sums=("energy",))


@cache
def _scalar_momenta(n, unit):
    args = (in_("phi"), inout("P"))
    return Kernel("scalar.h", "scalar_momenta", (n, int(unit)), args, scalars=(("key", "RandomKey"),))


@cache
def _scalar_kinetic(n):
    return Kernel("scalar.h", "scalar_kinetic", (n,), (in_("P"),), sums=("energy",))


@cache
def _scalar_drift(n, unit):
    args = (inout("phi"), inout("P") if unit else in_("P"))
    return Kernel("scalar.h", "scalar_drift", (n, int(unit)), args, scalars=(("eps", "double"),))
