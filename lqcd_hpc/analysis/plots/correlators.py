"""Hadron correlators and their effective masses."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

from .style import SERIES, figure, legend, styled

MARKERS = "osD^v"
APART = 0.09  # distance in t between points of different hadrons


@styled
def correlators(channels, title=""):
    """C(t) above on a logarithmic scale, effective masses with their plateaus below; returns a Figure.

    `channels` is a list of at most five dicts: symbol; mean, error (T,) of the correlator; masses {t: Estimate};
    plateau (correlators.Plateau) or None. Open symbols are negative values.
    """
    made, (upper, lower) = figure(5.6, 5.4, 2, 1)
    for number, (one, color, marker) in enumerate(zip(channels, SERIES, MARKERS)):
        shift = APART * (number - (len(channels) - 1) / 2)
        _correlator(upper, one, shift, color, marker)
        _masses(lower, one, shift, color, marker)
    upper.set_yscale("log")
    upper.set(ylabel=r"$|C(t)|$")
    lower.set(xlabel=r"$t/a$", ylabel=r"$a\,m_\mathrm{eff}(t)$")
    _limit_masses(lower, channels)
    for axis in (upper, lower):
        axis.xaxis.set_major_locator(MaxNLocator(9, integer=True))
        legend(axis)
    upper.set_title(title)
    return made


def _correlator(axis, one, shift, color, marker):
    t, mean, error = np.arange(len(one["mean"])) + shift, np.asarray(one["mean"]), np.nan_to_num(one["error"])
    bars = np.minimum(error, 0.9 * abs(mean)), error  # a logarithmic axis ends above zero
    style = {"fmt": marker, "ms": 4.2, "color": color, "elinewidth": 1, "mew": 0.9}
    for chosen, fill, label in ((mean > 0, color, one["symbol"]), (mean < 0, "white", None)):
        if chosen.any():
            heights = [bar[chosen] for bar in bars]
            axis.errorbar(t[chosen], abs(mean[chosen]), heights, mfc=fill, label=label, **style)


def _masses(axis, one, shift, color, marker):
    masses, plateau = one["masses"], one["plateau"]
    if plateau is not None:
        mass, ends = plateau.mass, (plateau.first - 0.4, plateau.last + 0.4)
        axis.fill_between(ends, mass.mean - mass.error, mass.mean + mass.error, color=color, alpha=0.25, lw=0)
        axis.plot(ends, [mass.mean] * 2, color=color, lw=1.3, label=f"{one['symbol']}: {mass}")
    if masses:
        times = np.array(list(masses)) + shift
        values, errors = [m.mean for m in masses.values()], np.nan_to_num([m.error for m in masses.values()])
        label = None if plateau is not None else one["symbol"]
        axis.errorbar(
            times, values, errors, fmt=marker, ms=4.2, color=color, elinewidth=1, mec="white", mew=0.4, label=label
        )


def _limit_masses(axis, channels):
    """The range of masses that are known well enough, so that a noisy tail does not flatten the rest."""
    known = [m.mean for one in channels for m in one["masses"].values() if not m.error > 0.3 * abs(m.mean)]
    known += [one["plateau"].mass.mean for one in channels if one["plateau"] is not None]
    if known:
        margin = 0.25 * (max(known) - min(known)) + 0.05 * max(known)
        axis.set_ylim(max(0, min(known) - margin), max(known) + margin)
