"""Inverses of increasing functions of one variable, with their gradients."""

from __future__ import annotations

import torch


def increasing_root(function, y, low, high, steps=100):
    """x with f(x) = y for an increasing f of [low, high]; `function(x)` gives (f(x), log f'(x)).

    Newton steps inside a shrinking bracket. The result carries the gradients of the implicit function theorem.

    >>> y = torch.tensor([0.5, 8.0], dtype=torch.float64)
    >>> round(float(increasing_root(lambda x: (x**3, torch.log(3 * x**2)), y, 0.0, 3.0)[1]), 12)
    2.0
    """
    with torch.no_grad():
        low, high = torch.full_like(y, low), torch.full_like(y, high)
        x, tiny = 0.5 * (low + high), 4 * torch.finfo(y.dtype).eps
        for _ in range(steps):
            value, log_slope = function(x)
            off = value - y
            low, high = torch.where(off <= 0, x, low), torch.where(off >= 0, x, high)
            newton = x - off * torch.exp(-log_slope)
            new = torch.where((newton > low) & (newton < high), newton, 0.5 * (low + high))
            done = (new - x).abs().max() < tiny if x.numel() else True
            x = new
            if done:
                break
    value, log_slope = function(x)
    return x - (value - y) * torch.exp(-log_slope.detach())
