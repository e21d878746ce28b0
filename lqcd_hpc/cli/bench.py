"""`lqcd-hpc bench`: how fast the kernels are on this machine, against what it could do."""

from __future__ import annotations

from typing import Annotated

import typer

SUITES = ("gauge",)


def bench(
    suite: Annotated[str, typer.Argument(help="What to measure: gauge.")] = "gauge",
    volume: Annotated[list[str], typer.Option(help="Lattice X,Y,Z,T; may be given more than once.")] = (
        "8,8,8,8",
        "16,16,16,16",
    ),
    precision: Annotated[str, typer.Option(help="double or single.")] = "double",
    threads: Annotated[int, typer.Option(help="Threads per rank.")] = 1,
    ranks: Annotated[int, typer.Option(help="Also compare so many ranks with one (starts jobs under mpirun).")] = None,
    kernels_only: Annotated[
        bool, typer.Option("--kernels-only", help="Leave out launch overhead and replicas.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    results: Annotated[str, typer.Option(help="Also write <date>-<processor>.json into this folder.")] = None,
):
    """Time the kernels and set them against the roofline of this machine, measured in the same process.

    The roofline is min(multiply-add peak, read bandwidth x intensity), the bandwidth being that of a working
    set as large as the kernel's. Medians of repeats. Flops and bytes per unit and how they are counted are in
    the JSON.
    """
    from ..errors import LqcdError
    from ..lattice.communicator import world
    from .benchmark import results as output
    from .output import print_json
    from .shape import parse_shape

    if suite not in SUITES:
        raise LqcdError(f"unknown benchmark {suite!r}: choose one of {', '.join(SUITES)}")
    if precision not in ("double", "single"):
        raise LqcdError(f'precision {precision!r}: choose "double" or "single"')
    found = measure([parse_shape(text) for text in volume], precision, threads, ranks, kernels_only)
    if world().rank:
        return
    if json:
        print_json(found)
    else:
        output.show(found)
    if results:
        path = output.write(found, results)
        typer.echo(str(path), err=json)


def measure(shapes, precision="double", threads=1, ranks=None, kernels_only=False):
    """All results as one dictionary: header, "kernels", and "overhead", "replicas", "ranks" where asked for.
    Collective.
    """
    from ..lattice.communicator import world
    from .benchmark import kernels, overhead, replicas, results
    from .benchmark import ranks as jobs
    from .benchmark.machine import Machine

    comm, machine = world(), Machine(threads, precision)
    found = results.header(machine) | {"kernels": []}
    for shape in shapes:
        for subject in kernels.gauge_subjects(shape, precision, threads):
            found["kernels"].append(kernels.measure(subject, machine, shape, precision, comm))
    if not kernels_only and comm.size == 1:
        found["overhead"] = overhead.measure(threads=threads)
        found["replicas"] = replicas.measure(threads=threads)
    if ranks and comm.size == 1:
        found["ranks"] = [line for shape in shapes for line in jobs.measure(shape, ranks, precision)]
    return found
