"""A scalar along the Monte Carlo history."""

from __future__ import annotations

import numpy as np

from .style import BLUE, FAINT, INK, MANY, ORANGE, figure, focus, histogram, legend, styled


@styled
def history(step, values, label, estimate=None, cut=None, title=""):
    """Values against update number with a histogram at the side.

    `step`, `values` have shape (n,), or (n, R) for R replicas (their mean is drawn); samples before step
    `cut` are grey and left out of the histogram; `estimate` (errors.Estimate) is drawn as a band mean +-
    error. Returns a Figure.
    """
    step, values = np.asarray(step), np.asarray(values, float)
    values = values.mean(axis=1) if values.ndim == 2 else values
    used = step >= (step[0] if cut is None else cut)
    made, (left, right) = figure(5.6, 2.9, 1, 2, width_ratios=(5, 1), sharey=True)
    _line(left, step[~used], values[~used], FAINT)
    _line(left, step[used], values[used], BLUE)
    if not used.all():
        left.axvline(cut, color=FAINT, ls=(0, (4, 3)), lw=1)
        left.annotate(
            "thermalised",
            (cut, 1),
            (4, -2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            fontsize=9,
            color=INK,
        )
    if estimate is not None:
        _band(left, right, estimate)
    focus(left, values[used] if used.any() else values)
    kept = values[used & np.isfinite(values)]
    if kept.size:
        histogram(right, kept, bins=int(np.clip(np.sqrt(kept.size), 8, 40)))
    left.set(xlabel="update", ylabel=label)
    left.set_title(title)
    left.margins(x=0.01)
    legend(left)
    return made


@styled
def histories(step, columns, cut=None, title=""):
    """Several columns below each other on one step axis; `columns` is {label: values}. Returns a Figure."""
    made, axes = figure(5.6, 0.8 + 1.35 * len(columns), len(columns), 1, sharex=True, squeeze=False)
    for axis, (label, values) in zip(axes[:, 0], columns.items()):
        values = np.asarray(values, float)
        values = values.mean(axis=tuple(range(1, values.ndim))) if values.ndim > 1 else values
        used = step >= (step[0] if cut is None else cut)
        _line(axis, step[~used], values[~used], FAINT)
        _line(axis, step[used], values[used], BLUE)
        focus(axis, values[used] if used.any() else values)
        axis.set_ylabel(label)
        axis.margins(x=0.01)
    axes[0, 0].set_title(title)
    axes[-1, 0].set_xlabel("update")
    made.align_ylabels()
    return made


def _line(axis, step, values, color):
    many = len(step) > MANY
    marker = {} if len(step) > 150 else {"marker": "o", "ms": 3.2, "mec": "white", "mew": 0.4}
    axis.plot(step, values, color=color, lw=0.6 if many else 1.0, rasterized=many, **marker)


def _band(left, right, estimate):
    label = rf"$\langle\cdot\rangle$ = {estimate},  $\tau_\mathrm{{int}}$ = {estimate.tau_int:.1f}"
    for axis in (left, right):
        axis.axhspan(estimate.mean - estimate.error, estimate.mean + estimate.error, color=ORANGE, alpha=0.3, lw=0)
        axis.axhline(estimate.mean, color=ORANGE, lw=1.4, label=label, zorder=3)
