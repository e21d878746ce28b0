"""What happens along the gradient flow: the energy, and the charge of each configuration."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgb

from ..flow_scales import LEVEL, flow_curves
from .style import BLUE, FAINT, INK, ORANGE, RED, figure, styled

DRAWN = 60


@styled
def flow_energy(time, energy, t0=None, w0=None, level=LEVEL, title=""):
    """t^2 <E> and t d/dt t^2 <E> with errors and the level that defines t0 and w0.

    Thin lines are single configurations; `time` (n_t,), `energy` (n_cfg, n_t); `t0`, `w0` are
    `flow_scales.FlowScale` or None. Returns a Figure.
    """
    time, curve, slope = flow_curves(time, energy)
    made, axis = figure(5.6, 4.0)
    axis.axhline(level, color=INK, lw=1, ls=(0, (4, 3)))
    axis.annotate(
        f"{level:g}",
        (1, level),
        (-3, -12),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        fontsize=9.5,
    )
    _curves(axis, time, curve, BLUE, r"$t^2\langle E\rangle$")
    _curves(axis, time, slope, ORANGE, r"$t\,\frac{d}{dt}\,t^2\langle E\rangle$")
    for scale, color, name in ((t0, BLUE, r"$t_0/a^2$"), (w0, ORANGE, r"$w_0^2/a^2$")):
        if scale is not None:
            crossing = scale.time
            axis.axvspan(crossing.mean - crossing.error, crossing.mean + crossing.error, color=color, alpha=0.2, lw=0)
            axis.plot([crossing.mean] * 2, [0, level], color=color, lw=1.2, ls=(0, (1, 1.5)))
            axis.plot(
                crossing.mean,
                level,
                "o",
                color=color,
                ms=6,
                mec="white",
                zorder=5,
                label=f"{name} = {crossing}",
            )
    axis.set(xlabel=r"flow time $t/a^2$", xlim=(0, time[-1]), ylim=(0, None))
    axis.set_title(title)
    axis.legend(loc="upper left")
    return made


@styled
def flow_charge(time, charge, title=""):
    """The charge of each configuration along the flow, as a Figure; `time` (n_t,), `charge` (n_cfg, n_t)."""
    time, charge = np.asarray(time, float), np.atleast_2d(charge)
    made, axis = figure(5.6, 4.0)
    final = charge[:, -1]
    for number in np.unique(np.rint(final)):
        axis.axhline(number, color=FAINT, lw=0.7, ls=(0, (2, 3)))
    strongest = max(1.0, np.abs(final).max())
    for line in charge[:: max(1, len(charge) // DRAWN)]:
        axis.plot(time, line, color=_charge_color(line[-1] / strongest), lw=1.0, alpha=0.8)
    reach = np.abs(charge[:, len(time) // 4 :]).max() + 0.6
    axis.set(xlabel=r"flow time $t/a^2$", ylabel=r"$Q(t)$", xlim=(time[0], time[-1]), ylim=(-reach, reach))
    axis.yaxis.get_major_locator().set_params(integer=True)
    axis.set_title(title)
    return made


def _curves(axis, time, values, color, label):
    for one in values[:: max(1, len(values) // DRAWN)]:
        axis.plot(time, one, color=color, lw=0.5, alpha=0.18)
    mean, error = values.mean(axis=0), values.std(axis=0) / np.sqrt(max(len(values) - 1, 1))
    axis.fill_between(time, mean - error, mean + error, color=color, alpha=0.35, lw=0)
    axis.plot(time, mean, color=color, lw=1.8, label=label)


def _charge_color(share):
    """Grey for zero, towards red for the largest and blue for the smallest charge."""
    strength = min(1.0, abs(share)) ** 0.7
    ends = np.array([to_rgb(FAINT), to_rgb(RED if share > 0 else BLUE)])
    return tuple((1 - strength) * ends[0] + strength * ends[1])
