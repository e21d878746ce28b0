"""Steps of Gauss and Newton for the variance of log w = log e^{-S}/q, for flows of few parameters.

With r_n = log w of sample n and J_nk = d r_n/dc_k along its path, both less their means, a step

    delta = -(J^T J + D)^-1 J^T r,  D_kk = var(r) var(J_k)/s^2

makes the variance of r + J delta small, for coefficients each of which alone is expected to change log w by s: the
ridge that keeps N samples from fixing more than they know, in units that make no coefficient special (Marquardt,
J. Soc. Indust. Appl. Math. 11 (1963) 431). One step is worth hundreds of Adam's where directions differ in stiffness by
orders of magnitude.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.func import functional_call

from ...errors import LqcdError
from ..noise import Noise

PART = 64  # samples whose states are in memory at once
FLOOR = 1e-4  # of the largest var(J_k), for coefficients that change nothing (products of loops may be constant)


class GaussNewton(torch.nn.Module):
    """Takes steps of the parameters of a flow, all of which may differ from sample to sample.

    Layers say so by an attribute `per_sample`: they take their parameters with the samples in front. Raises `LqcdError`
    for a flow with other layers.
    """

    def __init__(self, flow, target, processes):
        super().__init__()
        self.flow, self.target, self.processes = flow, target, processes
        owners = [layer for layer in flow.modules() if any(True for _ in layer.parameters(recurse=False))]
        if not all(getattr(layer, "per_sample", False) for layer in owners):
            raise LqcdError(
                'loss = "variance" needs a flow whose parameters can differ from sample to sample (trivializing): '
                'choose loss = "reverse"'
            )

    def forward(self, count, noise):
        """log w of `count` samples."""
        x, log_q = self.flow.sample(count, noise)
        return -self.target.action(x) - log_q

    def step(self, noise, count, width):
        """Move the parameters by a step of width s; log w of `count` samples of this process before it. Collective."""
        parts = [self.derivatives(n, min(PART, count - k)) for k, n in self._parts(noise, count)]
        r, j = (torch.cat(some) for some in zip(*parts))
        delta = self._solve(r.double().cpu().numpy(), j.double().cpu().numpy(), width)
        with torch.no_grad():
            for parameter, move in zip(self._coefficients().values(), self._split(delta)):
                parameter += move
        return r

    def derivatives(self, noise, count):
        """(log w (count,), its derivatives by all parameters (count, parameters))."""
        known = self._coefficients()
        many = [p.detach().expand(count, *p.shape).clone().requires_grad_() for p in known.values()]
        log_w = functional_call(self, {f"flow.{name}": p for name, p in zip(known, many)}, (count, noise))
        gradients = torch.autograd.grad(log_w.sum(), many)
        return log_w.detach(), torch.cat([g.flatten(1) for g in gradients], 1)

    def _parts(self, noise, count):
        for k in range(0, count, PART):
            yield k, Noise(noise.seed, noise.event, noise.first + k, noise.dtype, noise.device)

    def _solve(self, r, j, width):
        """The step from r (n,) and J (n, parameters) of all processes."""
        rows = np.concatenate([np.ones((len(r), 1)), r[:, None], j], 1)
        moments = self.processes.comm.allreduce(rows.T @ rows)
        number, means = moments[0, 0], moments[0, 1:] / moments[0, 0]
        covariance = moments[1:, 1:] - number * np.outer(means, means)
        variances = np.diag(covariance) / number
        damping = variances[0] / width**2 * (variances[1:] + FLOOR * variances[1:].max())
        return -np.linalg.solve(covariance[1:, 1:] + np.diag(damping), covariance[1:, 0])

    def _coefficients(self):
        return dict(self.flow.named_parameters())

    def _split(self, delta):
        parameters = list(self._coefficients().values())
        parts = np.split(delta, np.cumsum([p.numel() for p in parameters])[:-1])
        return [torch.from_numpy(part).reshape(p.shape).to(p) for part, p in zip(parts, parameters)]
