"""Monotone rational-quadratic splines (1906.04032; on the circle 2002.02428) with gradients written by hand.

In bin k, with xi = (x - x_k)/w, sigma = h/w and e = xi (1 - xi),

    y = y_k + h N/D,   N = sigma xi^2 + d_0 e,   D = sigma + (d_1 + d_0 - 2 sigma) e,
    dy/dx = sigma^2 M/D^2,   M = d_1 xi^2 + 2 sigma e + d_0 (1 - xi)^2.
"""

from __future__ import annotations

from math import e, log
from typing import NamedTuple

import torch
from torch.autograd.function import once_differentiable

SMALLEST = 1e-3  # of a bin relative to the interval, and of a slope

SLOPES = {"linear": -1, "circular": 0, "half": 0, "free": 1}


def parameters(bins, ends):
    """Number of parameters of a spline: widths, heights and slopes.

    ends = "linear" : slope 1 at both ends, where the identity goes on
    ends = "half" : a learned slope at the lower end, 1 at the upper one
    ends = "circular" : the same learned slope at both ends
    ends = "free" : a learned slope at either end
    """
    return 3 * bins + SLOPES[ends]


def spline(x, raw, low, high, ends):
    """(y, log dy/dx) of values x (...) under splines of [low, high] to itself with parameters raw (parameters, ...).

    All-zero parameters give the identity. Values outside stay as they are. First derivatives only.

    >>> x = torch.tensor([-3.0, -0.5, 0.2])
    >>> y, log_slope = spline(x, torch.zeros(11, 3), -1.0, 1.0, "linear")
    >>> torch.allclose(x, y), bool(log_slope.abs().max() < 1e-6)
    (True, True)
    """
    return _Spline.apply(x, raw, low, high, ends, False)


def inverse_spline(y, raw, low, high, ends):
    """(x, log dx/dy): the inverse of `spline`."""
    return _Spline.apply(y, raw, low, high, ends, True)


class _Bin(NamedTuple):
    """The bin of every value: its number, lower corner, size and slopes; and the shares of all bins."""

    k: torch.Tensor
    x: torch.Tensor
    w: torch.Tensor
    y: torch.Tensor
    h: torch.Tensor
    d0: torch.Tensor
    d1: torch.Tensor


class _Spline(torch.autograd.Function):
    @staticmethod
    def forward(ctx, value, raw, low, high, ends, inverted):
        bins = (len(raw) - SLOPES[ends]) // 3
        inside = (value >= low) & (value <= high)
        shares = torch.softmax(raw[: 2 * bins].view(2, bins, *raw.shape[1:]), 1)
        sizes = (high - low) * (SMALLEST + (1 - bins * SMALLEST) * shares)
        edges = low + torch.cumsum(sizes, 1)
        slopes = _slopes(raw[2 * bins :], ends)
        axis = edges[1] if inverted else edges[0]
        k = (value >= axis[:-1]).sum(0, keepdim=True)
        (w, h), (x, y) = (_take(pair, k) for pair in (sizes, edges))
        here = _Bin(k, x - w, w, y - h, h, slopes.gather(0, k)[0], slopes.gather(0, k + 1)[0])
        xi = _solve(value - here.y, here) if inverted else (value - here.x) / here.w
        xi = xi.clamp(0, 1)
        moved, log_slope = _evaluate(xi, here)
        if inverted:
            moved, log_slope = here.x + here.w * xi, -log_slope
        ctx.save_for_backward(xi, inside, shares, slopes, *here)
        ctx.settings = (low, high, ends, inverted)
        return torch.where(inside, moved, value), torch.where(inside, log_slope, 0)

    @staticmethod
    @once_differentiable
    def backward(ctx, to_value, to_log):
        xi, inside, shares, slopes, *here = ctx.saved_tensors
        low, high, ends, inverted = ctx.settings
        here = _Bin(*here)
        g_y, g_l = to_value * inside, to_log * inside
        if inverted:
            # with x(y) the inverse: d = (g_y - g_l l_x)/y_x arrives at y, and -d y_theta - g_l l_theta at parameters
            slope, curvature = _slope_and_curvature(xi, here)
            to_y = (g_y - g_l * curvature) / slope
            g_y, g_l = -to_y, -g_l
        g_x, *g = _gradients(xi, here, g_y, g_l)
        to_raw = _to_parameters(g, here, shares, slopes, low, high, ends)
        return torch.where(inside, to_y if inverted else g_x, to_value), to_raw, None, None, None, None


