"""`lqcd-hpc bench`: how fast the kernels are on this machine, against what it could do."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

SUITES = ("gauge", "dirac", "solver")


def bench(
    suite: Annotated[str, typer.Argument(help="What to measure: gauge, dirac or solver.")] = "gauge",
    volume: Annotated[list[str], typer.Option(help="Lattice X,Y,Z,T; may be given more than once.")] = (),
    precision: Annotated[list[str], typer.Option(help="double or single (solver: or mixed); likewise.")] = (),
    operator: Annotated[list[str], typer.Option(help="dirac, solver: only these; likewise.")] = (),
    rhs: Annotated[list[int], typer.Option(help="dirac, solver: right-hand sides at once; likewise.")] = (),
    threads: Annotated[int, typer.Option(help="Threads per rank.")] = 1,
    ranks: Annotated[int, typer.Option(help="Also measure on so many ranks (starts jobs under mpirun).")] = None,
    kernels_only: Annotated[
        bool, typer.Option("--kernels-only", help="gauge: leave out launch overhead and replicas.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    results: Annotated[str, typer.Option(help="Also write the results as JSON into this folder.")] = None,
    plot: Annotated[str, typer.Option(help="Also draw speeds and shares of the roofline (PNG or SVG).")] = None,
):
    """Time the kernels and set them against the roofline of this machine, measured in the same process.

    The roofline is min(multiply-add peak, read bandwidth x intensity), the bandwidth being that of a working
    set as large as the kernel's. Medians of repeats that take turns. Flops and bytes per unit and how they are counted
    are in the JSON. Under mpirun it measures all ranks together, and rank 0 prints.
    """
    from ..errors import LqcdError
    from ..lattice.communicator import world
    from .benchmark import results as output
    from .benchmark.request import Request
    from .output import print_json

    if suite not in SUITES:
        raise LqcdError(f"unknown benchmark {suite!r}: choose one of {', '.join(SUITES)}")
    module, comm = import_module(f".benchmark.{suite}", __package__), world()
    options = {"operators": tuple(operator), "rhs": tuple(rhs), "threads": threads, "ranks": ranks}
    request = Request(suite, tuple(volume) or module.VOLUMES, tuple(precision), kernels_only=kernels_only, **options)
    found = module.measure(request, comm)
    if comm.rank:
        return
    if json:
        print_json(module.document(found))
    else:
        output.show(found, module.tables(found))
    if results:
        typer.echo(str(output.write(found, results, suite)), err=json)
    if plot:
        typer.echo(str(output.draw(module.picture(found), plot)), err=json)
