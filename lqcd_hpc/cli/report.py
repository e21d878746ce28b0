"""`lqcd-hpc report DIR`: the HTML page of a run."""

from __future__ import annotations

from typing import Annotated

import typer


def report(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="The output directory of a run.")],
    out: Annotated[str, typer.Option(help="Name of the page, in DIR unless absolute.")] = "report.html",
    thermalisation: Annotated[int, typer.Option(help="First step to be used; found by itself if not given.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """Write the self-contained HTML report of a run and print where it is."""
    from ..lattice.communicator import world
    from .output import print_json

    comm = world()
    path = None
    if comm.rank == 0:
        path = write(directory, out, thermalisation)
        print_json({"report": str(path)}) if json else typer.echo(str(path))
    comm.barrier()


def write(directory, out, thermalisation):
    """The path of the written report; raises `LqcdError` if there is nothing to report on or it cannot be
    written.
    """
    from ..analysis.report import write_report
    from ..errors import LqcdError
    from ..io.collective import os_message

    try:
        return write_report(directory, out, thermalisation).absolute()
    except OSError as error:
        raise LqcdError(f"no report of {directory}: {os_message(error)}") from None
    except (ValueError, KeyError) as error:
        raise LqcdError(f"no report of {directory}: {error}; give the output directory of a run") from None
