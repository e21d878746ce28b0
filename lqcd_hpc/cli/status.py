"""`lqcd-hpc status [DIR ...]`: how far runs are, across jobs."""

from __future__ import annotations

from typing import Annotated

import typer


def status(
    directories: Annotated[
        list[str], typer.Argument(metavar="[DIR ...]", help="Where to look for runs; here if not given.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """Show every run in or below some directories: its job, progress, time left, acceptance, plaquette.

    Reads what jobs have written and asks SLURM where there is one; disturbs no job.
    """
    from ..jobs.status import status as rows
    from .output import print_json

    found = rows(directories or ["."])
    print_json([row.document() for row in found]) if json else show(found)


def show(rows):
    """Print the rows for people."""
    from .output import console, table

    out = console()
    made = table(
        "run", "job", "state", ">done", ">of", ">%", ">per step", ">left", ">acceptance", "", ">value", "written"
    )
    for row in rows:
        made.add_row(row.run, row.job or "", row.state, *_cells(row.progress))
    out.print(made)
    for row in rows:
        if row.progress.problem:
            out.print(f"{row.run}: {row.progress.problem}")
        elif row.where.startswith("("):
            out.print(f"{row.run}: {row.state} {row.where}")


def _cells(found):
    import time

    from ..jobs.duration import written

    name, value = found.watched or ("", "")
    share = f"{100 * found.done / found.goal:.0f}" if found.done is not None and found.goal else ""
    ago = "" if found.written is None else f"{written(max(time.time() - found.written, 0))} ago"
    left = "" if found.left is None else written(found.left)
    counts = ["" if number is None else str(number) for number in (found.done, found.goal)]
    acceptance = "" if found.acceptance is None else f"{found.acceptance:.3f}"
    pace = "" if found.seconds is None else f"{found.seconds:.3g} s"
    return (*counts, share, pace, "" if found.complete else left, acceptance, name, value, ago)
