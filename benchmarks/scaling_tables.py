"""The tables of docs/scaling.md, printed from the newest benchmarks/results/scaling-*.json, or from a named file:

    python benchmarks/scaling_tables.py [FILE.json]

tests/unit/test_scaling_page.py holds the page to them.
"""

import json
import sys
from pathlib import Path

from tables import head, newest, row

SHOWN = (8, 64, 512, 4096)  # ranks of predictions


def tables(found):
    """All of them, by what they show."""
    return {
        "goals": goals(found),
        "strong scaling": strong(found),
        "fits": fits(found["model"]["fits"]),
        "held out": held_out(found["model"]["errors"]),
        "prediction": prediction(found["prediction"]["workloads"]),
    }


def goals(found):
    """What must hold, what was measured, and in how many of the jobs."""
    lines = head("line", "goal", "measured (median)", "single jobs")
    for one in found["goals"]:
        single = " ".join(f"{100 * value:.0f}" for value in one["values"])
        value = f"{100 * one['value']:.0f} %"
        measured = value if one["value"] >= one["goal"] else f"**{value}**"
        lines.append(row(one["what"], f"{100 * one['goal']:.0f} %", measured, single))
    return lines


def strong(found):
    """Milliseconds and efficiencies of one lattice over ranks."""
    plain = [p for p in found["points"] if p["kind"] == "strong" and p["network"] == "memory" and not p["delay"]]
    lines = head("workload", "1 rank, ms", "2 ranks, ms", "efficiency", "split over x instead", "four ranks*")
    for name in dict.fromkeys(p["workload"] for p in plain):
        seconds = {tuple(p["grid"]): p["seconds"] for p in plain if p["workload"] == name}
        one = seconds[1, 1, 1, 1]
        four = min(t for grid, t in seconds.items() if sorted(grid)[-1] in (2, 4) and sum(grid) > 5)
        shares = [one / (2 * seconds[1, 1, 1, 2]), one / (2 * seconds[2, 1, 1, 1]), one / (4 * four)]
        times = (f"{1e3 * t:.3g}" for t in (one, seconds[1, 1, 1, 2]))
        lines.append(row(f"`{name}`", *times, *(f"{share:.2f}" for share in shares)))
    _, two, *more = sorted(found["training"], key=lambda each: each["ranks"])
    times = (f"{1e3 * two['seconds'][name]:.3g}" for name in ("one", "shared"))
    shares = [f"{each['speedup'] / each['ranks']:.2f}" for each in (two, *more)]
    return [*lines, row("`training`", *times, shares[0], "", *shares[1:])]


def fits(found):
    """Parameters with their errors."""
    units = {"overhead": (1e6, "us"), "handling": (1e-9, "GB/s"), "reduction": (1e3, "ms"), "latency": (1e6, "us")}
    lines = head("fit", *units, "points", "spread")
    for network, one in found.items():
        errors, values = one["relative_errors"], one["parameters"]
        cells = [
            f"{values[name] * factor:.2g} {unit} +- {100 * errors[name]:.0f} %" if errors[name] else "not fixed"
            for name, (factor, unit) in units.items()
        ]
        lines.append(row(network, *cells, one["points"], f"{100 * one['spread']:.0f} %"))
    return lines


def held_out(errors):
    """How far predictions are from what was measured and not fitted."""
    lines = head("held out", "points", "median error", "worst")
    for name, one in [*((n, e) for n, e in errors.items() if isinstance(e, dict)), ("all", errors)]:
        lines.append(row(name, one["points"], f"{100 * one['median']:.0f} %", f"{100 * one['worst']:.0f} %"))
    return lines


def prediction(workloads):
    """Milliseconds and efficiency over ranks."""
    lines = head("ranks", *SHOWN)
    for name, one in workloads.items():
        told = {line["ranks"]: line for line in one["lines"] if line["ranks"] in SHOWN}
        lines.append(row(f"`{name}`, ms", *(f"{1e3 * told[n]['seconds']:.3g}" for n in SHOWN)))
        lines.append(row(f"`{name}`, efficiency", *(f"{told[n]['efficiency']:.2f}" for n in SHOWN)))
    return lines


if __name__ == "__main__":
    chosen = json.loads(Path(sys.argv[1]).read_text()) if sys.argv[1:] else newest("scaling-*.json")
    for title, lines in tables(chosen).items():
        print(f"{title}\n\n" + "\n".join(lines) + "\n")
