"""What solvers cost as the mass tends to the critical one."""

from __future__ import annotations

import numpy as np

from .style import SERIES, figure, styled

MARKERS = "osD^vP"


@styled
def mass_scan(panels, label, critical=None):
    """Curves of every solver against the bare mass, one panel per configuration, logarithmic in what they show.

    `panels` is {configuration: {solver: (masses, values)}}; with `critical` the axis is m0 - critical, logarithmic,
    and masses at or below it are left out. A solver has the same colour everywhere. Returns a Figure.
    """
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    made, axes = figure(1.6 + 3.6 * columns, 0.6 + 2.9 * rows, rows, columns, squeeze=False, sharex=True, sharey=True)
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    for number, (axis, (title, curves)) in enumerate(zip(axes.flat, panels.items())):
        for k, name in enumerate(names):
            if name in curves:
                axis.plot(*_sorted(*curves[name], critical), **_look(k), label=name)
        axis.set_yscale("log")
        if critical is not None:
            axis.set_xscale("log")
            axis.invert_xaxis() if number == 0 else None
        if len(panels) > 1:
            axis.set_title(title)
        if number + columns >= len(panels):
            axis.set_xlabel("$m_0$" if critical is None else f"$m_0 - ({critical:g})$")
            axis.tick_params(labelbottom=True)
        if number % columns == 0:
            axis.set_ylabel(label)
    handles = {text: one for axis in axes.flat for one, text in zip(*axis.get_legend_handles_labels())}
    made.legend(handles.values(), handles.keys(), loc="outside right upper")
    return made


def _sorted(masses, values, critical):
    """Points from heavy to light, over the distance from the critical mass if there is one."""
    masses, values = np.asarray(masses, float), np.asarray(values, float)
    if critical is not None:
        masses, values = (masses - critical)[masses > critical], values[masses > critical]
    order = np.argsort(-masses)
    return masses[order], values[order]


def _look(number):
    return {
        "color": SERIES[number % len(SERIES)],
        "marker": MARKERS[number % len(MARKERS)],
        "ls": "-" if number < len(SERIES) else "--",
        "lw": 1.3,
        "ms": 4.5,
        "mec": "white",
        "mew": 0.5,
    }
