"""Where a history has forgotten its start."""

from __future__ import annotations

import numpy as np

from ..errors import LqcdError
from .errors import SHORTEST, estimate

SIGNIFICANCE = 4.0


def thermalisation_cut(history):
    """The number of leading samples to leave out, 0 if the history shows no approach to equilibrium.

    The candidate minimises the variance of the mean of what remains (the MSER rule: White, Simulation 69
    (1997) 323), over at most half of the history. It is taken only if the mean of the part left out differs
    from the rest by more than 4 of its standard errors, so that a stationary chain loses nothing. A slow mode
    that this history does not see (topology) is not seen here either.

    >>> import numpy as np
    >>> noise = np.random.default_rng(3).normal(size=400)
    >>> thermalisation_cut(noise), thermalisation_cut(noise + 20 * np.exp(-np.arange(400) / 10)) > 20
    (0, True)
    """
    history = np.asarray(history, float)
    if history.size < 4 * SHORTEST:
        return 0
    cut = _mser(history)
    if cut == 0:
        return 0
    head, tail = history[:cut], history[cut:]
    try:
        tau_int = estimate(tail).tau_int
    except LqcdError:
        return cut
    independent = max(cut / (2 * tau_int), 1.0)
    return cut if abs(head.mean() - tail.mean()) > SIGNIFICANCE * tail.std() / np.sqrt(independent) else 0


def _mser(history):
    x = history - history[history.size // 2 :].mean()
    left = np.arange(x.size, 0, -1)
    total = np.cumsum(x[::-1])[::-1]
    squares = np.cumsum(x[::-1] ** 2)[::-1]
    variance_of_mean = (squares - total**2 / left) / left**2
    return int(np.argmin(variance_of_mean[: x.size // 2 + 1]))
