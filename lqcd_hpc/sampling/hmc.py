"""Hybrid Monte Carlo for links, scalars and spins (Duane, Kennedy, Pendleton and Roweth, Phys. Lett. B 195 (1987)
216)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from ..description import description
from ..errors import LqcdError
from .dynamics import Dynamics
from .integrators import OMF2, Scheme, scheme


@dataclass
class HMC:
    """Trajectories of length `tau` in `steps` steps of an integrator, accepted with probability min(1, exp(-dH)).

    Momenta have density exp(-tr P^2) for links, exp(-P.P/2) for scalars and spins. With replicas, each one is accepted
    or rejected by itself. Links are projected back to the group, spins to the sphere, between trajectories. `guide` is
    another action for the molecular dynamics (the test is always made with `action`), on the same field.

    Raises `LqcdError` if steps or tau make no trajectory, if the guide has another field, if the integrator does not
    suit the field (force-gradient and spins), or if a trajectory ends in a value that is not finite.

    >>> from lqcd_hpc import Lattice, Random, gauge
    >>> from lqcd_hpc.actions.wilson import Wilson
    >>> U = gauge.unit(Lattice((4, 4)), "SU(2)")
    >>> abs(HMC(Wilson(beta=2.0).on(U), steps=8).update(Random(3)).delta_h) < 0.1
    True
    """

    action: object
    steps: int
    tau: float = 1.0
    integrator: Scheme = OMF2
    guide: object = None
    kind: str = field(default="hmc", repr=False)

    def __post_init__(self):
        if self.steps < 1 or not self.tau > 0:
            raise LqcdError(f"a trajectory needs tau > 0 and steps >= 1, not tau = {self.tau}, steps = {self.steps}")
        if self.guide is not None and self.guide.field is not self.action.field:
            raise LqcdError("the guide must be an action on the same field: guide = description.on(action.field)")
        self.dynamics = Dynamics(self.guide or self.action)
        self._before = self.action.field.like()

    def update(self, rng):
        """One trajectory; the field holds its end if accepted, its start if not."""
        U = self.action.field
        drift = self.dynamics.motion.project(U)
        self._before.assign(U)
        self.action.refresh(rng)
        self.dynamics.refresh(rng)
        start = self._energy()
        self.dynamics.integrate(self.integrator, self.tau, self.steps)
        delta = self._energy() - start
        if not np.all(np.isfinite(delta)):
            U.assign(self._before)
            raise LqcdError(f"the trajectory ended with dH = {delta}: take more steps than {self.steps}")
        accepted = np.log(rng.uniform(U.lattice.replicas)) < -np.atleast_1d(delta)
        self._restore(~accepted)
        one = U.lattice.replicas == 1
        return Trajectory(delta, bool(accepted[0]) if one else accepted, drift)

    def _energy(self):
        """Kinetic energy plus the action of the Metropolis test."""
        return self.dynamics.kinetic_energy() + self.action.value()

    def _restore(self, rejected):
        """Put back the start for the replicas that were rejected."""
        U = self.action.field
        if rejected.all():
            U.assign(self._before)
        elif rejected.any():
            U.assign_replicas(self._before, rejected)

    def __str__(self):
        head = f"HMC, tau = {self.tau} in {self.steps} steps of {self.integrator}"
        return f"{head}\n  H = {self.dynamics.motion.kinetic} + S, S = {self.action.description}"


@dataclass(frozen=True)
class Trajectory:
    """What a trajectory reports (arrays over replicas if there are several): dH, acceptance, drift from group or
    sphere."""

    delta_h: float
    accepted: bool
    drift: float


@description
class Trajectories:
    """The table of a run file: trajectories of length tau in so many steps of an integrator."""

    steps: PositiveInt
    tau: PositiveFloat
    integrator: Literal["leapfrog", "2mn", "omf4", "force-gradient"]

    def on(self, action):
        """The update of this description for an action."""
        return HMC(action, self.steps, self.tau, scheme(self.integrator))
