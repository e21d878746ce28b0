"""Speed of kernels against the roofline of the machine they ran on."""

from __future__ import annotations

import numpy as np

from .style import BLUE, FAINT, GREEN, INK, ORANGE, RED, SERIES, figure, legend, styled


@styled
def speed_bars(results, title=""):
    """Bars of GFLOP/s and of the share of the roofline, one pair per kernel.

    `results` is a list of dicts with `name` and any of `gflops`, `gbytes` (GB/s), `roofline` (percent of what
    the machine allows), `ns` (per site or link) and `variant` (as "8^4 float64"), as in a benchmark's JSON.
    Returns a Figure.
    """
    names = ["  ".join(filter(None, (str(one.get("name", "")), str(one.get("variant", ""))))) for one in results]
    rows = np.arange(len(results))
    made, (left, right) = figure(8.4, 1.3 + 0.36 * len(results), 1, 2, sharey=True, width_ratios=(1.5, 1))
    speed = np.array([one.get("gflops") or 0.0 for one in results], float)
    share = np.array([one.get("roofline") or 0.0 for one in results], float)
    left.barh(rows, speed, height=0.66, color=BLUE)
    right.barh(rows, share, height=0.66, color=[_color(value) for value in share])
    for row, one in enumerate(results):
        left.annotate(_speed_text(one), (speed[row], row), (5, 0), textcoords="offset points", va="center", fontsize=9)
        if share[row]:
            inside = share[row] > 25
            right.annotate(
                f"{share[row]:.0f} %",
                (share[row], row),
                (-5 if inside else 5, 0),
                va="center",
                fontsize=9,
                textcoords="offset points",
                ha="right" if inside else "left",
                color="white" if inside else INK,
            )
    left.set(yticks=rows, yticklabels=names, xlabel="GFLOP/s", xlim=(0, 1.45 * max(speed.max(initial=0), 1e-9)))
    right.set(xlabel="share of the roofline [%]", xlim=(0, max(115, 1.2 * share.max(initial=0))))
    right.axvline(100, color=INK, lw=1, ls=(0, (4, 3)))
    left.invert_yaxis()
    for axis in (left, right):
        axis.grid(False, axis="y")
        axis.tick_params(which="both", axis="y", length=0)
        axis.spines["left"].set_color(FAINT)
    right.tick_params(labelleft=False)
    left.set_title(title)
    return made


@styled
def speed_groups(panels, title=""):
    """GFLOP/s as bars in groups, one panel above another; a line over each bar is what the machine allows.

    `panels` is {panel: {group: {bar: (gflops, limit)}}}, as {"single": {"wilson": {"8^4": (60.0, 90.0)}}}. A bar has
    the same colour everywhere. Returns a Figure.
    """
    bars = list(dict.fromkeys(bar for groups in panels.values() for group in groups.values() for bar in group))
    most = max((len(groups) for groups in panels.values()), default=1)
    made, axes = figure(1.6 + 0.24 * most * (len(bars) + 1), 0.7 + 2.1 * len(panels), len(panels), 1, squeeze=False)
    width = 0.8 / max(1, len(bars))
    for axis, (name, groups) in zip(axes[:, 0], panels.items()):
        for k, bar in enumerate(bars):
            there = [(row, *group[bar]) for row, group in enumerate(groups.values()) if bar in group]
            if not there:
                continue
            row, speed, limit = np.array(there, float).T
            place = row + (k - (len(bars) - 1) / 2) * width
            axis.bar(place, speed, 0.9 * width, color=SERIES[k % len(SERIES)], label=bar)
            axis.hlines(limit, place - 0.45 * width, place + 0.45 * width, color=INK, lw=1.4)
        axis.set(ylabel="GFLOP/s", xticks=range(len(groups)), xticklabels=[g.replace("_", "\n") for g in groups])
        axis.grid(False, axis="x")
        axis.tick_params(which="both", axis="x", length=0)
        axis.set_title(name)
        legend(axis)
    if title:
        made.suptitle(title)
    return made


def _speed_text(one):
    parts = []
    if one.get("gflops"):
        parts.append(f"{one['gflops']:.3g}")
    if one.get("ns"):
        parts.append(f"{one['ns']:.3g} ns")
    if one.get("gbytes"):
        parts.append(f"{one['gbytes']:.3g} GB/s")
    return "   ".join(parts)


def _color(share):
    return GREEN if share >= 60 else ORANGE if share >= 30 else RED
