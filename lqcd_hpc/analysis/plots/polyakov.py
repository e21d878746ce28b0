"""The Polyakov loop in the complex plane."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

from .style import BLUE, FAINT, INK, MANY, ORANGE, figure, legend, styled


@styled
def polyakov_scatter(loop, group="SU(3)", title=""):
    """One point per configuration, arrows along the centre of SU(N), and for SU(3) the bound of tr U / N.

    `loop` is complex of any shape; `group` a name as "SU(3)" or "U(1)". Returns a Figure.
    """
    loop = np.ravel(np.asarray(loop, complex))
    made, axis = figure(5.6, 4.8)
    reach = 1.2 * max(np.abs(loop).max(), 1e-12)
    for angle in _centre(group):
        tip = 0.97 * reach * np.exp(1j * angle)
        axis.annotate("", (tip.real, tip.imag), (0, 0), arrowprops={"arrowstyle": "-|>", "color": ORANGE, "lw": 1.3})
    if group.replace(" ", "") == "SU(3)":
        phi = np.linspace(0, 2 * np.pi, 601)
        edge = (2 * np.exp(1j * phi) + np.exp(-2j * phi)) / 3
        axis.plot(edge.real, edge.imag, color=FAINT, lw=1)
    many = loop.size > MANY
    axis.plot(
        loop.real,
        loop.imag,
        "o",
        color=BLUE,
        ms=3 if many else 4.5,
        mew=0,
        alpha=0.35 if many else 0.6,
        rasterized=many,
    )
    mean = loop.mean()
    axis.plot(mean.real, mean.imag, "P", color=INK, ms=9, mec="white", mew=1, label="mean")
    axis.axhline(0, color=FAINT, lw=0.7)
    axis.axvline(0, color=FAINT, lw=0.7)
    axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel=r"Re $L$", ylabel=r"Im $L$")
    for one in (axis.xaxis, axis.yaxis):
        one.set_major_locator(MaxNLocator(5, symmetric=True))
    axis.set_title(title)
    legend(axis)
    return made


def _centre(group):
    name, _, number = group.replace(" ", "").rstrip(")").partition("(")
    if name != "SU" or not number.isdigit():
        return []
    return 2 * np.pi * np.arange(int(number)) / int(number)
