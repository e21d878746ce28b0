"""What samplers have in common: batches of states come out of a stream, and their numbers make a `Chain`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

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
    memory : tensors by name from which the stream goes on to the same bits; empty where a batch needs none before it
    """

    x: torch.Tensor
    accepted: torch.Tensor | None = None
    log_weights: torch.Tensor | None = None
    delta_h: torch.Tensor | None = None
    order: torch.Tensor | None = None
    memory: dict[str, torch.Tensor] = field(default_factory=dict)


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
    memory : of the last batch, for `run(..., start=chain)`
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
    memory: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)
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
    """A sampler of one target: `stream(draws, memory)` gives batches without end.

    description : what made it; `kind` : the name of its file
    width : states of a batch
    thermalisation : batches to leave out at the beginning, unless the run goes on from an earlier chain
    serial : the states of a batch follow each other in one chain, or else belong to as many chains
    weighted : see `Chain`
    flow : the flow, whose precision and device are those of a run

    The memory of a stream is that of a batch, or {"x": states to begin with}, or empty.
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
        """A `Chain` of `samples` states in all.

        Only observables are kept, one batch is in memory at a time; `on_batch(number, batch)` sees each one, also what
        the last batch of one chain has too much.
        `start` are states to begin with, or a chain to go on with; `first` is the number of this process's first chain:
        the numbers of a chain do not depend on how chains are divided among processes. Precision and device are those
        of the flow, or else double precision on the host, unless they are given.

        Raises `LqcdError` if `samples` is not positive or cannot be shared by the chains, or if the target has no
        observables.
        """
        batches = self.batches(samples)
        history = self.begin(seed, start, first, dtype, device)
        while history.batches < batches:
            batch = history.advance()
            if batch and on_batch:
                on_batch(history.batches - 1, batch)
        return history.chain(samples)

    def batches(self, samples):
        """Batches that hold so many states."""
        if samples < 1:
            raise LqcdError(f"samples = {samples}: choose the number of states, 1 or more")
        number, rest = divmod(samples, self.width)
        if rest and not self.serial:
            near = [n * self.width for n in (number, number + 1) if n]
            raise LqcdError(
                f"samples = {samples} cannot be shared by {self.width} chains: choose {' or '.join(map(str, near))}"
            )
        return number + bool(rest)

    def begin(self, seed, start=None, first=0, dtype=None, device=None, stored=None):
        """A `History` from its beginning, or from the `state()` of an earlier one with the same seed."""
        on = start if isinstance(start, Chain) else None
        own = next((p for p in self.flow.parameters()), None) if self.flow is not None else None
        dtype = dtype or (torch.float64 if own is None else own.real.dtype)
        device = device or ("cpu" if own is None else str(own.device))
        draws = Draws(seed, first, on.events if on else 0, dtype, device)
        if stored:
            return History.restored(self, draws, *stored)
        memory = on.memory if on else {} if start is None else {"x": start}
        return History(self, draws, memory, 0 if on else self.thermalisation)

    def numbers(self, batch):
        """Observables of a batch, and its numbers per state, by name."""
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


class History:
    """A chain in the making: numbers of the batches so far, and what the next one needs.

    skip : batches to leave out first
    """

    def __init__(self, sampler, draws, memory, skip):
        self.sampler, self.draws, self.memory, self.skip = sampler, draws, memory, skip
        self.rows, self.state_now, self.events, self.core_seconds = {}, None, draws.passed, 0.0
        self._stream, self._clock = sampler.stream(draws, memory), time.process_time()

    @classmethod
    def restored(cls, sampler, draws, tensors, numbers):
        """What `state` told."""
        kept = {name.removeprefix("memory."): t for name, t in tensors.items() if name.startswith("memory.")}
        memory = {
            n: (torch.view_as_complex(t) if n in numbers["complex"] else t).to(draws.device) for n, t in kept.items()
        }
        found = cls(sampler, replace(draws, passed=numbers["events"]), memory, numbers["skip"])
        rows = {name.removeprefix("rows."): t for name, t in tensors.items() if name.startswith("rows.")}
        found.rows, found.core_seconds = {name: list(t.numpy()) for name, t in rows.items()}, numbers["core_seconds"]
        return found

    def state(self):
        """(tensors, numbers) from which `Sampler.begin` goes on to the same bits."""
        memory = {name: torch.view_as_real(t) if t.is_complex() else t for name, t in self.memory.items()}
        tensors = {f"memory.{name}": t for name, t in memory.items()}
        tensors |= {f"rows.{name}": torch.from_numpy(np.stack(parts)) for name, parts in self.rows.items()}
        own = [name for name, t in self.memory.items() if t.is_complex()]
        return tensors, {"complex": own, "events": self.events, "skip": self.skip, "core_seconds": self.seconds()}

    @property
    def batches(self):
        """Batches so far."""
        return len(next(iter(self.rows.values()), ()))

    def seconds(self):
        """Processor time so far, of all threads."""
        now = time.process_time()
        self.core_seconds, self._clock = self.core_seconds + now - self._clock, now
        return self.core_seconds

    def advance(self):
        """The next batch; None for one that is left out. Raises `LqcdError` if a state in it is not finite."""
        batch = next(self._stream)
        if bad := int((~torch.isfinite(batch.x)).flatten(1).any(1).sum()):
            raise LqcdError(
                f"{bad} of {len(batch.x)} states are not finite in batch {self.batches + 1} of the sampler "
                f"{self.sampler.kind!r} (event {self.events + 1}); checkpoints from before are kept"
            )
        self.events, self.memory = self.events + 1, batch.memory
        self.state_now = batch.x if batch.order is None else batch.x[batch.order[-1:]]
        if self.skip:
            self.skip -= 1
            return None
        for name, values in self.sampler.numbers(batch).items():
            self.rows.setdefault(name, []).append(values)
        return batch

    def chain(self, samples):
        """The `Chain` of so many states."""
        serial = self.sampler.serial
        table = {n: np.concatenate(p)[None, :samples] if serial else np.stack(p, axis=1) for n, p in self.rows.items()}
        special = {name: table.pop(name, None) for name in ("accepted", "log_weights", "delta_h")}
        more = {
            "weighted": self.sampler.weighted,
            "state": self.state_now,
            "memory": self.memory,
            "events": self.events,
        }
        return Chain(self.sampler.kind, table, self.seconds(), **special, **more)


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
