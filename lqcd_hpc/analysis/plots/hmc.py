"""Energy violation and acceptance along an HMC run."""

from __future__ import annotations

import numpy as np

from .style import BLUE, FAINT, MANY, ORANGE, RED, figure, focus, legend, styled


@styled
def hmc_history(step, delta_h, accepted=None, cut=None, title=""):
    """dH of each trajectory (rejected ones marked) above the acceptance in a sliding window.

    All arguments have shape (n,); rows whose dH is nan are left out. Returns a Figure.
    """
    step, delta_h = np.asarray(step), np.asarray(delta_h, float)
    used = np.isfinite(delta_h)
    accepted = np.ones(len(step)) if accepted is None else np.asarray(accepted, float)
    step, delta_h, accepted = step[used], delta_h[used], accepted[used] > 0.5
    made, (top, bottom) = figure(5.6, 4.3, 2, 1, sharex=True, height_ratios=(1.7, 1))
    many = len(step) > MANY
    top.axhline(0, color=FAINT, lw=1)
    top.plot(
        step[accepted],
        delta_h[accepted],
        "o",
        color=BLUE,
        ms=2 if many else 3.2,
        mew=0,
        alpha=0.75,
        rasterized=many,
        label=f"accepted ({accepted.sum()})",
    )
    if not accepted.all():
        top.plot(
            step[~accepted],
            delta_h[~accepted],
            "x",
            color=RED,
            ms=4.5,
            mew=1.2,
            rasterized=many,
            label=f"rejected ({(~accepted).sum()})",
        )
    late = step >= (step[0] if cut is None else cut)
    focus(top, delta_h[late] if late.any() else delta_h)
    window = min(len(step), max(5, len(step) // 25))
    share = np.convolve(accepted, np.ones(window) / window, "valid")
    bottom.plot(
        step[window // 2 :][: len(share)],
        100 * share,
        color=BLUE,
        lw=1.5,
        label=f"over {window} trajectories",
    )
    bottom.axhline(100 * accepted.mean(), color=ORANGE, lw=1.4, label=f"all: {100 * accepted.mean():.1f} %")
    bottom.set(ylim=(max(0, 100 * share.min() - 10), 103), xlabel="update", ylabel="acceptance [%]")
    top.set_ylabel(r"$\Delta H$")
    top.set_title(title)
    for axis in (top, bottom):
        axis.margins(x=0.01)
        legend(axis)
    made.align_ylabels()
    return made
