"""Metropolis sweeps over links, scalars and spins (Metropolis et al., J. Chem. Phys. 21 (1953) 1087)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from ..description import description
from ..errors import LqcdError
from ..fields.gauge import number_of_links
from ..fields.scalar import is_unit
from .local_update import LocalUpdate, SiteUpdate
from .motion import motion_of

LARGEST_HITS = 1000  # as many have random numbers of their own
_SCALARS = (("width", "double"), ("hits", "i64"), ("key", "RandomKey"))
_COUPLINGS = (("coupling", "double"), ("square", "double"), ("quartic", "double"))


@dataclass
class Metropolis:
    """One sweep with `hits` proposals for every variable, and `overrelaxation` microcanonical sweeps, per update.

    Proposals with normal numbers g: exp(i width g^a T^a) U for links, phi + width g for scalars,
    (s + width g)/|s + width g| for spins. Variables that do not couple to each other are updated together
    (sampling/colouring.py). Over-relaxation reflects links and spins about their neighbours; scalars have none.

    Raises `LqcdError` for settings that make no sweep, over-relaxation of scalars, or an action or lattice that
    forbids local updates.

    >>> from lqcd_hpc import Lattice, Random, scalar
    >>> from lqcd_hpc.actions.phi4 import Phi4
    >>> theory = Phi4(m2=1.0, lam=1.0, normalisation="half")
    >>> phi = scalar.cold(Lattice((4, 4)), theory.field_kind)
    >>> 0 < Metropolis(theory.on(phi), width=0.5).update(Random(1)).acceptance < 1
    True
    """

    action: object
    width: float
    hits: int = 1
    overrelaxation: int = 0
    kind: str = field(default="metropolis", repr=False)

    def __post_init__(self):
        if not self.width > 0 or not 1 <= self.hits <= LARGEST_HITS or self.overrelaxation < 0:
            raise LqcdError(
                f"metropolis needs width > 0, 1 <= hits <= {LARGEST_HITS} and overrelaxation >= 0, not width = "
                f"{self.width}, hits = {self.hits}, overrelaxation = {self.overrelaxation}"
            )
        law = self.action.field.kind.law
        if self.overrelaxation and law == "scalar":
            raise LqcdError("there is no over-relaxation of scalars: leave it out")
        (self._prepare_links if law == "link" else self._prepare_sites)()
        self._project = motion_of(self.action.field).project

    def _prepare_links(self):
        scalars = (("beta", "double"), *_SCALARS)
        self._sweep = LocalUpdate(self.action, "metropolis", scalars, "metropolis.h", ("accepted",))
        self._relax = LocalUpdate(self.action, "overrelaxation") if self.overrelaxation else None
        self._couplings = {"beta": self.action.beta}
        self._variables = number_of_links(self.action.U.lattice)

    def _prepare_sites(self):
        unit, scalars = is_unit(self.action.phi), (*_COUPLINGS, *_SCALARS)
        self._sweep = SiteUpdate(self.action, "site_metropolis", "metropolis.h", (unit,), scalars, ("accepted",))
        self._relax = SiteUpdate(self.action, "spin_overrelaxation", "scalar.h") if self.overrelaxation else None
        self._couplings = self.action.coefficients.own()
        self._variables = self.action.phi.lattice.volume

    def update(self, rng):
        """One update of the field."""
        told = self._sweep.sweep(width=self.width, hits=self.hits, key=rng.key(), **self._couplings)
        for _ in range(self.overrelaxation):
            self._relax.sweep()
        return Proposed(told["accepted"] / (self.hits * self._variables), self._project(self.action.field))


@dataclass(frozen=True)
class Proposed:
    """What Metropolis sweeps report: accepted proposals over all (an array over replicas if there are several), and the
    drift from group or sphere that was mended.
    """

    acceptance: float
    drift: float
    accepted: bool = True


@description
class MetropolisSweeps:
    """The table of a run file: one sweep of `hits` proposals of size `width`, and `overrelaxation` reflections."""

    width: PositiveFloat
    hits: PositiveInt = 1
    overrelaxation: NonNegativeInt = 0

    def on(self, action):
        """The update of this description for an action."""
        return Metropolis(action, self.width, self.hits, self.overrelaxation)
