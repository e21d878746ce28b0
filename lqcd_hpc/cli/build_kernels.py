"""`lqcd-hpc build-kernels`: compile ahead what runs will need."""

from __future__ import annotations

from typing import Annotated

import typer

WORKERS = 2


def build_kernels(
    group: Annotated[list[str], typer.Option(help="Gauge group; may be given more than once.")] = ("SU(3)",),
    ndim: Annotated[list[int], typer.Option(help="Dimensions; may be given more than once.")] = (4,),
    precision: Annotated[list[str], typer.Option(help="double or single; may be given more than once.")] = ("double",),
    run_file: Annotated[str, typer.Option("--run", help="Only the kernels of this run file.")] = None,
    workers: Annotated[int, typer.Option(help="Compilers at a time.")] = WORKERS,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """Fill the kernel cache ahead, so that the first job of many ranks need not wait.

    Compiles the usual instances of a group, or exactly those of a run file. What the cache holds already
    takes no time. Call it on the kind of processor that the jobs will run on.
    """
    from ..backend import compiler
    from ..lattice.communicator import world
    from .instances import programs_of_run, usual_programs
    from .output import print_json

    if world().rank:
        return
    found = programs_of_run(run_file) if run_file else usual_programs(group, ndim, precision)
    seconds = build(found, max(1, workers), silent=json)
    where = str(compiler.cache_directory())
    if json:
        print_json({"kernels": len(found), "seconds": seconds, "cache": where})
    else:
        typer.echo(f"{len(found)} kernels in {where} ({seconds:.0f} s)")


def build(programs, workers=WORKERS, silent=False):
    """Compile programs, some at a time, with a progress bar; returns the seconds it took.

    Raises `LqcdError` with the compiler's message if one does not compile.
    """
    from concurrent.futures import ThreadPoolExecutor, as_completed
    from time import perf_counter

    from ..backend import cpu, device

    start = perf_counter()
    cpu.runtime()
    with _bar(silent) as bar, ThreadPoolExecutor(workers) as pool:
        task = bar.add_task("", total=len(programs))
        waiting = {pool.submit(device.load, program): program for program in programs}
        try:
            for done in as_completed(waiting):
                done.result()
                program = waiting[done]
                name = f"{program.function}<{', '.join(map(str, program.constants))}> {program.real}"
                bar.update(task, advance=1, description=name)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return perf_counter() - start


def _bar(silent):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    return Progress(*columns, console=Console(stderr=True), disable=silent, transient=True)
