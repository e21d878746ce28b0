"""Solvers with and without multilevel preconditioners on one core: benchmarks/results/preconditioners-<date>.json.

    python benchmarks/preconditioners.py [--sample lat.sample.l8888] [--folder preconditioner-runs] [--only NAME ..]

Runs jobs/preconditioner-compare*.toml in the folder, on configurations that jobs/preconditioner-configurations*.toml
make there first (seeds fix their bits), and jobs/preconditioner-sample.toml on MILC's sample configuration of 8^4 sites
if its file is given. Whatever is there already is not made again: a run that was ended goes on.

Goals: at the last mass of a scan and 12 right-hand sides, multigrid is at least 3 times as fast as even-odd CG and
even-odd BiCGStab, and the learned one takes at most twice its time; iterations of both vary by less than 20 % while
those of FGMRES grow at least 3 times. On the sample: setup and solve in 1.4 s, the solve in 0.2 s (DDalphaAMG on a like
field: 1.19 + 0.31 s, its CG 1.05 s).
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

from lqcd_hpc.cli.benchmark import results
from lqcd_hpc.cli.benchmark.machine import Machine
from lqcd_hpc.cli.output import console, table
from lqcd_hpc.config import load
from lqcd_hpc.run import execute

JOBS, RESULTS = Path(__file__).resolve().parents[1] / "jobs", Path(__file__).resolve().parent / "results"
SCANS = {  # comparison: what makes its configurations
    "preconditioner-compare": "preconditioner-configurations",
    "preconditioner-compare-b57": "preconditioner-configurations-b57",
}
SAMPLE = "preconditioner-sample"
CLASSICAL, LEARNED, PLAIN = "multigrid", "learned multigrid", "FGMRES"
RIVALS = "even-odd CG", "even-odd BiCGStab"


def compared(name):
    """The lines of a comparison, run in this folder."""
    execute(JOBS / f"{name}.toml")
    return json.loads((Path(load(JOBS / f"{name}.toml").output.directory) / "comparison.json").read_text())["lines"]


def scan_goals(lines):
    """(what, value, goal) of a mass scan: times at its last mass and most right-hand sides, growth over all masses."""
    last = lines[-1]
    at_end = {one["solver"]: one for one in lines if all(one[k] == last[k] for k in ("configuration", "mass", "rhs"))}
    solved = {name: one["seconds"] for name, one in at_end.items() if one["converged"]}
    if CLASSICAL in solved:
        for rival in RIVALS:
            if rival in solved:
                yield f"{CLASSICAL}: times as fast as {rival}", solved[rival] / solved[CLASSICAL], ">= 3"
        if LEARNED in solved:
            yield f"{LEARNED}: seconds over those of {CLASSICAL}", solved[LEARNED] / solved[CLASSICAL], "<= 2"
    for name, goal in ((CLASSICAL, "< 1.2"), (LEARNED, "< 1.2"), (PLAIN, ">= 3")):
        counts = [one["iterations"] for one in lines if one["solver"] == name and one["rhs"] == lines[0]["rhs"]]
        if counts:
            yield f"{name}: most over fewest iterations", max(counts) / min(counts), goal


def sample_goals(lines):
    """(what, value, goal) of the sample configuration."""
    for one in lines:
        if one["solver"] in (CLASSICAL, LEARNED):
            yield f"{one['solver']}: seconds of a solve", one["seconds"], "<= 0.2"
            yield f"{one['solver']}: seconds of setup and solve", one["setup_seconds"] + one["seconds"], "<= 1.4"


def main(folder, sample, only):
    """Make what is not there, compare, print goals, write the file."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found = results.header(" ".join(["python", *sys.argv]), Machine(1, "single"))
    sample = sample and Path(sample).resolve()
    Path(folder).mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    found |= {"comparisons": {}, "goals": []}
    for name, source in SCANS.items():
        if not only or name in only:
            execute(JOBS / f"{source}.toml")
            note(found, name, scan_goals)
    if sample:
        shutil.copy(sample, "lat.sample.l8888")
        note(found, SAMPLE, sample_goals)
    show(found)
    print(results.write(found, RESULTS, "preconditioners"))


def note(found, name, goals):
    """Add a comparison and how it meets its goals."""
    lines = found["comparisons"][name] = compared(name)
    found["goals"] += [{"run": name, "what": w, "value": v, "goal": goal} for w, v, goal in goals(lines)]


def show(found):
    """Print the goals."""
    rows = table("run", "what", ">measured", ">goal")
    for one in found["goals"]:
        rows.add_row(one["run"], one["what"], f"{one['value']:.2f}", one["goal"])
    console().print(rows)


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("--folder", default="preconditioner-runs")
    words.add_argument("--sample")
    words.add_argument("--only", nargs="*", default=[])
    given = words.parse_args()
    main(given.folder, given.sample, given.only)
