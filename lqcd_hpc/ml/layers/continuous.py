"""Continuous flows of scalar fields: an equation of motion with an analytic divergence (2207.00283)."""

from __future__ import annotations

from itertools import product
from math import prod

import torch


class Continuous(torch.nn.Module):
    """dphi(x)/dt = sum_r sum_f W_f(r, t) h_f(phi(x + r)) from t = 0 to 1, h_0 = phi, h_f = sin(w_f phi).

    W has the symmetries of the lattice (it is one number per class of displacements r) and is a polynomial in t; the
    frequencies w are learned. The map commutes with translations, reflections, quarter turns and phi -> -phi, and

        d log|det|/dt = sum_x sum_f W_f(0, t) h_f'(phi(x)).

    Both are integrated by `steps` steps of fourth-order Runge-Kutta: the inverse (backwards in time) and the
    determinant hold up to its error, O(steps^-4).
    """

    def __init__(self, shape, steps, frequencies, times, reach):
        super().__init__()
        classes = displacement_classes(shape, reach)
        self.steps = steps
        self.register_buffer("classes", classes.flatten(1), persistent=False)
        self.weight = torch.nn.Parameter(torch.zeros(times, 1 + frequencies, len(classes), dtype=torch.float64))
        self.frequency = torch.nn.Parameter(torch.arange(1, frequencies + 1, dtype=torch.float64))
        self.volume = prod(shape)

    def forward(self, z):
        return self._integrate(z, 0.0, 1.0)

    def inverse(self, x):
        return self._integrate(x, 1.0, -1.0)

    def _integrate(self, field, start, sign):
        phi, log_det = field.reshape(-1, self.volume).T, 0.0
        dt = sign / self.steps
        begin = self._kernel(start)
        for step in range(self.steps):
            t = start + dt * step
            middle, end = self._kernel(t + dt / 2), self._kernel(t + dt)
            v1, d1 = self._velocity(phi, begin)
            v2, d2 = self._velocity(phi + 0.5 * dt * v1, middle)
            v3, d3 = self._velocity(phi + 0.5 * dt * v2, middle)
            v4, d4 = self._velocity(phi + dt * v3, end)
            phi = phi + (dt / 6) * (v1 + 2 * (v2 + v3) + v4)
            log_det = log_det + (dt / 6) * (d1 + 2 * (d2 + d3) + d4)
            begin = end
        return phi.T.reshape(field.shape), log_det

    def _kernel(self, t):
        """W(t) as one matrix (V, features V), and W_f(0, t)."""
        powers = torch.cos(torch.arange(len(self.weight), device=self.weight.device) * torch.acos(_clamped(t)))
        weight = torch.einsum("k,kfc->fc", powers.to(self.weight.dtype), self.weight)
        matrix = (weight @ self.classes).view(-1, self.volume, self.volume).transpose(0, 1)
        return matrix.reshape(self.volume, -1), weight[:, 0]

    def _velocity(self, phi, kernel):
        """dphi/dt (V, batch) and the divergence (batch,)."""
        matrix, local = kernel
        phase = self.frequency[:, None, None] * phi
        features = torch.cat([phi[None], torch.sin(phase)])
        slopes = (local[1:] * self.frequency) @ torch.cos(phase).sum(1)
        return matrix @ features.flatten(0, 1), slopes + local[0] * self.volume


def _clamped(t):
    """2 t - 1 in [-1, 1]: Chebyshev polynomials T_k(u) = cos(k arccos u) are the polynomials in time."""
    return torch.tensor(min(1.0, max(-1.0, 2 * t - 1)), dtype=torch.float64)


def displacement_classes(shape, reach=None):
    """(classes, V, V): 1 where x and y differ by a displacement of the class; the first class is r = 0.

    Displacements are of one class if reflections and exchanges of equal extents relate them; with `reach` only those
    of at most so many sites in every direction count.

    >>> displacement_classes((4, 4)).shape, displacement_classes((8, 8), reach=1).shape
    (torch.Size([6, 16, 16]), torch.Size([3, 64, 64]))
    """
    sites = tuple(shape)[::-1]
    numbers = {}
    grid = torch.arange(prod(sites)).reshape(sites)
    rows = torch.arange(prod(sites))
    matrices = []
    square = len(set(sites)) == 1
    for displacement in product(*[range(extent) for extent in sites]):
        short = [min(r, extent - r) for r, extent in zip(displacement, sites)]
        if reach is not None and max(short) > reach:
            continue
        name = tuple(sorted(short)) if square else tuple(short)
        if name not in numbers:
            numbers[name] = len(matrices)
            matrices.append(torch.zeros(prod(sites), prod(sites), dtype=torch.float64))
        target = torch.roll(grid, [-r for r in displacement], tuple(range(len(sites)))).flatten()
        matrices[numbers[name]][rows, target] += 1
    return torch.stack([matrices[numbers[name]] for name in sorted(numbers)])
