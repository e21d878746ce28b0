"""`lqcd-hpc bench solver`: whole solves, and one iteration of them looped in C."""

from __future__ import annotations

from itertools import product
from statistics import median

from ..output import table
from . import dirac, ranks, results, solvers
from .machine import Machine
from .subject import write_volume
from .timing import in_turn

VOLUMES = ("8,8,8,8", "16,16,16,16")


def measure(request, comm):
    """Header and "lines": one per volume, right-hand sides, operator, solver and precision. Collective."""
    wanted = dirac.chosen(request.operators, sorted({case.operator for case in solvers.CASES}))
    precisions, rhs = request.precisions or ("double", "mixed"), request.rhs or (1,)
    inner = sorted({solvers.INNER[precision] for precision in precisions})
    found = results.header(request.command(comm.size), Machine(request.threads, inner[0], comm)) | {"lines": []}
    cases = [case for case in solvers.CASES if case.operator in wanted]
    for shape in request.shapes:
        U = solvers.links(shape, request.threads, comm)
        machines = {name: Machine(request.threads, name, comm) for name in inner}  # anew: bandwidth drifts
        for copies, case in product(rhs, cases):
            found["lines"] += lines(case, U, precisions, copies, machines)
    if request.ranks and comm.size == 1:
        found["lines"] += ranks.job(request.ranks, request)
    return found


def lines(case, U, precisions, copies, machines):
    """One line per precision; solves and loops of all of them take turns."""
    comm = U.lattice.comm
    made = [solvers.Solve(case, U, precision, copies) for precision in precisions]
    runs = {(one, name): getattr(one, name) for one in made for name in ("run", "loop", "iterate")}
    runs = {key: run for key, run in runs.items() if run}
    times = dict(zip(runs, in_turn(list(runs.values()), comm)))
    return [_line(one, machines[solvers.INNER[one.precision]], times, comm) for one in made]


def _line(one, machine, times, comm):
    """The line of a solve from the times of what it runs."""
    seconds, flops, traffic = median(times[one, "run"]), one.count.flops * one.units, one.count.bytes * one.units
    each = seconds / one.iterations
    return {
        "operator": one.case.operator,
        "solver": one.case.solver,
        "precision": one.precision,
        "volume": list(one.shape),
        "ranks": comm.size,
        "threads": machine.threads,
        "rhs": one.copies,
        "gflops": flops / each / 1e9,
        "gbytes": traffic / each / 1e9,
        "ns_per_site": each * 1e9 / one.units,
        "roofline_fraction": flops / each / machine.limit(flops, traffic, one.working_set),
        "flops_per_site": one.count.flops,
        "bytes_per_site": one.count.bytes,
        "flops_counted": one.count.how,
        "iterations": one.iterations,
        "seconds": seconds,
        "residual": one.residual,
        "tol": one.tol,
    } | _iteration(one, times, each)


def _iteration(one, times, each):
    """What one iteration costs in a loop in C, what it costs more as solvers run it, and what a whole solve adds."""
    if one.loop is None:
        return {"loop_ns_per_site": None, "launch_overhead_percent": None, "solve_overhead_percent": None}
    loops, iterates = times[one, "loop"], times[one, "iterate"]
    launching = median(i / solvers.ITERATIONS / c for i, c in zip(iterates, loops))
    return {
        "loop_ns_per_site": median(loops) * 1e9 / one.units,
        "launch_overhead_percent": 100 * (launching - 1),
        "solve_overhead_percent": 100 * (each / median(loops) - 1),
    }


document, picture = dirac.document, dirac.picture


def tables(found):
    """What is printed of the results."""
    more = [
        (">iterations", lambda line: str(line["iterations"])),
        (">seconds", lambda line: f"{line['seconds']:.3g}"),
        (">launches", lambda line: _percent(line["launch_overhead_percent"])),
        (">solve", lambda line: _percent(line["solve_overhead_percent"])),
    ]
    yield results.fermion_table(found["lines"], dirac.label, *more)
    rows = table("time to solution", "lattice", "variant", "against", ">times as fast")
    for line, what, ratio in comparisons(found["lines"]):
        rows.add_row(dirac.label(line), write_volume(line["volume"]), dirac.variant(line), what, f"{ratio:.2f}")
    if rows.row_count:
        yield rows


def _percent(value):
    return "" if value is None else f"{value:+.1f} %"


def comparisons(lines):
    """(line, what it is compared with, how many times as fast per solution): mixed precision against double, many
    right-hand sides against one, all shifts against the first alone.
    """
    by_key = {_key(line): line for line in lines}
    for line in lines:
        for what, change in (
            ("double precision", {"precision": "double"} if line["precision"] == "mixed" else None),
            ("one right-hand side", {"rhs": 1} if line["rhs"] > 1 else None),
            ("one shift", {"solver": "one shift"} if line["solver"] == "all shifts" else None),
        ):
            other = by_key.get(_key(line | change)) if change else None
            if other:
                ratio = other["seconds"] / other["rhs"] / (line["seconds"] / line["rhs"])
                yield line, what, ratio


def _key(line):
    names = ("operator", "solver", "precision", "ranks", "rhs")
    return (*(line[name] for name in names), tuple(line["volume"]))
