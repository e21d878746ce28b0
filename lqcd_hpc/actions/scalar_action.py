"""The action of scalar fields and spins that couple to their neighbours: value, force, and what local updates need.

S = sum_x [ -coupling sum_mu phi(x).phi(x+mu) + square r + quartic r^2 + constant ], r = phi(x).phi(x), the product
over real components. Neighbours beyond an open end do not exist (phi = 0 there).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from ..fields import scalar
from ..fields.launch import Kernel, in_, inout, prepare
from ..lattice.displacements import nearest


@dataclass
class ScalarAction:
    """The action of `description` on one field phi.

    Contract of an action: `value()`, `force(P, weight, keep)`, `refresh(rng)`.
    Raises `LqcdError` if phi is of another kind than the description's `field_kind`.
    """

    description: object
    phi: object
    _launches: dict = field(default_factory=dict, repr=False)

    def __post_init__(self):
        scalar.check(self.phi, self.description.field_kind, type(self.description).__name__)
        self.coefficients = self.description.coefficients(self.phi.lattice.ndim)
        self._sums = scalar.sums(self.phi)

    @property
    def field(self):
        """The field that the action is a function of."""
        return self.phi

    def refresh(self, rng):
        """Scalar actions have no fields of their own."""

    def value(self):
        """S[phi], one number (an array over replicas if there are several)."""
        sums, c = self._sums(), self.coefficients
        own = c.square * sums["phi2"] + c.quartic * sums["phi4"] + c.constant * self.phi.lattice.volume
        return own - c.coupling * sums["bond"]

    force_factor = 1.0

    def force(self, P, weight=1.0, keep=0.0):
        """P <- keep P - weight dS/dphi, for every real component; for spins its part orthogonal to the spin."""
        for launch in self.gradient_launches(P):
            launch(weight=weight, keep=keep)

    def gradient_launches(self, P):
        """The launches of `force`; the last one takes the scalars `weight` and `keep`."""
        key = ("gradient", id(P))
        if key not in self._launches:
            kernel = _force(*self.instance, scalar.is_unit(self.phi))
            launch = prepare(kernel, **scalar.with_bonds(self.phi), P=P)
            self._launches[key] = [launch.set(**self.coefficients.own())]
        return self._launches[key]

    @property
    def instance(self):
        """Real components, dimensions and whether some direction is open: what kernels are compiled for."""
        return self.phi.reals, self.phi.lattice.ndim, scalar.is_open(self.phi)


@dataclass(frozen=True)
class Coefficients:
    """Of the action above; `constant` is for every site."""

    coupling: float
    square: float = 0.0
    quartic: float = 0.0
    constant: float = 0.0

    def own(self):
        """Those that kernels take."""
        return {"coupling": self.coupling, "square": self.square, "quartic": self.quartic}


class ScalarDescription:
    """A description with `field_kind`, the kind of field it acts on, and `coefficients(ndim)`."""

    def on(self, phi):
        """The action of this description on the field phi."""
        return ScalarAction(self, phi)


@cache
def _force(n, ndim, opened, unit):
    scalars = tuple((name, "double") for name in ("coupling", "square", "quartic", "weight", "keep"))
    args = (*scalar.reading_neighbours(in_, ndim, opened), inout("P"))
    constants = (n, ndim, int(opened), int(unit))
    return Kernel("scalar.h", "scalar_force", constants, args, nearest(ndim), scalars=scalars)
