"""Independence Metropolis: a flow proposes, and rejected proposals repeat the state (arXiv:1904.12072)."""

from __future__ import annotations

from itertools import count
from math import exp

import torch
from pydantic import PositiveInt

from ...description import description
from .chain import Batch, Sampler, need_flow
from .reweighting import log_weights, proposals


@description
class Independence:
    """One chain through proposals x' of the flow: accept with probability min(1, w(x')/w(x)), w = e^{-S}/q.

    Proposals are made in batches, the chain runs through their weights. It begins with the flow's first proposal, or
    from a state that is given. Raises `LqcdError` without a flow.
    """

    batch: PositiveInt = 1024

    def on(self, target, flow=None):
        """The sampler of this description."""
        need_flow("independence", flow)

        def stream(draws, memory):
            state, weight = _first(target, flow, memory)
            for event in count():
                noise = draws(event)
                x, fresh = proposals(target, flow, self.batch, noise)
                tests = noise.uniform(self.batch)
                if state is None:
                    state, weight = x[:1], fresh[0].item()
                order, accepted = metropolis(weight, fresh.tolist(), tests.tolist())
                x = torch.cat([state, x])
                order = torch.tensor(order, device=x.device)
                state = x[order[-1:]]
                weight = fresh[order[-1] - 1].item() if order[-1] else weight
                now = {"x": state, "log_weight": torch.tensor(weight, dtype=torch.float64)}
                yield Batch(x, torch.tensor(accepted), fresh, order=order, memory=now)

        return Sampler("independence", self, target, stream, self.batch, serial=True, flow=flow)


def metropolis(weight, log_weights, tests):
    """(place of the state after every test, whether it was accepted); place 0 is the state of log weight `weight`,
    place i that of the i-th proposal.

    >>> metropolis(0.0, [1.0, -9.0], [0.5, 0.5])
    ([1, 1], [True, False])
    """
    place, order, accepted = 0, [], []
    for number, (proposal, test) in enumerate(zip(log_weights, tests), 1):
        accept = proposal >= weight or test < exp(proposal - weight)
        if accept:
            place, weight = number, proposal
        order.append(place)
        accepted.append(accept)
    return order, accepted


def _first(target, flow, memory):
    if "x" not in memory:
        return None, None
    state = memory["x"][-1:]
    return state, (memory["log_weight"] if "log_weight" in memory else log_weights(target, flow, state)).item()
