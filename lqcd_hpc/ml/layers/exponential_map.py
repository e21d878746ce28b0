"""Exponential maps of spheres: points move along great circles by the gradient of a potential (2002.02428).

x' = exp_x(v) = x cos|v| + v sin|v|/|v| with v = (1 - x x^T) grad F(x). With E an orthonormal frame of the tangent space
at x, log|det| = (1/2) log det (dx'(E)^T dx'(E)), where dx' along a tangent w is

    dv = P H w - w (x.g) - x (g.w),   g = grad F, H = its Hessian, P = 1 - x x^T.
"""

from __future__ import annotations

import torch

from ..noise import first

NEWTON_STEPS = 50


class ExponentialMap(torch.nn.Module):
    """The layer of a potential with `derivatives(x) -> (g, H)`, g (batch, n) and H (batch, n, n) or (n, n)."""

    def __init__(self, potential):
        super().__init__()
        self.potential = potential

    def forward(self, x):
        y, dy, _ = self._moved(x)
        return y, _log_volume(dy)

    def inverse(self, y):
        """Newton's method on the sphere: x <- exp_x(E d) with dy(E) d = y - f(x)."""
        with torch.no_grad():
            x = y
            for _ in range(NEWTON_STEPS):
                here, dy, frame = self._moved(x)
                step = torch.linalg.lstsq(dy, (y - here)[..., None]).solution
                step = step * torch.clamp(0.5 / torch.linalg.vector_norm(step, dim=1, keepdim=True), max=1.0)
                x = torch.nn.functional.normalize(x + (frame @ step)[..., 0], dim=-1)
                if float(step.abs().max() if len(step) else 0) < 4 * torch.finfo(y.dtype).eps:
                    break
        here, dy, frame = self._moved(x)
        step = frame @ (torch.linalg.pinv(dy.detach()) @ (y - here)[..., None])
        x = torch.nn.functional.normalize(x + step[..., 0], dim=-1)  # carries the gradients
        return x, -_log_volume(self._moved(x)[1])

    def _moved(self, x):
        """(x', dx'(E), E), E (batch, n, n - 1)."""
        gradient, hessian = self.potential.derivatives(x)
        along = (x * gradient).sum(-1, keepdim=True)
        v = gradient - along * x
        frame = tangent_frame(x)
        turned = hessian @ frame
        turned = turned - x[..., None] * (x[..., None, :] @ turned)
        dv = turned - frame * along[..., None] - x[..., None] * (gradient[..., None, :] @ frame)
        square = (v * v).sum(-1, keepdim=True)
        cos, sinc, slope = _cos_sinc(square)
        half = v[..., None, :] @ dv  # (1/2) d|v|^2
        outer = slope[..., None] * v[..., None] - sinc[..., None] * x[..., None]
        dy = cos[..., None] * frame + sinc[..., None] * dv + outer * half
        return cos * x + sinc * v, dy, frame


def _log_volume(dy):
    """log of the volume that the columns span, (batch,)."""
    if dy.shape[-1] == 2:
        a, b = dy[..., 0], dy[..., 1]
        return 0.5 * torch.log((a * a).sum(-1) * (b * b).sum(-1) - (a * b).sum(-1) ** 2)
    return 0.5 * torch.linalg.slogdet(dy.mT @ dy)[1]


def _cos_sinc(square):
    """cos n, sin n/n and (1/n) d(sin n/n)/dn of n^2, smooth at n = 0."""
    small = square < 1e-4
    n = torch.sqrt(torch.where(small, torch.ones_like(square), square))
    series = (
        1 - square / 2 + square**2 / 24 - square**3 / 720,
        1 - square / 6 + square**2 / 120 - square**3 / 5040,
        -1 / 3 + square / 30 - square**2 / 840 + square**3 / 45360,
    )
    sinc = torch.sin(n) / n
    closed = torch.cos(n), sinc, (torch.cos(n) - sinc) / n**2
    return [torch.where(small, a, b) for a, b in zip(series, closed)]


def tangent_frame(x):
    """An orthonormal frame (batch, n, n - 1) of the tangent space: the Householder reflection of the last axis on x."""
    n = x.shape[-1]
    axis = torch.eye(n, dtype=x.dtype, device=x.device)
    mirror = x + torch.copysign(axis[-1], x[..., -1:])
    mirror = mirror * torch.sqrt(2 / (mirror * mirror).sum(-1, keepdim=True))
    return axis[:, :-1] - mirror[..., None] * mirror[..., None, :-1]


class RadialPotential(torch.nn.Module):
    """F = sum_i (a_i/b_i) e^{b_i (x.mu_i - 1)} with a_i >= 0, sum a < 1, b_i > 0, |mu_i| = 1: always invertible."""

    def __init__(self, n, terms, event):
        super().__init__()
        self.centres = torch.nn.Parameter(first(event).normal(1, (terms, n))[0])
        self.weights = torch.nn.Parameter(torch.zeros(terms, dtype=torch.float64))
        self.sharpness = torch.nn.Parameter(torch.zeros(terms, dtype=torch.float64))

    def derivatives(self, x):
        """(grad F, Hessian)."""
        mu = torch.nn.functional.normalize(self.centres, dim=-1)
        share = torch.softmax(torch.cat([self.weights, self.weights.new_full((1,), 2.0)]), 0)[:-1]
        b = torch.nn.functional.softplus(self.sharpness)
        pull = share * torch.exp(b * (x @ mu.T - 1))
        return pull @ mu, torch.einsum("bk,ki,kj->bij", pull * b, mu, mu)


class PolynomialPotential(torch.nn.Module):
    """F = m.x + x^T A x/2 with |m| + 2 |A| < 3/4.

    Then |v| <= r = |m| + |A| and the map is invertible, as r cot r > |m| + 2 |A| bounds its Hessian from below.
    """

    def __init__(self, n, event):
        super().__init__()
        noise = first(event)
        self.linear = torch.nn.Parameter(0.05 * noise.normal(1, (n,))[0])
        self.quadratic = torch.nn.Parameter(0.05 * noise.normal(1, (n, n))[0])

    def derivatives(self, x):
        """(grad F, Hessian)."""
        m, a = self.linear, self.quadratic + self.quadratic.T
        scale = 0.75 / (1 + torch.linalg.vector_norm(m) + 2 * torch.linalg.vector_norm(a))
        return scale * (m + x @ a), scale * a
