"""A flow: a prior, and invertible layers that map its samples to another density."""

from __future__ import annotations

import torch


class Flow(torch.nn.Module):
    """x = f(z) with z from a prior; log q(x) = log p(z) - log|det df/dz|.

    A layer maps `forward(z) -> (x, log|det dx/dz|)` and `inverse(x) -> (z, log|det dz/dx|)`, one number per sample; a
    flow is a layer itself.

    >>> from lqcd_hpc.ml.noise import Noise
    >>> from lqcd_hpc.ml.priors import Normal
    >>> flow = Flow(Normal((4, 4)), [])
    >>> x, log_q = flow.sample(3, Noise(seed=1, event=0))
    >>> torch.equal(flow.log_prob(x), log_q)
    True
    """

    def __init__(self, prior, layers):
        super().__init__()
        self.prior = prior
        self.layers = torch.nn.ModuleList(layers)

    def forward(self, z):
        """(x, log|det dx/dz|) of a batch."""
        log_det = z.real.new_zeros(len(z))
        for layer in self.layers:
            z, change = layer(z)
            log_det = log_det + change
        return z, log_det

    def inverse(self, x):
        """(z, log|det dz/dx|) of a batch."""
        log_det = x.real.new_zeros(len(x))
        for layer in reversed(self.layers):
            x, change = layer.inverse(x)
            log_det = log_det + change
        return x, log_det

    def sample(self, count, noise):
        """`count` samples and their log q."""
        z = self.prior.sample(count, noise)
        x, log_det = self(z)
        return x, self.prior.log_prob(z) - log_det

    def log_prob(self, x):
        """log q(x), one number per sample."""
        z, log_det = self.inverse(x)
        return self.prior.log_prob(z) + log_det
