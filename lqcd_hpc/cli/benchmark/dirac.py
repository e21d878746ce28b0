"""`lqcd-hpc bench dirac`: Dirac operators of SU(3) in four dimensions."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import product
from statistics import median

from ...errors import LqcdError
from . import operators, ranks, results
from .machine import Machine
from .subject import write_volume
from .timing import in_turn

VOLUMES = ("8,8,8,8", "16,16,16,16", "24,24,24,24", "16,16,16,32")


def measure(request, comm):
    """Header and "lines": one per volume, precision, number of right-hand sides and operator. Collective."""
    names = chosen(request.operators, operators.CASES)
    precisions, rhs = request.precisions or ("single", "double"), request.rhs or (1,)
    found = results.header(request.command(comm.size), Machine(request.threads, precisions[0], comm)) | {"lines": []}
    for shape, precision, copies in product(request.shapes, precisions, rhs):
        machine = Machine(request.threads, precision, comm)  # anew: bandwidth drifts
        found["lines"] += lines(names, shape, precision, copies, machine, comm)
    if request.ranks and comm.size == 1:
        found["lines"] += ranks.job(request.ranks, request)
    return found


def chosen(names, known):
    """These names, or all. Raises `LqcdError` for one that is not known."""
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise LqcdError(f"unknown operator {name!r}: {hint}choose from {', '.join(known)}")
    return names or tuple(known)


def lines(names, shape, precision, copies, machine, comm):
    """The lines of operators on one lattice; they are timed in turn, on several ranks also against rank 0 alone."""
    subjects = operators.subjects(names, shape, precision, copies, machine.threads, comm)
    alone = operators.alone(names, shape, precision, copies, machine.threads, comm) if comm.size > 1 else []
    times = in_turn([one.run for one in [*subjects, *alone]], comm)
    seconds = [median(one) for one in times]
    made = []
    for k, (name, subject) in enumerate(zip(names, subjects)):
        limit, speed = subject.limit(machine), subject.flops / seconds[k]
        made.append({
            "operator": name,
            "precision": precision,
            "volume": list(shape),
            "ranks": comm.size,
            "threads": machine.threads,
            "rhs": copies,
            "gflops": speed / 1e9,
            "gbytes": subject.traffic / seconds[k] / 1e9,
            "ns_per_site": seconds[k] * 1e9 / subject.units,
            "roofline_fraction": speed / limit,
            "flops_per_site": subject.count.flops,
            "bytes_per_site": subject.count.bytes,
            "flops_counted": subject.count.how,
        })  # fmt: skip
        if alone:
            one = subject.flops / seconds[len(subjects) + k]
            made[-1] |= {"one_rank_gflops": one / 1e9, "expected_fraction": speed / min(comm.size * one, limit)}
    return made


def document(found):
    """What `--json` prints: the lines, each with date, processor and command."""
    common = {key: found[key] for key in ("date", "processor", "device", "command")}
    return [common | line for line in found["lines"]]


def tables(found):
    """What is printed of the results."""
    several = any("expected_fraction" in line for line in found["lines"])
    yield results.fermion_table(found["lines"], label, *([(">of expected", _expected)] if several else []))


def _expected(line):
    return f"{100 * line['expected_fraction']:.0f} %" if "expected_fraction" in line else ""


def label(line):
    """Operator (and solver) of a line."""
    return " ".join(line[key] for key in ("operator", "solver") if key in line)


def picture(found):
    """GFLOP/s of every operator and volume against the roofline, as a Figure."""
    from ...analysis import plots

    panels = {}
    for line in found["lines"]:
        group = panels.setdefault(variant(line), {}).setdefault(label(line), {})
        group[write_volume(line["volume"])] = line["gflops"], line["gflops"] / line["roofline_fraction"]
    return plots.speed_groups(panels, found["processor"])


def variant(line):
    """Precision, right-hand sides and ranks in few words."""
    words = [line["precision"]] + ([f"{line['rhs']} rhs"] if line["rhs"] > 1 else [])
    return ", ".join(words + ([f"{line['ranks']} ranks"] if line["ranks"] > 1 else []))
