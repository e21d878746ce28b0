"""Markov chains by the kernels of `sampling/`, many chains side by side as replicas."""

from __future__ import annotations

from itertools import count

import numpy as np
import torch

from ...errors import LqcdError
from ...fields.random import Random
from ..bridge import field_kind, field_of, to_field, to_tensor
from ..noise import BLOCK
from .chain import Batch, Sampler, refuse_flow
from .motion import first_states

EVENTS = 4  # random events that are set aside for one update of the kernels


def update_sampler(kind, description, update, target, flow, also=None):
    """The `Sampler` of an update of `sampling/` (its description) for `description.chains` chains.

    also : another update (x, noise) -> (x, accepted) that takes its turn after each one
    """
    refuse_flow(kind, flow)
    field_kind(target)  # raises for a target without kernels
    chains = description.chains

    def stream(draws, memory):
        x = memory["x"] if "x" in memory else first_states(target.prior, chains, draws(0))
        blocks = Blocks(target, update, chains, draws)
        blocks.set(x)
        for event in count(1):
            accepted, delta = blocks.update(draws.passed + event)
            x = blocks.states()
            if also:
                x, accepted = also(x, draws(event))
            blocks.set(x)  # angles made of links and links of angles: the chain goes through x itself
            yield Batch(x, accepted, delta_h=delta, memory={"x": x})

    return Sampler(kind, description, target, stream, chains, description.thermalisation)


class Blocks:
    """Chains in blocks of 16 replicas, each with a stream of random numbers of its own: a chain has the same numbers
    however chains are divided among processes."""

    def __init__(self, target, update, chains, draws):
        if draws.first % BLOCK:
            raise LqcdError(f"the first chain of a process is number {draws.first}: it must be a multiple of {BLOCK}")
        self.draws, self.device = draws, draws.device
        precision = "single" if draws.dtype == torch.float32 else "double"
        self.fields = [field_of(target, min(BLOCK, chains - k), precision) for k in range(0, chains, BLOCK)]
        self.updates = [update.on(target.description.on(field)) for field in self.fields]

    def set(self, x):
        """Set all chains."""
        for part, field in zip(x.split(BLOCK), self.fields):
            to_field(part, field)

    def states(self):
        """The states of all chains."""
        return torch.cat([to_tensor(field, self.device) for field in self.fields])

    def update(self, event):
        """One update of all chains, with the random numbers of this event: (accepted, dH), None where the update has
        none."""
        told = []
        for number, (field, update) in enumerate(zip(self.fields, self.updates)):
            stream = self.draws.first // BLOCK + number
            report = update.update(Random(self.draws.seed, stream, EVENTS * event))
            told.append((report, field.lattice.replicas))
        return _joined(told, "accepted"), _joined(told, "delta_h")


def _joined(told, name):
    if not hasattr(told[0][0], name):
        return None
    values = [np.broadcast_to(getattr(report, name), replicas) for report, replicas in told]
    return torch.from_numpy(np.concatenate(values))
