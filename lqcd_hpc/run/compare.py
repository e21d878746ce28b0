"""Set solvers side by side on stored configurations: iterations, operator applications, seconds, what a setup costs.

Every solver meets the same sources. It solves once so that its kernels are there, and then on a copy of the gauge field
that it has never seen: the first solve has the setup in it, the median of the further ones has not.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from statistics import median

from ..backend.program import RandomKey
from ..errors import Terminated
from ..fields.counting import counting
from ..fields.kinds import group_name
from ..fields.noise import draw_signs
from ..io import inspect_header
from ..io.atomic import replacing
from ..io.collective import on_root
from ..io.configuration import load
from ..lattice import Lattice, SerialCommunicator
from ..operators.applications import applications
from ..solvers.solution import NotConverged
from . import journal
from .collect import collect, versions
from .comparison import Line, break_even, pictures, references, table
from .files import files_of
from .progress import Progress
from .termination import noticed

NAME, RESULT = "comparison", "comparison.json"
ENOUGH = 20.0  # seconds after which a solve is not repeated any more


def compare(run, directory, comm, say=print):
    """Measure what the journal does not hold yet; then the table, comparison.json and pictures. Collective.

    Raises `Terminated` at a signal, after a solve.
    """
    files, given = on_root(comm, lambda: files_of(run.source.files)), run.lattice
    header = on_root(comm, lambda: inspect_header(files[0], tuple(given.shape) if given else None))
    options = (given.ranks, given.boundary, 1, comm, given.threads) if given else (None, None, 1, comm)
    lattice = Lattice(header.shape, *options)
    directory.bind(run, _identity(run), lattice.ranks, lattice.shape, group_name(header.nc))
    with noticed() as came:
        lines = _measure(run, directory.path, files, lattice, came)
    on_root(comm, lambda: _finish(run, directory.path, lines, say))


def _identity(run):
    """What must not change between the parts of a comparison; masses and solvers may be added."""
    return {"operator": repr(run.tables["operator"]), "random": repr(run.random)}


def _measure(run, path, files, lattice, came):
    """The lines of all configurations, masses, numbers of right-hand sides and solvers."""
    comm = lattice.comm
    known, length = on_root(comm, lambda: _known(path))
    book = journal.Journal(path / journal.NAME, comm.rank == 0, length)
    wanted = [
        (file, k, contender, rhs)
        for file in files
        for k in range(len(run.compare.masses))
        for rhs in run.compare.rhs
        for contender in run.contenders
        if rhs in contender.rhs
    ]
    progress, lines, warm, loaded = Progress(len(wanted), 0, comm.rank == 0), [], set(), (None, None)
    try:
        for step, (file, k, contender, rhs) in enumerate(wanted, 1):
            key = _key(file, run.compare.masses[k], contender.name, repr(contender.solvers[k]), rhs)
            if key not in known:
                if wish := comm.allreduce(came(), "max"):
                    done = f"{step - 1} of {len(wanted)} solves"
                    raise Terminated(wish, f"the comparison ended after {done}; start it again to go on")
                if loaded[0] != file:
                    loaded = file, load(file, lattice)[0]
                trial = Trial(run.operators[k], contender.solvers[k], loaded[1], rhs, run.random)
                first = (contender.name, rhs) not in warm
                warm.add((contender.name, rhs))
                known[key] = _about(key, contender.solvers[k]) | trial.measured(first, run.compare.repeats)
                book.append(step, NAME, known[key] | {"description": key[3]})
                book.sync()
            lines.append(Line(**{name: known[key][name] for name in Line.__dataclass_fields__}))
            progress.show(step, {"": contender.name, "mass": f"{lines[-1].mass:g}", "iterations": lines[-1].iterations})
    finally:
        progress.close()
        book.close()
    return lines


def _key(file, mass, name, description, rhs):
    return file, mass, name, description, rhs


def _known(path):
    """Results by their keys from the journal, and its length."""
    name, found, length = path / journal.NAME, {}, 0
    for record in journal.read(name) if name.exists() else []:
        values = record["values"]
        length += len(journal.line(record))
        key = _key(*(values[k] for k in ("configuration", "mass", "solver", "description", "rhs")))
        found[key] = values
    return found, length


def _about(key, solver):
    file, mass, name, _, rhs = key
    return {
        "configuration": file, "mass": mass, "solver": name, "rhs": rhs, "training_seconds": training_seconds(solver),
    }  # fmt: skip


def training_seconds(solver):
    """Core-seconds of the training of the model that a solver, or one inside it, uses; 0 without one."""
    inner = [getattr(solver, name) for name in getattr(solver, "__dataclass_fields__", ())]
    own = getattr(solver, "training_seconds", 0.0)
    return own + sum(training_seconds(one) for one in inner)


class Trial:
    """One solver for one operator on the sources of one gauge field."""

    def __init__(self, operator, solver, U, rhs, random):
        self.operator, self.solver, self.U, self.rhs = operator, solver, U, rhs
        self._key = RandomKey(random.seed, random.stream, 0)

    def measured(self, first, repeats):
        """Columns of a `Line`; `first` : its kernels may have to be compiled yet."""
        if first:
            self._solve(self._operator())
        D = self._operator()
        seconds, solution, converged, used = self._solve(D)
        times = []
        while len(times) < repeats and (not times or sum(times) < ENOUGH):
            again, solution, converged, used = self._solve(D)
            times.append(again)
        return {
            "iterations": solution.iterations,
            "applications": used,
            "seconds": median(times),
            "setup_seconds": max(0.0, seconds - median(times)),
            "residual": solution.residual,
            "converged": int(converged),
        }

    def _operator(self):
        """The operator on a copy of the gauge field, for which nothing has been made ready."""
        return self.operator.on(self.U.copy())

    def _solve(self, D):
        """(seconds, solution, whether it is one, applications of the operator to every right-hand side)."""
        b, converged = D.vector(self.rhs), True
        draw_signs(b, self._key)
        comm = D.lattice.comm
        comm.barrier()
        with counting() as counts:
            start = time.perf_counter()
            try:
                solution = self.solver(D, b)
            except NotConverged as error:
                solution, converged = error.solution, False
            seconds = comm.allreduce(time.perf_counter() - start, "max")
        return seconds, solution, converged, applications(counts, D, self.rhs)


def _pays(line, known):
    return break_even(line, known[line.place]) if line.place in known else None


def _finish(run, path, lines, say):
    """The table, and files for programs and people."""
    from ..analysis.plots import encode

    known = references(lines, run.compare.reference)
    content = {"run_toml": run.text, "versions": versions(), "reference": run.compare.reference}
    content["lines"] = [asdict(line) | {"break_even": _pays(line, known)} for line in lines]
    with replacing(path / RESULT, SerialCommunicator()) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")
    say(table(lines, run.compare.reference))
    say(f"results: {path / RESULT}, {collect(path)}")
    for name, figure in pictures(lines, run.compare.critical).items():
        (path / f"{name}.png").write_bytes(encode(figure, "png"))
        say(f"picture: {path / f'{name}.png'}")
