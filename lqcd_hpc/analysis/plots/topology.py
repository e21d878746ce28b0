"""The topological charge along the Monte Carlo history."""

from __future__ import annotations

import numpy as np

from .style import BLUE, FAINT, ORANGE, figure, histogram, legend, styled


@styled
def charge_history(step, charge, estimate=None, cut=None, title=""):
    """The charge against update number, and its distribution with bins around the integers.

    `step`, `charge` have shape (n,); `estimate` is <Q^2>, whose Gaussian is laid over the histogram. Returns
    a Figure.
    """
    step, charge = np.asarray(step), np.asarray(charge, float)
    used = step >= (step[0] if cut is None else cut)
    made, (left, right) = figure(5.6, 3.2, 1, 2, width_ratios=(4.4, 1.4), sharey=True)
    dots = {"marker": "o", "ms": 3.2, "mec": "white", "mew": 0.4} if len(step) <= 300 else {}
    left.plot(step[~used], charge[~used], color=FAINT, lw=0.8, drawstyle="steps-mid", **dots)
    left.plot(step[used], charge[used], color=BLUE, lw=0.8, drawstyle="steps-mid", **dots)
    reach = int(np.ceil(np.abs(charge).max())) + 1
    kept = charge[used] if used.any() else charge
    histogram(right, kept, np.arange(-reach - 0.5, reach + 1, 1.0))
    if estimate is not None and estimate.mean > 0:
        q = np.linspace(-reach, reach, 201)
        height = kept.size * np.exp(-(q**2) / (2 * estimate.mean)) / np.sqrt(2 * np.pi * estimate.mean)
        right.plot(height, q, color=ORANGE, lw=1.6)
        left.plot([], [], color=ORANGE, lw=1.6, label=rf"Gaussian with $\langle Q^2\rangle$ = {estimate}")
    left.set(xlabel="update", ylabel=r"$Q$", ylim=(-reach - 0.3, reach + 0.3))
    left.yaxis.get_major_locator().set_params(integer=True)
    left.margins(x=0.01)
    left.set_title(title)
    legend(left)
    return made
