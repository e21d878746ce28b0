"""`lqcd-hpc inspect FILE`: what a configuration is, and whether everything in it agrees."""

from __future__ import annotations

from typing import Annotated

import typer

# Largest deviation of stated from computed averages that the number format explains
STATED = {"single": 1e-5, "double": 1e-8}

KEYS = (
    "format",
    "shape",
    "group",
    "precision",
    "plaquette",
    "plaquette_ss",
    "plaquette_st",
    "link_trace",
    "unitarity_deviation",
    "checksum_stored",
    "checksum_computed",
    "ok",
    "problems",
)


def inspect(
    file: Annotated[str, typer.Argument(help="A configuration in any format that the package reads.")],
    shape: Annotated[str, typer.Option(help="Extents X,Y,Z,T for a file that does not state them.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """Identify a configuration and check its checksum, its stated averages and its unitarity.

    Ends with exit code 1 and the reasons if anything disagrees, 2 if the file cannot be read.
    Works under mpirun: every rank reads its own part.
    """
    from ..errors import LqcdError
    from ..lattice.communicator import world
    from .configuration import require_shape_option
    from .output import print_json
    from .shape import parse_shape

    shape = parse_shape(shape)
    try:
        found = examine(file, shape)
    except LqcdError as error:
        error = require_shape_option(error)
        if json and world().rank == 0:
            print_json(dict.fromkeys(KEYS) | {"ok": False, "problems": [str(error)]})
        raise error from None
    if world().rank == 0:
        print_json(found) if json else show(file, found)
    if not found["ok"]:
        world().barrier()  # rank 0 has printed why before any rank ends the job
        raise typer.Exit(1)


def examine(file, shape=None):
    """The values of `KEYS` for a file. Collective.

    Raises `LqcdError` if the file cannot be read at all; what disagrees inside it is listed in "problems".
    """
    from .configuration import group_defects, observables, read_configuration

    U, header = read_configuration(file, shape, verify=False)
    defects, values = group_defects(U), observables(U)
    problems = (
        _checksum_problems(header) + _group_problems(defects, header.precision) + _stated_problems(header, values)
    )
    return {
        "format": header.format,
        "shape": list(header.shape),
        "group": header.group,
        "precision": header.precision,
        **values,
        "unitarity_deviation": defects["unitarity"],
        "checksum_stored": header.checksum_stored,
        "checksum_computed": header.checksum_computed,
        "ok": not problems,
        "problems": problems,
    }


def _checksum_problems(header):
    stored, computed = header.checksum_stored, header.checksum_computed
    if stored in (None, computed):
        return []
    return [
        f"checksum: {stored} is stored in the file but its data give {computed}: the file is damaged, fetch it again"
    ]


def _group_problems(defects, precision):
    from ..io.configuration import UNITARITY

    limit, problems = UNITARITY[precision], []
    if defects["not_finite"]:
        problems.append(f"links: {defects['not_finite']} are not finite numbers")
    if defects["zero"]:
        problems.append(f"links: {defects['zero']} are zero inside the lattice")
    if defects["unitarity"] > limit:
        problems.append(
            f"unitarity: links deviate by up to {defects['unitarity']:.3g}, "
            f"more than {limit:g} that {precision} precision explains"
        )
    elif defects["determinant"] > limit:
        problems.append(f"determinant: |det U - 1| is up to {defects['determinant']:.3g}, more than {limit:g}")
    return problems


def _stated_problems(header, values):
    """Averages that the header states (NERSC, HDF5) against those of the links."""
    limit, problems = STATED[header.precision], []
    for key in ("plaquette", "link_trace"):
        stated = header.metadata.get(key)
        if isinstance(stated, float) and not abs(stated - values[key]) <= limit:
            problems.append(f"{key}: the header states {stated:.10g} but the links give {values[key]:.10g}")
    return problems


def show(file, found):
    """Print what was found for people."""
    from rich.markup import escape

    from .output import console, table
    from .shape import write_shape

    rows = table("", "", title=f"[bold]{escape(file)}[/]")
    rows.show_header = False
    for key in KEYS[:-2]:
        rows.add_row(key, _text(found[key], write_shape))
    out = console()
    out.print(rows)
    for problem in found["problems"]:
        out.print(f"[bold red]problem[/] {escape(problem)}")
    if found["ok"]:
        checked = "checksum, " if found["checksum_stored"] else "no checksum in the file; "
        out.print(f"[bold green]ok[/] ({checked}unitarity and stated averages agree)")


def _text(value, write_shape):
    if value is None:
        return "none"
    if isinstance(value, list):
        return write_shape(value)
    if isinstance(value, float):
        return f"{value:.15f}" if value == 0 or abs(value) > 1e-3 else f"{value:.3e}"
    return str(value)
