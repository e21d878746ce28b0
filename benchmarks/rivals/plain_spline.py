"""Rational-quadratic splines (1906.04032) as formulas, with gradients by autograd."""

import torch

SMALLEST = 1e-3


def spline(x, raw, bound, circular):
    """(y, log dy/dx) of x (...) with parameters raw (..., 3 bins - 1), or 3 bins on the circle; identity outside."""
    bins = (raw.shape[-1] + (not circular)) // 3
    widths, heights = (_sizes(part, bound) for part in raw[..., : 2 * bins].split(bins, -1))
    slopes = SMALLEST + torch.nn.functional.softplus(raw[..., 2 * bins :])
    if circular:
        slopes = torch.cat([slopes, slopes[..., :1]], -1)
    else:
        slopes = torch.nn.functional.pad(slopes, (1, 1), value=1.0)
    left, bottom = _edges(widths, bound), _edges(heights, bound)
    inside = (x > -bound) & (x < bound)
    value = torch.where(inside, x, 0.0)
    k = torch.searchsorted(left.contiguous(), value[..., None].contiguous(), right=True).clamp(1, bins) - 1
    w, h, x0, y0, d0 = (part.gather(-1, k)[..., 0] for part in (widths, heights, left, bottom, slopes))
    d1 = slopes.gather(-1, k + 1)[..., 0]
    xi, s = (value - x0) / w, h / w
    e = xi * (1 - xi)
    denominator = s + (d1 + d0 - 2 * s) * e
    y = y0 + h * (s * xi**2 + d0 * e) / denominator
    slope = s**2 * (d1 * xi**2 + 2 * s * e + d0 * (1 - xi) ** 2) / denominator**2
    return torch.where(inside, y, x), torch.where(inside, slope.log(), 0.0)


def _sizes(raw, bound):
    return 2 * bound * (SMALLEST + (1 - SMALLEST * raw.shape[-1]) * torch.softmax(raw, -1))


def _edges(sizes, bound):
    return torch.nn.functional.pad(torch.cumsum(sizes, -1), (1, 0)) - bound
