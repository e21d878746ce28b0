"""Importance sampling: independent samples of a flow, weighted to the target."""

from __future__ import annotations

from itertools import count

import torch
from pydantic import PositiveInt

from ...description import description
from .chain import Batch, Sampler, need_flow


@description
class Reweighting:
    """Samples x of the flow with weights w = e^{-S(x)}/q(x): <O> = sum w O/sum w, Z = <w>_q.

    Raises `LqcdError` without a flow.

    >>> from lqcd_hpc.ml.flow import Flow
    >>> from lqcd_hpc.ml.targets.gauge import AngleTarget
    >>> from lqcd_hpc.actions.wilson import Wilson
    >>> u1 = AngleTarget(Wilson(beta=0.0), (4, 4), "U(1)")
    >>> Reweighting(batch=8).on(u1, Flow(u1.prior, [])).run(20, seed=1).log_weights.shape
    (1, 20)
    """

    batch: PositiveInt = 1024

    def on(self, target, flow=None):
        """The sampler of this description."""
        need_flow("reweighting", flow)

        def stream(draws, memory):
            for event in count():
                x, weights = proposals(target, flow, self.batch, draws(event))
                yield Batch(x, log_weights=weights)

        return Sampler("reweighting", self, target, stream, self.batch, serial=True, weighted=True, flow=flow)


def proposals(target, flow, number, noise):
    """`number` samples of the flow and their log e^{-S}/q."""
    with torch.no_grad():
        x, log_q = flow.sample(number, noise)
        return x, -target.action(x) - log_q


def log_weights(target, flow, x):
    """log e^{-S(x)}/q(x) of given states, such as those of a Markov chain of the target (n,)."""
    with torch.no_grad():
        return -target.action(x) - flow.log_prob(x)
