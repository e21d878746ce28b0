"""What a comparison of solvers has found: lines, what pays off when, a table, pictures."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from math import ceil
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One solver at one mass on `rhs` right-hand sides at once of one configuration.

    applications : of the operator to every right-hand side; seconds : of a solve for all of them; setup_seconds : what
    the first solve on a new gauge field takes more; training_seconds : of the model that the solver uses
    residual : the true one; converged : 0 if it is not what was asked for
    """

    configuration: str
    mass: float
    solver: str
    rhs: int
    iterations: int
    applications: float
    seconds: float
    setup_seconds: float
    training_seconds: float
    residual: float
    converged: int

    @property
    def seconds_per_rhs(self):
        return self.seconds / self.rhs

    @property
    def place(self):
        """What it shares with the lines that it is compared with."""
        return self.configuration, self.mass, self.rhs


def break_even(line, reference):
    """Right-hand sides from which on setup, training and solves take less than those of the reference; None: never.

    >>> cg = Line("a", -0.5, "cg", 1, 100, 200.0, 2.0, 0.0, 0.0, 1e-11, 1)
    >>> break_even(Line("a", -0.5, "multigrid", 1, 10, 80.0, 0.5, 3.0, 0.0, 1e-11, 1), cg)
    2
    """
    gain = reference.seconds_per_rhs - line.seconds_per_rhs
    if line.solver == reference.solver or not (line.converged and reference.converged) or gain <= 0:
        return None
    extra = line.setup_seconds + line.training_seconds - reference.setup_seconds - reference.training_seconds
    return max(1, ceil(extra / gain))


def references(lines, name):
    """place -> the line of the reference solver."""
    return {line.place: line for line in lines if line.solver == name}


def table(lines, reference):
    """The lines as text, a table per configuration and number of right-hand sides."""
    from rich.console import Console

    known = references(lines, reference)
    out = Console(file=StringIO(), width=160, highlight=False, force_terminal=False)
    for configuration, rhs in dict.fromkeys((line.configuration, line.rhs) for line in lines):
        those = [line for line in lines if (line.configuration, line.rhs) == (configuration, rhs)]
        out.print(_rows(those, known, f"{Path(configuration).name}, {rhs} right-hand side{'s' * (rhs > 1)}"))
    return "\n".join(text.rstrip() for text in out.file.getvalue().splitlines())


def _rows(lines, known, title):
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    made.add_column("mass", justify="right")
    made.add_column("solver")
    for name in ("iterations", "applications", "s per rhs", "times as fast", "setup s", "training s", "pays from rhs"):
        made.add_column(name, justify="right")
    for number, line in enumerate(lines):
        first = number == 0 or lines[number - 1].mass != line.mass
        if first and number:
            made.add_section()
        made.add_row(f"{line.mass:g}" if first else "", line.solver, *_numbers(line, known.get(line.place)))
    return made


def _numbers(line, reference):
    if not line.converged:
        return f"> {line.iterations}", "not converged", f"({line.residual:.0e})"
    faster = f"{reference.seconds_per_rhs / line.seconds_per_rhs:.2f}" if reference and reference.converged else ""
    pays = break_even(line, reference) if reference else None
    return (
        str(line.iterations), f"{line.applications:.0f}", f"{line.seconds_per_rhs:.3g}", faster,
        f"{line.setup_seconds:.2g}", f"{line.training_seconds:.3g}" if line.training_seconds else "",
        "" if pays is None else str(pays),
    )  # fmt: skip


def pictures(lines, critical=None):
    """name -> figure: what every solver costs against the mass."""
    from ..analysis.plots import mass_scan

    few, most = min(line.rhs for line in lines), max(line.rhs for line in lines)
    files = list(dict.fromkeys(line.configuration for line in lines))
    shown = {
        "iterations": ("iterations", few, lambda line: line.iterations),
        "applications": ("operator applications", few, lambda line: line.applications),
        "seconds": (f"seconds per rhs ({most} at once)", most, lambda line: line.seconds_per_rhs),
    }
    made = {}
    for name, (label, rhs, value) in shown.items():
        panels = {Path(file).name: _curves(lines, file, rhs, value) for file in files}
        made[name] = mass_scan(panels, label, critical)
    return made


def _curves(lines, file, rhs, value):
    """solver -> (masses, values) of what converged."""
    curves = {}
    for line in lines:
        if line.configuration == file and line.rhs == rhs and line.converged:
            masses, values = curves.setdefault(line.solver, ([], []))
            masses.append(line.mass)
            values.append(value(line))
    return curves
