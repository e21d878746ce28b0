"""Moebius maps of the circle and their convex combinations (2002.02428)."""

from __future__ import annotations

from math import pi

import torch

from .roots import increasing_root


def parameters(centres):
    """Number of parameters of a combination of `centres` Moebius maps: two coordinates and a weight each."""
    return 3 * centres


def moebius(theta, raw):
    """(theta', log dtheta'/dtheta) of angles (...) under combinations with parameters raw (parameters, ...).

    theta' = sum_k rho_k [theta + 2 arg(1 - w_k e^{-i theta}) - 2 arg(1 - w_k)], the continuous angle of the Moebius map
    z -> (z - w)/(1 - conj(w) z), turned so that 0 stays; theta' - theta is periodic. The slope is
    sum_k rho_k (1 - |w_k|^2)/|z - w_k|^2. Zero parameters put the centres w on a circle, so that they can part.

    >>> theta = torch.linspace(-3.0, 3.0, 5, dtype=torch.float64)
    >>> moved, log_slope = moebius(theta, torch.zeros(12, 5, dtype=torch.float64))
    >>> bool((moved - theta).abs().max() < 0.7)
    True
    """
    a, b, rho = _centres(raw)
    cos, sin = torch.cos(theta), torch.sin(theta)
    # 1 - w e^{-i theta} and its modulus, which is |z - w|
    real, imaginary = 1 - a * cos - b * sin, a * sin - b * cos
    turn = 2 * (torch.atan2(imaginary, real) - torch.atan2(-b, 1 - a))
    slope = (1 - a * a - b * b) / (real * real + imaginary * imaginary)
    return theta + (rho * turn).sum(0), (rho * slope).sum(0).log()


def inverse_moebius(theta, raw):
    """(theta, log slope) with moebius(theta) = theta' for given theta', in the same turn of the circle."""
    turns = torch.floor(theta / (2 * pi)).detach() * 2 * pi
    x = increasing_root(lambda x: moebius(x, raw), theta - turns, 0.0, 2 * pi)
    return x + turns, -moebius(x, raw)[1]


def _centres(raw):
    count = len(raw) // 3
    place = 2 * pi * (torch.arange(count, device=raw.device, dtype=raw.dtype) + 0.5) / count
    place = place.view(count, *[1] * (raw.dim() - 1))
    a, b = raw[:count] + 0.3 * torch.cos(place), raw[count : 2 * count] + 0.3 * torch.sin(place)
    shrink = 0.999 / torch.sqrt(1 + a * a + b * b)
    return a * shrink, b * shrink, torch.softmax(raw[2 * count :], 0)
