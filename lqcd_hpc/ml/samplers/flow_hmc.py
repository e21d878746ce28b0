"""Hybrid Monte Carlo in the variables of a flow (Luescher, arXiv:0907.5491; Albandea et al., arXiv:2302.08408)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

import torch
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from ...description import description
from ...errors import LqcdError
from ...sampling.integrators import GRADIENT, scheme
from .chain import Batch, Sampler
from .motion import first_states, motion_of


@description
class FlowHMC:
    """Molecular dynamics of z with x = f(z): H = p^2/2 + S(f(z)) - log|det f'(z)|, accepted with min(1, e^{-dH}).

    Exact for every invertible f, trained or not; without a flow it is plain HMC in torch. Links of SU(Nc) move by
    dU/dt = i P U, spins on great circles. All chains are one batch, and the force is found by automatic
    differentiation, so that the flow may be any map: a network, or an analytic transformation of fields.

    Raises `LqcdError` if the action of the start is not finite, or the flow is that of other variables.

    >>> from lqcd_hpc.actions.wilson import Wilson
    >>> from lqcd_hpc.ml.targets import target
    >>> u1 = target(Wilson(beta=1.0), (4, 4), "U(1)")
    >>> hmc = FlowHMC(steps=4, tau=1.0, integrator="omf4", chains=8)
    >>> hmc.on(u1).run(80, seed=1).delta_h.shape
    (8, 10)
    """

    steps: PositiveInt
    tau: PositiveFloat
    integrator: Literal["leapfrog", "2mn", "omf4", "force-gradient"]
    chains: PositiveInt = 64
    thermalisation: NonNegativeInt = 0

    def on(self, target, flow=None):
        """The sampler of this description."""
        dynamics = Dynamics(target, flow, scheme(self.integrator), self.tau, self.steps)

        def stream(draws, memory):
            here = Point(**memory) if "z" in memory else dynamics.start(self.chains, draws(0), memory.get("x"))
            for event in count(1):
                here, accepted, delta = dynamics.trajectory(here, draws(event))
                yield Batch(here.x, accepted, delta_h=delta, memory=vars(here))

        return Sampler("flow_hmc", self, target, stream, self.chains, self.thermalisation, flow=flow)


@dataclass(frozen=True)
class Point:
    """Places z of a batch with x = f(z), S(x) - log|det f'(z)|, and the force there."""

    z: torch.Tensor
    x: torch.Tensor
    action: torch.Tensor
    force: torch.Tensor


class Dynamics:
    """Molecular dynamics in the variables of a flow (None: those of the target).

    `action(x)` stands in for the target's if given (a target on the way to another).
    """

    def __init__(self, target, flow, integrator, tau, steps, action=None):
        self.target, self.flow, self.action = target, flow, action or target.action
        self.prior = target.prior if flow is None else flow.prior
        self.motion = motion_of(self.prior, integrator)
        same = type(self.motion) is type(motion_of(target.prior, integrator))
        if not same or tuple(self.prior.shape) != tuple(target.prior.shape):
            raise LqcdError(f"the flow maps {self.prior}, the target needs {target.prior}: build it with .on(target)")
        self.operations = integrator.trajectory(tau, steps)
        self.eps = tau / steps

    def start(self, chains, noise, x=None):
        """The batch to begin with: the flow of what chains begin with, or given states."""
        if x is None:
            z = first_states(self.prior, chains, noise)
        else:
            with torch.no_grad():
                z = x if self.flow is None else self.flow.inverse(x)[0]
        here = self.at(z)
        if not torch.isfinite(here.action).all():
            raise LqcdError("the action of the start is not finite: the flow overflows, or the states are not fields")
        return here

    def at(self, z):
        """Action and force at z."""
        z = z.detach().requires_grad_()
        with torch.enable_grad():
            x, log_det = (z, 0.0) if self.flow is None else self.flow(z)
            action = self.action(x) - log_det
            (gradient,) = torch.autograd.grad(action.sum(), z)
        return Point(z.detach(), x.detach(), action.detach(), self.motion.force(z.detach(), gradient))

    def trajectory(self, here, noise):
        """(where the batch is afterwards, accepted, dH); a trajectory that is not finite is rejected."""
        here = replace(here, z=self.motion.project(here.z))
        p = self.motion.momenta(here.z, noise)
        there, q = self.integrate(here, p)
        delta = there.action + self.motion.kinetic(q) - here.action - self.motion.kinetic(p)
        accepted = torch.log(noise.uniform(len(delta))) < -delta
        return self._chosen(accepted, there, here), accepted, delta

    def integrate(self, here, p):
        """The point and the momenta at the end of a trajectory."""
        z = here.z
        for name, amount in self.operations:
            if name == "U":
                z, p = self.motion.drift(z, p, amount)
                here = None
                continue
            here = here or self.at(z)
            place = here if name == "P" else self.at(self.motion.drift(z, here.force, GRADIENT * self.eps**2)[0])
            p = p + amount * place.force
        return here or self.at(z), p

    @staticmethod
    def _chosen(accepted, there, here):
        def pick(new, old):
            return torch.where(accepted.reshape(-1, *[1] * (new.dim() - 1)), new, old)

        return Point(*(pick(getattr(there, name), getattr(here, name)) for name in ("z", "x", "action", "force")))
