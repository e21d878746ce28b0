"""The tables of docs/performance.md, printed from the newest files of benchmarks/results:

    python benchmarks/tables.py

tests/unit/test_performance_page.py holds the page to them.
"""

import json
from pathlib import Path

RESULTS = Path(__file__).with_name("results")
RIVALS = ("plain torch", "normflows", "nflows", "zuko")


def newest(pattern):
    """The content of the last file of a kind, by date."""
    found = [json.loads(path.read_text()) for path in RESULTS.glob(pattern)]
    return max(found, key=lambda one: one.get("date", ""))


def tables():
    """All of them, by what they show."""
    gauge, flows, dirac = newest("20*.json"), newest("flows-*.json"), newest("dirac-*.json")
    return {
        "Dirac operators": dirac_operators(dirac["lines"]),
        "Dirac goals": dirac_goals(dirac["goals"]),
        "gauge kernels": gauge_kernels(gauge),
        "flows": flow_speeds(flows),
        "solvers": solvers(newest("preconditioner-compare-*.json")),
    }


def dirac_operators(lines):
    """GFLOP/s and share of the roofline of every operator on one core, by volume and number of right-hand sides."""
    known = {}
    for one in lines:
        if one["ranks"] == 1 and "solver" not in one:
            known[one["operator"], one["precision"], tuple(one["volume"]), one["rhs"]] = one
    columns = list(dict.fromkeys((volume, rhs) for _, _, volume, rhs in known))
    titles = [f"{volume[0]}^4" + (f", {rhs} right-hand sides" if rhs > 1 else "") for volume, rhs in columns]
    table = head("operator", "precision", *titles)
    for name, precision in dict.fromkeys(key[:2] for key in known):
        found = [known[name, precision, volume, rhs] for volume, rhs in columns]
        cells = (f"{one['gflops']:.1f}, {100 * one['roofline_fraction']:.0f} %" for one in found)
        table.append(row(f"`{name}`", precision, *cells))
    return table


def dirac_goals(found):
    """Goals as they scale to the machine, what was measured, and the ratio: one or more where a goal is met."""
    table = head("operator", "lattice", "precision", "figure", "goal here", "measured", "ratio")
    for one in found:
        ratio = f"{one['ratio']:.2f}" if one["ratio"] >= 1 else f"**{one['ratio']:.2f}**"
        figure = "GFLOP/s" if one["figure"] == "gflops" else "ns per site"
        names = one["operator"], f"{one['volume'][0]}^4", one["precision"], figure
        table.append(row(*names, f"{one['scaled']:.1f}", f"{one['value']:.1f}", ratio))
    return table


def gauge_kernels(found):
    """Nanoseconds, GFLOP/s and share of the roofline of every kernel, for each volume."""
    volumes = list(dict.fromkeys(one["variant"] for one in found["kernels"]))
    speeds = {(one["name"], one["variant"]): one for one in found["kernels"]}
    columns = [cell for v in volumes for cell in (f"{v.split()[0]}: ns", "GFLOP/s", "of the roofline")]
    lines = head("kernel", "per", *columns)
    for name in dict.fromkeys(one["name"] for one in found["kernels"]):
        entries = [speeds[name, volume] for volume in volumes]
        cells = [f"{e['ns']:.0f} | {e['gflops']:.1f} | {e['roofline']:.0f} %" for e in entries]
        lines.append(row(name, entries[0]["unit"], *cells))
    return lines


def flow_speeds(found):
    """What ours does in a second, and the time of the others over ours."""
    ours = [one for one in found["lines"] if one["implementation"] == "lqcd_hpc"]
    ratios = {(one["model"], one["task"], one["implementation"]): one["ratio"] for one in found["lines"]}
    versions = found["versions"]
    names = [f"{name} {versions[name]}" if name in versions else name for name in RIVALS]
    lines = head("model", "task", "batch", "ours", *names)
    for one in ours:
        others = [ratios.get((one["model"], one["task"], name)) for name in RIVALS]
        digits = 0 if one["per_second"] > 100 else 1
        speed = f"{one['per_second']:.{digits}f} {one['unit']}/s"
        cells = ["" if ratio is None else f"{ratio:.1f}" for ratio in others]
        lines.append(row(one["title"], one["task"], one["batch"], speed, *cells))
    return lines


def solvers(found):
    """Iterations and seconds per right-hand side of every solver, for each mass and number of right-hand sides."""
    names = list(dict.fromkeys(one["solver"] for one in found["lines"]))
    entries = {(one["mass"], one["rhs"], one["solver"]): one for one in found["lines"]}
    lines = head("bare mass", "right-hand sides", *names)
    for mass, rhs in sorted({key[:2] for key in entries}, reverse=True, key=lambda key: (key[0], -key[1])):
        found_here = [entries[mass, rhs, name] for name in names]
        cells = [f"{one['iterations']} its, {one['seconds'] / rhs:.2f} s" for one in found_here]
        lines.append(row(mass, rhs, *cells))
    return lines


def head(*cells):
    """The first two lines of a table."""
    return [row(*cells), "|" + " --- |" * len(cells)]


def row(*cells):
    """A line of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    for title, lines in tables().items():
        print(f"{title}\n\n" + "\n".join(lines) + "\n")
