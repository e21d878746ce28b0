"""Scaling over ranks: efficiencies, where the time goes, and a model against what was measured."""

from __future__ import annotations

import numpy as np

from .style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, RED, SERIES, figure, legend, styled

PHASES = {"interior": BLUE, "compute": GREEN, "pack": ORANGE, "wait": RED, "reduce": PURPLE, "other": FAINT}


@styled
def scaling(results):
    """Four panels: efficiency of strong (full lines) and weak scaling (dashed) over ranks, the split of a call on two
    ranks, predictions against measurements of points that the model was not fitted to, and efficiencies that it
    predicts.

    `results` is the content of a file that benchmarks/scaling.py wrote. Returns a Figure.
    """
    made, axes = figure(10.4, 7.6, 2, 2)
    plain = [p for p in results["points"] if not p["delay"] and p["network"] == "memory"]
    _efficiency(axes[0, 0], plain)
    _split(axes[0, 1], plain)
    _held_out(axes[1, 0], results["model"]["held_out"])
    _predicted(axes[1, 1], results["prediction"])
    return made


def _efficiency(axis, points):
    cores = [p["ranks"] for p in points if not p["oversubscribed"]]
    for k, name in enumerate(_names(points)):
        for kind, style in (("strong", "-"), ("weak", (0, (4, 2)))):
            chosen = sorted((p["ranks"], _efficiency_of(p, points)) for p in points if _is(p, name, kind))
            best = {ranks: max(e for r, e in chosen if r == ranks) for ranks, _ in chosen}
            if len(best) > 1:
                label = name if kind == "strong" else None
                axis.plot(list(best), list(best.values()), marker="o", ms=4, ls=style, color=SERIES[k], label=label)
    most = max((p["ranks"] for p in points), default=1)
    if cores and most > max(cores):
        axis.axvspan(max(cores) + 0.15, most + 0.3, color=FAINT, alpha=0.18, lw=0)
        axis.annotate("more ranks\nthan cores", (most, 1.0), ha="right", va="top", fontsize=8.5, color=INK)
    axis.axhline(1, color=INK, lw=0.8)
    axis.set(xlabel="ranks", ylabel="efficiency", title="Strong (full) and weak (dashed) scaling", ylim=(0, None))
    axis.set_xticks(sorted({p["ranks"] for p in points}), minor=False)
    axis.legend(loc="lower left")


def _efficiency_of(point, points):
    """Weak: time of a part alone over the time of all; strong: time of the whole on one rank over ranks x time."""
    if point["kind"] == "weak":
        return point["efficiency"]
    one = [p for p in points if _is(p, point["workload"], "strong") and p["ranks"] == 1]
    return one[0]["seconds"] / (point["ranks"] * point["seconds"]) if one else np.nan


def _is(point, name, kind):
    """One rank begins both kinds."""
    if kind == "weak" and point["kind"] == "strong" and point["ranks"] == 1:
        return False
    return point["workload"] == name and point["kind"] == kind


def _names(points):
    return list(dict.fromkeys(p["workload"] for p in points if p["workload"] != "messages" and p["kind"] == "strong"))


def _split(axis, points):
    chosen = [p for p in points if p["kind"] == "strong" and p["ranks"] == 2]
    labels = [f"{p['workload']}\n{'x'.join(map(str, p['grid']))}" for p in chosen]
    rows, left = np.arange(len(chosen)), np.zeros(len(chosen))
    for phase, color in PHASES.items():
        sums = [np.mean([one[phase] for one in p["split"]]) for p in chosen]
        total = [np.mean([sum(one.values()) for one in p["split"]]) for p in chosen]
        share = 100 * np.array(sums) / np.array(total)
        axis.barh(rows, share, left=left, height=0.68, color=color, label=phase)
        left += share
    axis.set(yticks=rows, yticklabels=labels, xlabel="share of a call [%]", xlim=(0, 100), title="Two ranks")
    axis.invert_yaxis()
    axis.grid(False, axis="y")
    axis.tick_params(which="both", axis="y", length=0)
    axis.legend(ncols=6, loc="upper center", bbox_to_anchor=(0.45, -0.16), columnspacing=0.9, handlelength=1.0)


def _held_out(axis, tested):
    kinds = {"delayed messages": lambda p: p["delay"], "limited bandwidth": lambda p: p["rate"]}
    for (label, chosen), color, marker in zip(kinds.items(), (BLUE, ORANGE), "os"):
        some = np.array([(p["seconds"], p["predicted"]) for p in tested if chosen(p)])
        if len(some):
            axis.plot(*(1e3 * some.T), marker, ms=5, color=color, alpha=0.8, label=label)
    if tested:
        ends = 1e3 * np.array([f(p["seconds"] for p in tested) for f in (min, max)]) * (0.7, 1.4)
        axis.plot(ends, ends, color=INK, lw=1)
        axis.fill_between(ends, 0.8 * ends, 1.2 * ends, color=FAINT, alpha=0.25, lw=0, label="within 20 %")
        axis.set(xscale="log", yscale="log")
        axis.legend(loc="upper left")
    axis.set(xlabel="measured [ms]", ylabel="predicted [ms]", title="Model against points held out")


def _predicted(axis, prediction):
    for (name, one), color in zip(prediction["workloads"].items(), SERIES):
        ranks = [line["ranks"] for line in one["lines"]]
        axis.plot(ranks, [line["efficiency"] for line in one["lines"]], marker="o", ms=4, color=color, label=name)
    shape = "x".join(map(str, prediction["shape"]))
    axis.set(xscale="log", xlabel="ranks", ylabel="efficiency", title=f"Predicted, {shape}", ylim=(0, 1.08))
    axis.axhline(1, color=INK, lw=0.8)
    axis.text(0.02, 0.03, prediction["machine"]["name"], transform=axis.transAxes, fontsize=8.5)
    legend(axis)
