"""`lqcd-hpc report DIR`: the values of a run with their errors, its HTML page, its pictures."""

from __future__ import annotations

from typing import Annotated

import typer


def report(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="The output directory of a run.")],
    out: Annotated[str, typer.Option(help="Name of the page, in DIR unless absolute.")] = "report.html",
    thermalisation: Annotated[int, typer.Option(help="First step to be used; found by itself if not given.")] = None,
    pictures: Annotated[str, typer.Option(metavar="png|svg", help="Also write every picture as a file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """Print the values of a run with their errors, write its self-contained HTML page and say where it is."""
    from ..lattice.communicator import world
    from .output import print_json

    comm = world()
    if comm.rank == 0:
        found = write(directory, out, thermalisation, pictures)
        print_json(found) if json else show(found)
    comm.barrier()


def write(directory, out="report.html", thermalisation=None, pictures=None):
    """Write the page, and the pictures if their format is given; returns where they are and the values, as a dict.

    Raises `LqcdError` if there is nothing to report on or it cannot be written.
    """
    from ..analysis.report import values, write_pictures, write_report
    from ..errors import LqcdError
    from ..io.collective import os_message

    if pictures not in (None, "png", "svg"):
        raise LqcdError(f"--pictures {pictures}: pictures are written as png or svg")
    try:
        page = write_report(directory, out, thermalisation).absolute()
        drawn = write_pictures(directory, pictures, thermalisation) if pictures else []
        rows = values(directory, thermalisation)
    except OSError as error:
        raise LqcdError(f"no report of {directory}: {os_message(error)}") from None
    except (ValueError, KeyError) as error:
        raise LqcdError(f"no report of {directory}: {error}; give the output directory of a run") from None
    return {"report": str(page), "pictures": [str(path) for path in drawn], "values": rows}


def show(found):
    """Print values as a table, and the files."""
    from .output import console, table

    rows = table("measurement", "quantity", ">value", ">tau_int", ">samples", "")
    for row in found["values"]:
        samples = str(row["samples"] or "")
        rows.add_row(row["measurement"], row["quantity"], row["text"], row["tau_int_text"], samples, row["note"])
    if found["values"]:
        console().print(rows)
    for path in (found["report"], *found["pictures"]):
        typer.echo(path)
