"""Heatbath sweeps with over-relaxation in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import NonNegativeInt

from ..description import description
from ..errors import LqcdError
from ..fields.gauge import reunitarise
from .local_update import LocalUpdate

METHODS = {"auto": 0, "creutz": 1, "kennedy-pendleton": 2}
_SCALARS = (("beta", "double"), ("key", "RandomKey"), ("method", "i64"))


@dataclass
class Heatbath:
    """One heatbath sweep and `overrelaxation` microcanonical sweeps per update.

    SU(N): all SU(2) subgroups (Cabibbo and Marinari, Phys. Lett. B 119 (1982) 387) by Creutz or Kennedy-Pendleton
    (Phys. Lett. B 156 (1985) 393) as `method` says; "auto" takes Kennedy-Pendleton for beta_eff > 1.7, per link.
    U(1): von Mises (Best and Fisher 1979). Links are projected back to the group after each update.

    Raises `LqcdError` for an unknown method, an action of scalars, or an action whose loops forbid a sweep
    (sampling/colouring.py).

    >>> from lqcd_hpc import Lattice, Random, gauge
    >>> from lqcd_hpc.actions.wilson import Wilson
    >>> U = gauge.unit(Lattice((4, 4)), "U(1)")
    >>> Heatbath(Wilson(beta=1.0).on(U), overrelaxation=1).update(Random(1)).accepted
    True
    """

    action: object
    overrelaxation: int = 0
    method: str = "auto"
    kind: str = field(default="heatbath", repr=False)

    def __post_init__(self):
        if self.method not in METHODS:
            raise LqcdError(f"heatbath method {self.method!r}: choose one of {', '.join(METHODS)}")
        if self.overrelaxation < 0:
            raise LqcdError(f"overrelaxation = {self.overrelaxation}: choose the number of sweeps, 0 or more")
        if self.action.field.kind.law != "link":
            raise LqcdError(f"the heatbath is for links, not for {self.action.field!r}: use metropolis or hmc")
        self._heatbath = LocalUpdate(self.action, "heatbath", _SCALARS)
        self._relax = LocalUpdate(self.action, "overrelaxation") if self.overrelaxation else None

    def update(self, rng):
        """One update of the gauge field."""
        self._heatbath.sweep(beta=self.action.beta, key=rng.key(), method=METHODS[self.method])
        for _ in range(self.overrelaxation):
            self._relax.sweep()
        return Swept(reunitarise(self.action.U))


@dataclass(frozen=True)
class Swept:
    """What an update by sweeps reports: the drift from the group that was mended."""

    drift: float
    accepted: bool = True


@description
class HeatbathSweeps:
    """The table of a run file: one heatbath sweep with `overrelaxation` microcanonical sweeps."""

    overrelaxation: NonNegativeInt = 0
    method: Literal["auto", "creutz", "kennedy-pendleton"] = "auto"

    def on(self, action):
        """The update of this description for an action."""
        return Heatbath(action, self.overrelaxation, self.method)
