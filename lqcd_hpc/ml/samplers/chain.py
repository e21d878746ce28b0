"""What samplers have in common: batches of states come out of a stream, and their numbers make a `Chain`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from ...errors import LqcdError
from ..noise import Noise


@dataclass(frozen=True)
class Batch:
    """States that a sampler made at once, with a number per state where it has them.

    x : the states (n, ...)
    accepted : whether the state was proposed and accepted (n,)
    log_weights : log e^{-S}/q of fresh proposals (n,)
    delta_h : energy violation of trajectories (n,)
    order : which of `x` the chain visits, in order, if not each once (n,)
    """

    x: torch.Tensor
    accepted: torch.Tensor | None = None
    log_weights: torch.Tensor | None = None
    delta_h: torch.Tensor | None = None
    order: torch.Tensor | None = None


@dataclass(frozen=True)
class Draws:
    """Where a sampler's random numbers come from: `draws(event)` is the noise of one event.

    `first` is the number of the first chain (or of the first sample of a batch) of this process, `passed` the number
    of events that an earlier run of the same chain has used.
    """

    seed: int
    first: int = 0
    passed: int = 0
    dtype: torch.dtype = torch.float64
    device: str = "cpu"

    def __call__(self, event):
        return Noise(self.seed, self.passed + event, self.first, self.dtype, self.device)


@dataclass
class Chain:
    """The numbers of a run of a sampler: arrays (chains, steps).

    observables : by name
    accepted : of proposals or trajectories, or None
    log_weights : log e^{-S}/q of fresh independent samples, or None
    delta_h : of trajectories, or None
    weighted : whether averages are sum w O/sum w (or else the states have density e^{-S} already)
    core_seconds : processor time of the run, all threads, thermalisation included
    state : the last states (chains, ...)
    events : random events used by now; `run(..., start=chain)` goes on with the next
    """

    sampler: str
    observables: dict[str, np.ndarray]
    core_seconds: float
    accepted: np.ndarray | None = None
    log_weights: np.ndarray | None = None
    delta_h: np.ndarray | None = None
    weighted: bool = False
    state: torch.Tensor | None = field(default=None, repr=False)
    events: int = 0

    @property
    def chains(self):
        """Chains side by side."""
        return next(iter(self.observables.values())).shape[0]

    @property
    def steps(self):
        """States of each chain."""
        return next(iter(self.observables.values())).shape[1]

    @property
    def samples(self):
        """States of all chains."""
        return self.chains * self.steps


@dataclass(frozen=True)
class Sampler:
    """A sampler of one target: `stream(draws, start)` gives batches without end.

    description : what made it; `kind` : the name of its file
    width : states of a batch
    thermalisation : batches to leave out at the beginning, unless the run goes on from an earlier chain
    serial : the states of a batch follow each other in one chain, or else belong to as many chains
    weighted : see `Chain`
    flow : the flow, whose precision and device are those of a run
    """

    kind: str
    description: object
    target: object
    stream: Callable
    width: int
    thermalisation: int = 0
    serial: bool = False
    weighted: bool = False
    flow: torch.nn.Module | None = None

    def run(self, samples, seed, start=None, first=0, dtype=None, device=None, on_batch=None):
        """A `Chain` of `samples` states in all, rounded up to whole batches.

        Only observables are kept, one batch is in memory at a time; `on_batch(number, batch)` sees each one.
        `start` are states to begin with, or a chain to go on with; `first` is the number of this process's first chain:
        the numbers of a chain do not depend on how chains are divided among processes. Precision and device are those
        of the flow, or else double precision on the host, unless they are given.

        Raises `LqcdError` if `samples` is not positive, or if the target has no observables.
        """
        if samples < 1:
            raise LqcdError(f"samples = {samples}: choose the number of states, 1 or more")
        began = time.process_time()
        passed = start.events if isinstance(start, Chain) else 0
        state = start.state if isinstance(start, Chain) else start
        own = next((p for p in self.flow.parameters()), None) if self.flow is not None else None
        dtype = dtype or (torch.float64 if own is None else own.real.dtype)
        device = device or ("cpu" if own is None else str(own.device))
        stream = self.stream(Draws(seed, first, passed, dtype, device), state)
        skipped = 0 if isinstance(start, Chain) else self.thermalisation
        for _ in range(skipped):
            next(stream)
        rows = []
        for number in range(-(-samples // self.width)):
            batch = next(stream)
            rows.append(self._numbers(batch))
            if on_batch:
                on_batch(number, batch)
        table = {name: _joined([row[name] for row in rows], self.serial) for name in rows[0]}
        special = {name: table.pop(name, None) for name in ("accepted", "log_weights", "delta_h")}
        state = batch.x if batch.order is None else batch.x[batch.order[-1:]]
        events = passed + skipped + len(rows)
        seconds = time.process_time() - began
        return Chain(self.kind, table, seconds, **special, weighted=self.weighted, state=state, events=events)

    def _numbers(self, batch):
        with torch.no_grad():
            found = self.target.observables(batch.x)
        if not found:
            raise LqcdError(f"{self.target} has no observables: there is nothing to sample")
        if batch.order is not None:
            found = {name: values[batch.order] for name, values in found.items()}
        for name in ("accepted", "log_weights", "delta_h"):
            if getattr(batch, name) is not None:
                found[name] = getattr(batch, name)
        return {name: values.double().cpu().numpy() for name, values in found.items()}


def _joined(parts, serial):
    return np.concatenate(parts)[None] if serial else np.stack(parts, axis=1)


def need_flow(kind, flow):
    """Raise `LqcdError` if a sampler that needs a flow has none."""
    if flow is None:
        raise LqcdError(
            f"the sampler {kind!r} needs a flow: give a trained model, or choose one without (hmc, heatbath)"
        )


def refuse_flow(kind, flow):
    """Raise `LqcdError` if a sampler that cannot use a flow is given one."""
    if flow is not None:
        raise LqcdError(f"the sampler {kind!r} uses no flow: leave it out, or choose flow_hmc or independence")
