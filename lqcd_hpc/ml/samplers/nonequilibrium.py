"""Non-equilibrium sampling: Jarzynski's work along a path of actions, with flow layers in between (stochastic
normalizing flows, arXiv:2002.06707; lattice: arXiv:2201.08862)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import torch
from pydantic import PositiveInt

from ...description import description
from ...errors import LqcdError
from ...sampling.heatbath import HeatbathSweeps
from ...sampling.hmc import Trajectories
from ...sampling.integrators import scheme
from .chain import Batch, Sampler
from .flow_hmc import Dynamics
from .updates import Blocks


@description
class Nonequilibrium:
    r"""Independent samples that follow S_k = (1 - k/n) (-log p) + (k/n) S from the prior p to the target in n steps.

    At each step the layers of the flow that are due move x, the action changes, and then an update that keeps
    e^{-S_k} follows. The weights are exact however far from equilibrium the path is (Jarzynski, PRL 78 (1997) 2690):

    .. math:: -\log w = \sum_k [S_k(f_k(x)) - S_{k-1}(x) - \log|\det f_k'(x)|],\ \langle w\rangle = Z

    update : a heatbath table (gauge targets: the coupling grows from 0), or an hmc table (in torch, for any target)
    steps : n; with a flow its layers are spread evenly over the path

    Raises `LqcdError` for another update, for a heatbath of a target that is no gauge action, or for a flow whose
    prior is not the natural one of the target.

    >>> from lqcd_hpc.actions.wilson import Wilson
    >>> from lqcd_hpc.ml.targets import target
    >>> path = Nonequilibrium(steps=4, update=HeatbathSweeps(), batch=8)
    >>> path.on(target(Wilson(beta=0.5), (4, 4), "U(1)")).run(8, seed=1).weighted
    True
    """

    steps: PositiveInt
    update: object
    batch: PositiveInt = 64

    def on(self, target, flow=None):
        """The sampler of this description."""
        if flow is not None and flow.prior != target.prior:
            raise LqcdError(f"the path begins at {target.prior}, not at the flow's {flow.prior}")
        _check(self.update, target)
        path = Path(target, self.steps)
        layers = [] if flow is None else list(flow.layers)

        def stream(draws, memory):
            mover = _mover(self.update, path, self.batch, draws)
            for event in count():
                x, work = self._travel(path, layers, mover, draws(event), (draws.passed + event) * self.steps)
                yield Batch(x, log_weights=-work)

        return Sampler("nonequilibrium", self, target, stream, self.batch, serial=True, weighted=True, flow=flow)

    def _travel(self, path, layers, mover, noise, event):
        """(x, work) at the end of the path; updates use the random numbers of `noise`, or of events from `event`."""
        with torch.no_grad():
            x = path.target.prior.sample(self.batch, noise)
            ends, work, done = path.ends(x), 0.0, 0
            for k in range(1, self.steps + 1):
                work = work - path.between(k - 1, ends)
                due = layers[done : k * len(layers) // self.steps]
                for layer in due:
                    x, log_det = layer(x)
                    work = work - log_det
                done += len(due)
                ends = path.ends(x) if due else ends
                work = work + path.between(k, ends)
                if k < self.steps:
                    x = mover(k, x, noise, event + k)
                    ends = path.ends(x)
        return x, work


@dataclass(frozen=True)
class Path:
    """Actions S_k between -log p of the prior (k = 0) and that of the target (k = steps)."""

    target: object
    steps: int

    def ends(self, x):
        """(-log p(x), S(x)), (batch,) each."""
        return -self.target.prior.log_prob(x), self.target.action(x)

    def between(self, k, ends):
        """S_k."""
        c = k / self.steps
        return ends[1] if c == 1 else (1 - c) * ends[0] + c * ends[1]

    def action(self, k, x):
        """S_k(x), (batch,)."""
        return self.between(k, self.ends(x))


def _check(update, target):
    if not isinstance(update, HeatbathSweeps | Trajectories):
        raise LqcdError(f"nonequilibrium sampling takes a heatbath or an hmc update, not {update}")
    if isinstance(update, HeatbathSweeps) and not hasattr(getattr(target, "description", None), "loops"):
        raise LqcdError(f"{target}: the heatbath updates gauge links; choose an hmc update")


def _mover(update, path, batch, draws) -> Callable:
    """A function (k, x, noise, event) -> x that keeps e^{-S_k}."""
    return _heatbath(update, path, batch, draws) if isinstance(update, HeatbathSweeps) else _trajectories(update, path)


def _heatbath(update, path, batch, draws):
    target = path.target
    blocks = Blocks(target, update, batch, draws)

    def move(k, x, noise, event):
        blocks.set(x)
        for one in blocks.updates:
            one.action.beta = target.beta * k / path.steps
        blocks.update(event)
        return blocks.states()

    return move


def _trajectories(update, path):
    integrator = scheme(update.integrator)

    def move(k, x, noise, event):
        dynamics = Dynamics(path.target, None, integrator, update.tau, update.steps, lambda y: path.action(k, y))
        return dynamics.trajectory(dynamics.at(x), noise)[0].x

    return move
