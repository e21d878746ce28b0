"""The autocorrelation function with its summation window."""

from __future__ import annotations

import numpy as np

from .style import FAINT, SERIES, figure, legend, styled


@styled
def autocorrelation(functions, title=""):
    """rho(t) with errors, as a Figure; `functions` is {label: autocorrelation.Autocorrelation}, at most five.

    A dashed line marks the window where each sum stops; the shaded area is the sum that gives tau_int.
    """
    made, axes = figure(5.6, 0.6 + 2.0 * len(functions), len(functions), 1, squeeze=False)
    for axis, color, (label, one) in zip(axes[:, 0], SERIES, functions.items()):
        t = np.arange(len(one.rho))
        inside = t <= one.window
        axis.axhline(0, color=FAINT, lw=1)
        axis.fill_between(t[inside], 0, one.rho[inside], color=color, alpha=0.15, lw=0)
        axis.axvline(one.window, color=color, ls=(0, (4, 3)), lw=1, label=f"window {one.window}")
        tau = rf"$\tau_\mathrm{{int}}$ = {one.estimate.tau_int:.2f} ± {one.estimate.tau_int_error:.2f}"
        axis.errorbar(
            t, one.rho, one.error, fmt="o", ms=3.6, color=color, elinewidth=1, mec="white", mew=0.4, label=tau
        )
        axis.set(
            ylabel=r"$\rho(t)$",
            xlim=(-0.5, len(t) - 0.5),
            ylim=(min(-0.2, (one.rho - one.error).min()), 1.08),
        )
        axis.set_title(label)
        legend(axis)
    axes[-1, 0].set_xlabel(r"$t$ [measurements]")
    if title:
        made.suptitle(title)
    return made