def _slopes(raw, ends):
    slopes = SMALLEST + (1 - SMALLEST) * torch.nn.functional.softplus(raw + log(e - 1))
    one = slopes.new_ones(1, *raw.shape[1:])
    if ends == "linear":
        return torch.cat([one, slopes, one])
    if ends == "half":
        return torch.cat([slopes, one])
    return torch.cat([slopes, slopes[:1]]) if ends == "circular" else slopes


def _take(pair, k):
    return pair.gather(1, k.expand(2, *k.shape))[:, 0]


def _evaluate(xi, here):
    """(y, log dy/dx) at the place xi of a bin."""
    sigma, e = here.h / here.w, xi * (1 - xi)
    d = sigma + (here.d1 + here.d0 - 2 * sigma) * e
    m = here.d1 * xi * xi + 2 * sigma * e + here.d0 * (1 - xi) ** 2
    return here.y + here.h * (sigma * xi * xi + here.d0 * e) / d, torch.log(sigma * sigma * m / (d * d))


def _solve(rise, here):
    """xi of y - y_k: the root 2c/(-b - sqrt(b^2 - 4ac)), which does not cancel, of a clamped discriminant."""
    sigma = here.h / here.w
    bend = rise * (here.d1 + here.d0 - 2 * sigma)
    a, b, c = here.h * (sigma - here.d0) + bend, here.h * here.d0 - bend, -sigma * rise
    return 2 * c / (-b - torch.sqrt(torch.clamp(b * b - 4 * a * c, min=0)))


def _slope_and_curvature(xi, here):
    """dy/dx and d(log dy/dx)/dx."""
    one, zero = torch.ones_like(xi), torch.zeros_like(xi)
    return _gradients(xi, here, one, zero)[0], _gradients(xi, here, zero, one)[0]


def _gradients(xi, here, g_y, g_l):
    """The gradients that arrive at x, x_k, w, y_k, h, d_0 and d_1 from those of y and of log dy/dx."""
    _, _, w, _, h, d0, d1 = here
    sigma, e, turn = h / w, xi * (1 - xi), 1 - 2 * xi
    bend = d1 + d0 - 2 * sigma
    over_d = 1 / (sigma + bend * e)
    n_over_d = (sigma * xi * xi + d0 * e) * over_d
    over_m = g_l / (d1 * xi * xi + 2 * sigma * e + d0 * (1 - xi) ** 2)
    to_n = g_y * h * over_d  # y = y_k + h N/D, log dy/dx = 2 log sigma + log M - 2 log D
    to_d = -to_n * n_over_d - 2 * g_l * over_d
    to_xi = (
        to_n * (2 * sigma * xi + d0 * turn) + to_d * bend * turn + 2 * over_m * (d1 * xi + sigma * turn - d0 * (1 - xi))
    )
    to_sigma = to_n * xi * xi + to_d * (1 - 2 * e) + 2 * over_m * e + 2 * g_l / sigma
    to_d0 = (to_n + to_d) * e + over_m * (1 - xi) ** 2
    to_d1 = to_d * e + over_m * xi * xi
    to_x = to_xi / w
    return to_x, -to_x, -(to_x * xi + to_sigma * sigma / w), g_y, g_y * n_over_d + to_sigma / w, to_d0, to_d1


def _to_parameters(g, here, shares, slopes, low, high, ends):
    """Gradients at the raw parameters, through the sums of softmax shares and the softplus of slopes."""
    g_x, g_w, g_y, g_h, g_d0, g_d1 = g
    bins = shares.shape[1]
    number = torch.arange(bins, device=shares.device).view(bins, *[1] * (shares.dim() - 2))
    below = number < here.k
    to_shares = torch.stack([g_x, g_y])[:, None] * below
    to_shares.scatter_(1, here.k.expand(2, *here.k.shape), torch.stack([g_w, g_h])[:, None])
    to_shares *= shares
    to_shares -= shares * to_shares.sum(1, keepdim=True)
    to_shares *= (high - low) * (1 - bins * SMALLEST)
    to_slopes = torch.zeros_like(slopes).scatter_(0, here.k, g_d0[None])
    to_slopes.scatter_add_(0, here.k + 1, g_d1[None])
    learned = slice(1, -1) if ends == "linear" else slice(0, None if ends == "free" else -1)
    if ends == "circular":
        to_slopes[0] += to_slopes[-1]
    # d = m + (1 - m) softplus(u): its derivative (1 - m) sigmoid(u), with sigmoid = 1 - e^{-softplus}
    sigmoid = -torch.expm1((SMALLEST - slopes[learned]) / (1 - SMALLEST))
    to_slopes = to_slopes[learned] * sigmoid * (1 - SMALLEST)
    return torch.cat([to_shares.flatten(0, 1), to_slopes])
