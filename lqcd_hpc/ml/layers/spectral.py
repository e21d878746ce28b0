"""Maps of SU(N) that move eigenvalues and keep eigenvectors: V e^{i theta} V^dag -> V e^{i theta'} V^dag (2008.05456).

They commute with conjugation, U -> g U g^dag. Eigenvalues are functions of the unordered spectrum: the phases are put
into the Weyl alcove, theta_1 <= ... <= theta_N <= theta_1 + 2 pi with sum 0, where each has one place.
"""

from __future__ import annotations

from math import pi

import torch

from .eigensystem import eigensystem
from .rational_quadratic import inverse_spline, parameters, spline


class SpectralMap:
    """Splines of the N - 1 coordinates of the alcove, each in [0, 1].

    The first is u_1 = (theta_N - theta_1)/2 pi; the gaps theta_{j+1} - theta_j then break pieces off it: each of the
    others is the share of a gap in what is left. `parameters(j, moved)` gives the numbers (outputs, *points) of the
    spline of coordinate j, from the new values (*points) of those before it.

    log det = sum_j log(du'_j/du_j) + log(rho(u')/rho(u)), with the Haar density of the coordinates
    rho = |d gaps/d u| prod_{i<j} |e^{i theta_i} - e^{i theta_j}|^2.
    """

    def __init__(self, nc, bins):
        self.coordinates, self.outputs = nc - 1, parameters(bins, "free")

    def forward(self, u, parameters):
        """(U', log det) of matrices (*points, N, N), log det (*points)."""
        return self._move(u, parameters, spline, newest=True)

    def inverse(self, u, parameters):
        return self._move(u, parameters, inverse_spline, newest=False)

    def _move(self, u, parameters, function, newest):
        phases, v = Spectrum.apply(u)
        old = coordinates(phases)
        new, log_det = [], 0
        for j, value in enumerate(old):
            moved, log_slope = function(value, parameters(j, (new if newest else old)[:j]), 0.0, 1.0, "free")
            new.append(moved)
            log_det = log_det + log_slope
        before, after = alcove(old), alcove(new)
        log_det = log_det + log_density(new, after) - log_density(old, before)
        return Recompose.apply(u, v, before, after), log_det


class Spectrum(torch.autograd.Function):
    """(theta, V) of U, with d theta_i = Im(e^{-i theta_i} (V^dag dU V)_ii); V is not differentiated."""

    @staticmethod
    def forward(ctx, u):
        theta, v = _into_alcove(*eigensystem(u))
        ctx.save_for_backward(theta, v)
        ctx.mark_non_differentiable(v)
        return theta, v

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g, _):
        theta, v = ctx.saved_tensors
        return (v * (1j * g * torch.exp(1j * theta))[..., None, :]) @ v.mH


class Recompose(torch.autograd.Function):
    """U' = V diag(e^{i theta'}) V^dag as a function of U and theta'.

    V^dag dU' V = F o (V^dag dU V) + diag(d e^{i theta'}), with the divided differences F_ij = (e^{i theta'_i} -
    e^{i theta'_j})/(e^{i theta_i} - e^{i theta_j}) and F_ii = 0, the change of eigenvalues being that of theta'. With
    s = sin((theta_i - theta_j)/2), F_ij is a phase times s'/s: bounded, as the map keeps the walls of the alcove.
    """

    @staticmethod
    def forward(ctx, u, v, before, after):
        ctx.save_for_backward(v, before, after)
        return (v * torch.exp(1j * after)[..., None, :]) @ v.mH

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        v, before, after = ctx.saved_tensors
        inside = v.mH @ g @ v
        slope = torch.diagonal(inside, dim1=-2, dim2=-1)
        to_after = (slope * (1j * torch.exp(1j * after)).conj()).real
        middle, sine = _pairs(after - before), _sines(after) / _sines(before).where(_off_diagonal(before), 1)
        divided = torch.polar(torch.ones_like(middle), -middle) * sine
        return v @ (divided * inside) @ v.mH, None, None, to_after


def _pairs(phases):
    """(theta_i + theta_j)/2, (..., N, N)."""
    return (phases[..., :, None] + phases[..., None, :]) / 2


def _sines(phases):
    """sin((theta_i - theta_j)/2), (..., N, N)."""
    return torch.sin((phases[..., :, None] - phases[..., None, :]) / 2)


def _off_diagonal(phases):
    return ~torch.eye(phases.shape[-1], dtype=torch.bool, device=phases.device)


def _into_alcove(phases, v):
    """Phases (..., N) with sum 2 pi k in increasing order; then the k largest go down by 2 pi (or -k smallest up)."""
    phases, order = torch.sort(phases, -1)
    n = phases.shape[-1]
    place = torch.arange(n, device=phases.device)
    k = torch.round(phases.sum(-1, keepdim=True) / (2 * pi))
    phases = phases - 2 * pi * ((place >= n - k).to(phases.dtype) - (place < -k).to(phases.dtype))
    phases, again = torch.sort(phases, -1)
    order = order.gather(-1, again)[..., None, :].expand(v.shape)
    return phases - phases.mean(-1, keepdim=True), v.gather(-1, order)


def coordinates(phases):
    """The N - 1 coordinates (*points) of phases (*points, N) of the alcove, a rounding away from its walls."""
    margin = torch.finfo(phases.dtype).eps ** 0.5
    left = phases[..., -1] - phases[..., 0]
    found = [(left / (2 * pi)).clamp(margin, 1 - margin)]
    for j in range(phases.shape[-1] - 2):
        gap = phases[..., j + 1] - phases[..., j]
        found.append((gap / left.clamp_min(margin)).clamp(margin, 1 - margin))
        left = left - gap
    return found


def alcove(u):
    """Phases (*points, N) of coordinates, the inverse of `coordinates`."""
    left = 2 * pi * u[0]
    places = [torch.zeros_like(left)]
    for share in u[1:]:
        places.append(places[-1] + share * left)
        left = left - share * left
    phases = torch.stack([*places, places[-1] + left], -1)
    return phases - phases.mean(-1, keepdim=True)


def log_density(u, phases):
    """log of the Haar density of the coordinates, up to a constant."""
    n = phases.shape[-1]
    i, j = torch.triu_indices(n, n, 1, device=phases.device)
    total = 2 * torch.log(torch.sin((phases[..., j] - phases[..., i]) / 2)).sum(-1)
    left = u[0]
    for share in u[1:]:
        total = total + torch.log(left)
        left = left * (1 - share)
    return total
