"""The look that all pictures share: fonts, colours, axes, and how a figure becomes SVG or PNG.

Figures are `matplotlib.figure.Figure` with the Agg canvas: no pyplot, no window, no global state.
"""

from __future__ import annotations

from io import BytesIO

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import AutoMinorLocator

INK, FAINT, GRID = "#22303c", "#94a1ad", "#e6ebf0"
BLUE, ORANGE, GREEN, PURPLE, RED = "#2566a8", "#d9772b", "#2f8f6b", "#7a5195", "#c0392b"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, RED)
MANY = 2000

RC = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "mathtext.fontset": "dejavusans",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 10.5,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.axisbelow": True,
    "axes.formatter.use_mathtext": True,
    "axes.formatter.limits": (-4, 5),
    "axes.unicode_minus": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.2,
    "legend.handlelength": 1.6,
    "svg.hashsalt": "lqcd_hpc",
    "svg.fonttype": "path",
}


def figure(width=5.6, height=3.2, rows=1, columns=1, **grid):
    """A figure with its axes, (figure, axes); sizes in inches, further arguments as `Figure.subplots`."""
    with matplotlib.rc_context(RC):
        made = Figure(figsize=(width, height), layout="constrained", facecolor="white")
        FigureCanvasAgg(made)
        made.get_layout_engine().set(w_pad=0.06, h_pad=0.06, wspace=0.03)
        axes = made.subplots(rows, columns, **grid)
        for one in np.ravel(axes):
            _clean(one)
    return made, axes


def styled(function):
    """Decorates a plot function: texts and ticks that it makes take the common look."""

    def wrapper(*arguments, **options):
        with matplotlib.rc_context(RC):
            return function(*arguments, **options)

    wrapper.__name__, wrapper.__doc__, wrapper.__wrapped__ = function.__name__, function.__doc__, function
    return wrapper


def encode(made, kind="svg"):
    """The figure as bytes of an SVG or PNG file, the same bytes every time."""
    buffer = BytesIO()
    with matplotlib.rc_context(RC):
        made.savefig(buffer, format=kind, dpi=170, metadata={"Date": None} if kind == "svg" else {"Software": None})
    return buffer.getvalue()


def legend(axis, **options):
    """A legend in the common look, outside above the axes, in one row."""
    count = len(axis.get_legend_handles_labels()[1])
    if count:
        axis.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=count,
            borderaxespad=0.2,
            columnspacing=1.4,
            **options,
        )


def focus(axis, values, share=0.14):
    """Sets the y range by these values (finite ones) with a margin."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if values.size:
        low, high = values.min(), values.max()
        margin = share * (high - low) or 0.1 * abs(high) or 1.0
        axis.set_ylim(low - margin, high + margin)


def histogram(axis, values, bins, color=BLUE):
    """A horizontal histogram beside a history that shares its y axis."""
    counts, edges = np.histogram(values, bins=bins)
    axis.barh(
        edges[:-1],
        counts,
        height=np.diff(edges),
        align="edge",
        color=color,
        alpha=0.75,
        edgecolor="white",
        lw=0.6,
    )
    axis.tick_params(labelleft=False, labelbottom=False, bottom=False)
    axis.tick_params(which="both", left=False, bottom=False)
    axis.spines["bottom"].set_visible(False)
    axis.grid(False)


def _clean(axis):
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(True, color=GRID, linewidth=0.8)
    axis.tick_params(length=4, width=0.8, pad=4)
    axis.tick_params(which="minor", length=2, width=0.6)
    axis.xaxis.set_minor_locator(AutoMinorLocator(2))
    axis.yaxis.set_minor_locator(AutoMinorLocator(2))
