"""How a flow or a preconditioner was trained."""

from __future__ import annotations

import numpy as np

from .style import BLUE, FAINT, ORANGE, figure, focus, legend, styled

CURVE = 80  # points of a smoothed curve


@styled
def training_curve(step, loss, ess, evaluations=None):
    """Loss and effective sample size of the batches, faint, with their running medians, along the steps of training.

    `step`, `loss`, `ess` have shape (n,); `evaluations` is (steps, effective sample sizes of fresh samples). The loss
    axis shows what follows the first tenth of the steps. Returns a Figure.
    """
    step, loss, ess = np.asarray(step), np.asarray(loss, float), np.asarray(ess, float)
    made, (top, bottom) = figure(5.6, 4.2, 2, 1, sharex=True)
    for axis, values in ((top, loss), (bottom, ess)):
        good = np.isfinite(values)
        axis.plot(step[good], values[good], color=FAINT, lw=0.5, rasterized=len(step) > 2000)
        axis.plot(*_running_median(step[good], values[good]), color=BLUE, lw=1.4, label="batches")
    late = loss[len(loss) // 10 :]
    focus(top, np.clip(late, *np.nanquantile(late, (0.001, 0.99))) if len(late) else loss)
    if evaluations is not None and len(evaluations[0]):
        style = {"color": ORANGE, "marker": "o", "ms": 4, "lw": 1.2, "mec": "white", "mew": 0.5}
        bottom.plot(*evaluations, label="fresh samples", **style)
    bottom.set_ylim(0, 1)
    top.set_ylabel("loss")
    bottom.set(xlabel="step", ylabel="effective sample size")
    legend(bottom)
    made.align_ylabels()
    return made


@styled
def loss_curve(step, loss, held_out=None):
    """A loss that is positive, of shape (n,), along the steps of training; `held_out` is (steps, losses on vectors that
    training never sees). Returns a Figure.
    """
    step, loss = np.asarray(step), np.asarray(loss, float)
    made, axis = figure(5.6, 2.8)
    good = np.isfinite(loss) & (loss > 0)
    axis.plot(step[good], loss[good], color=FAINT, lw=0.5, rasterized=len(step) > 2000)
    axis.plot(*_running_median(step[good], loss[good]), color=BLUE, lw=1.4, label="training")
    if held_out is not None and len(held_out[0]):
        axis.plot(*held_out, color=ORANGE, marker="o", ms=4, lw=1.2, mec="white", mew=0.5, label="fresh vectors")
    axis.set(xlabel="step", ylabel="loss", yscale="log")
    legend(axis)
    return made


def _running_median(step, values):
    """Medians of up to `CURVE` groups of neighbouring steps."""
    groups = np.array_split(np.arange(len(step)), min(len(step), CURVE)) if len(step) else []
    return [step[g].mean() for g in groups], [np.median(values[g]) for g in groups]
