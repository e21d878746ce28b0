"""Inverses of increasing functions of one variable, with their gradients."""

from __future__ import annotations

import torch

from ...errors import LqcdError

STEPS = 200


def increasing_root(function, y, low, high):
    """x with f(x) = y for an increasing f of [low, high], numbers or tensors; `function(x)` gives (f(x), log f'(x)).

    Newton steps inside a shrinking bracket. The result carries the gradients of the implicit function theorem. Raises
    `LqcdError` if the bracket does not close.

    >>> y = torch.tensor([0.5, 8.0], dtype=torch.float64)
    >>> round(float(increasing_root(lambda x: (x**3, torch.log(3 * x**2)), y, 0.0, 3.0)[1]), 12)
    2.0
    """
    with torch.no_grad():
        x = _bracketed(function, y, low + torch.zeros_like(y), high + torch.zeros_like(y))
    value, log_slope = function(x)
    return x - (value - y) * torch.exp(-log_slope.detach())


def _bracketed(function, y, low, high):
    x, tiny = 0.5 * (low + high), 8 * torch.finfo(y.dtype).eps
    for _ in range(STEPS if x.numel() else 0):
        value, log_slope = function(x)
        error = value - y
        low, high = torch.where(error <= 0, x, low), torch.where(error >= 0, x, high)
        newton = x - error * torch.exp(-log_slope)
        step = torch.where((newton > low) & (newton < high), newton, 0.5 * (low + high)) - x
        x = x + step
        if step.abs().max() <= tiny * (1 + x.abs().max()):
            return x
    if x.numel():
        raise LqcdError(f"an increasing map was not inverted in {STEPS} steps: is one of its parameters not a number?")
    return x
