"""Speed of Dirac operators and solvers on this machine against goals; writes benchmarks/results/dirac-<date>.json.

    python benchmarks/dirac.py [--quick]        --quick: 8^4 only, one right-hand side

Everything is measured by `lqcd-hpc bench dirac` and `lqcd-hpc bench solver` (lqcd_hpc/cli/benchmark/): volumes 8^4,
16^4 and 24^4, both precisions, 1 and 2 ranks, 1 and 12 right-hand sides; solvers with one on 8^4, and on 16^4 where
there is a goal. Ten minutes on two free cores. Goals were set on a processor of 58.4 GFLOP/s (double precision) and
27 GB/s per core; elsewhere those at 8^4 scale with the multiply-add peak, the others with the read bandwidth.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from lqcd_hpc.cli.benchmark import dirac, results, solver, solvers
from lqcd_hpc.cli.benchmark.machine import Machine
from lqcd_hpc.cli.benchmark.request import Request
from lqcd_hpc.cli.benchmark.subject import write_volume
from lqcd_hpc.cli.output import console, table
from lqcd_hpc.lattice.communicator import world

RESULTS = Path(__file__).parent / "results"
GOAL_PEAK, GOAL_BANDWIDTH = 58.4e9, 27e9  # of one core, double precision
SMALL, LARGE = [8] * 4, [16] * 4


@dataclass(frozen=True)
class Goal:
    """A figure of the lines with these keys: GFLOP/s (at least) or ns per site (at most), at 8^4 and at 16^4.

    Of a solver, ns per site and iteration: of a whole solve (ns_per_site) or of the iteration alone (loop_ns_per_site).
    """

    keys: dict
    figure: str
    small: float
    large: float

    def scaled(self, volume, peak, bandwidth):
        """The goal for a machine of this peak and bandwidth."""
        factor = peak / GOAL_PEAK if volume == SMALL else bandwidth / GOAL_BANDWIDTH
        goal = self.small if volume == SMALL else self.large
        return goal * factor if self.figure == "gflops" else goal / factor

    def ratio(self, value, goal):
        """How far the goal is met: at least 1 if it is."""
        return value / goal if self.figure == "gflops" else goal / value


def _goals(keys, figure, single, double):
    return [Goal(keys | {"precision": p}, figure, *pair) for p, pair in (("single", single), ("double", double))]


GOALS = [
    *_goals({"operator": "wilson_hop", "solver": None}, "gflops", (70, 42), (36, 18)),
    *_goals({"operator": "clover", "solver": None}, "ns_per_site", (40, 65), (75, 140)),
    *_goals({"operator": "staggered", "solver": None}, "gflops", (62, 32), (28, 14)),
    *_goals({"operator": "wilson", "solver": "normal"}, "loop_ns_per_site", (50, 100), (105, 215)),
    Goal({"operator": "clover", "solver": "normal", "precision": "mixed"}, "ns_per_site", 105, 170),
]


def judged(lines, peak, bandwidth):
    """(line, goal, scaled goal, value, ratio) for every line of one rank and one right-hand side that has a goal."""
    for goal in GOALS:
        for line in lines:
            alone = line["ranks"] == line["rhs"] == 1 and line["volume"] in (SMALL, LARGE)
            if alone and all(line.get(key) == value for key, value in goal.keys.items()):
                wanted = goal.scaled(line["volume"], peak, bandwidth)
                yield line, goal, wanted, line[goal.figure], goal.ratio(line[goal.figure], wanted)


def statements(lines):
    """(line, what is compared, value): 24^4 against 16^4, right-hand sides together, ranks against what is expected."""
    for line in lines:
        if line["volume"] == [24] * 4 and (other := _other(lines, line, volume=LARGE)):
            yield line, "GFLOP/s of 24^4 over 16^4", line["gflops"] / other["gflops"]
        if line["rhs"] > 1 and (other := _other(lines, line, rhs=1)):
            yield line, f"GFLOP/s of {line['rhs']} right-hand sides over 1", line["gflops"] / other["gflops"]
        if "expected_fraction" in line:
            yield line, "over the lower of ranks x one rank and the roofline", line["expected_fraction"]
        if line.get("launch_overhead_percent") is not None:
            yield line, "launching an iteration, over the loop in C [%]", line["launch_overhead_percent"]
    for line, what, ratio in solver.comparisons([line for line in lines if "solver" in line]):
        yield line, f"time to solution: times as fast as {what}", ratio


def _other(lines, line, **change):
    wanted = line | change
    names = ("operator", "solver", "precision", "ranks", "rhs", "volume")
    return next((one for one in lines if all(one.get(n) == wanted.get(n) for n in names)), None)


def main(quick):
    """Measure, print the tables, write the file."""
    comm = world()
    volumes = ("8,8,8,8",) if quick else ("8,8,8,8", "16,16,16,16", "24,24,24,24")
    rhs = (1,) if quick else (1, 12)
    both = ("single", "double")
    found = dirac.measure(Request("dirac", volumes, both, rhs=rhs, ranks=2), comm)
    results.show(found, dirac.tables(found))
    solved = solver.measure(Request("solver", volumes[:1], (*both, "mixed")), comm)
    solved["lines"] += [] if quick else large_solves(comm)
    results.show(solved, solver.tables(solved))
    found["lines"] += solved["lines"]
    found["command"] = " ".join(["python", *sys.argv])
    alone = Machine(1, "double")
    peak, bandwidth = alone.peak, alone.bandwidth(2**28)
    found["goals"] = [
        {"operator": dirac.label(line), "precision": line["precision"], "volume": line["volume"],
         "figure": goal.figure, "goal": goal.small if line["volume"] == SMALL else goal.large, "scaled": wanted,
         "value": value, "ratio": ratio}
        for line, goal, wanted, value, ratio in judged(found["lines"], peak, bandwidth)
    ]  # fmt: skip
    found["statements"] = [
        {"operator": dirac.label(line), "variant": dirac.variant(line), "volume": line["volume"], "what": what,
         "value": value}
        for line, what, value in statements(found["lines"])
    ]  # fmt: skip
    show(found, peak / GOAL_PEAK, bandwidth / GOAL_BANDWIDTH)
    print(results.write(found, RESULTS, "dirac"))


def large_solves(comm):
    """The lines of the solves on 16^4 that have goals."""
    U, machines = solvers.links(LARGE, 1, comm), {name: Machine(1, name, comm) for name in ("single", "double")}
    cases = {case.operator: case for case in solvers.CASES if case.solver == "normal"}
    lines = solver.lines(cases["wilson"], U, ("single", "double"), 1, machines)
    return lines + solver.lines(cases["clover"], U, ("mixed",), 1, machines)


def show(found, peak, bandwidth):
    """Print goals and statements."""
    title = f"goals, scaled by {peak:.2f} at 8^4 (multiply-add peak) and {bandwidth:.2f} above (read bandwidth)"
    rows = table("operator", "lattice", "precision", "figure", ">goal", ">scaled", ">measured", ">ratio", title=title)
    for one in found["goals"]:
        numbers = (f"{one[name]:.1f}" for name in ("goal", "scaled", "value"))
        names = one["operator"], write_volume(one["volume"]), one["precision"], one["figure"]
        rows.add_row(*names, *numbers, f"{one['ratio']:.2f}")
    console().print(rows)
    rows = table("operator", "lattice", "variant", "statement", ">value")
    for one in found["statements"]:
        names = one["operator"], write_volume(one["volume"]), one["variant"], one["what"]
        rows.add_row(*names, f"{one['value']:.2f}")
    console().print(rows)


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
