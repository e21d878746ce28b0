"""`lqcd-hpc plan SHAPE --ranks N`: how a lattice can be divided, and what each rank then holds."""

from __future__ import annotations

from typing import Annotated

import typer

SHOWN = 20


def plan(
    shape: Annotated[str, typer.Argument(metavar="SHAPE", help="Extents, as 16,16,16,32 or 16x16x16x32.")],
    ranks: Annotated[int, typer.Option(help="Number of ranks.")],
    run_file: Annotated[
        str, typer.Option("--run", help="Run file whose memory is wanted; a usual run if not given.")
    ] = None,
    replicas: Annotated[int, typer.Option(help="Independent systems (if there is no run file).")] = 1,
    group: Annotated[str, typer.Option(help="Gauge group (if there is no run file).")] = "SU(3)",
    precision: Annotated[str, typer.Option(help="double or single (if there is no run file).")] = "double",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """List the rank grids that divide a lattice, with local volume, surface, lanes and memory per rank.

    Without --run the memory is that of heatbath and HMC with the Wilson action and the usual measurements.
    """
    from .output import print_json
    from .shape import parse_shape

    found = plans(parse_shape(shape), ranks, run_file, replicas, group, precision)
    print_json(found) if json else show(found)


def plans(shape, ranks, run_file=None, replicas=1, group="SU(3)", precision="double"):
    """Everything that `plan` prints, the recommended grid first.

    Raises `LqcdError` if no grid divides the lattice (with the numbers of ranks that work).
    """
    from ..backend import device
    from ..errors import LqcdError
    from ..lattice.decomposition import choose_grid, grids, surface
    from .memory_plan import RankPlan
    from .rehearsal import rehearse, usual_run

    if ranks < 1:
        raise LqcdError(f"--ranks {ranks}: give the number of ranks, 1 or more")
    if precision not in ("double", "single"):
        raise LqcdError(f'precision {precision!r}: choose "double" or "single"')
    run = _load(run_file, shape) if run_file else usual_run(group, _dimensions(shape), precision)
    if run.lattice:
        group, precision = run.lattice.group or run.field_kind.name, run.lattice.precision
        replicas = run.lattice.replicas if run_file else replicas
    choose_grid(shape, ranks)
    rehearsal = rehearse(run)
    width, _ = device.lanes(rehearsal.item_size)
    lines = []
    for grid in grids(shape, ranks):
        rank = RankPlan(shape, grid, width, replicas)
        lines.append(
            {
                "grid": list(grid),
                "local": list(rank.local),
                "local_volume": rank.local_volume,
                "surface": surface(shape, grid),
                "virtual": list(rank.virtual),
                "lanes": rank.lanes,
                "memory_per_rank": rank.memory(rehearsal),
            }
        )
    best = max(lines, key=lambda line: line["lanes"])  # the first of them: `lines` are sorted by surface
    for line in lines:
        line["recommended"], line["default"] = line is best, line is lines[0]
    return {
        "shape": list(shape),
        "ranks": ranks,
        "replicas": replicas,
        "group": group,
        "precision": precision,
        "run": run_file,
        "full_lanes": width,
        "memory_free": _memory_free(),
        "grids": lines,
    }


def _load(run_file, shape):
    from ..config import RunFile, load
    from ..errors import LqcdError
    from .shape import write_shape

    run = load(run_file, RunFile)
    if run.lattice and tuple(run.lattice.shape) != shape:
        raise LqcdError(f"{run_file} is for a lattice {write_shape(run.lattice.shape)}, not {write_shape(shape)}")
    return run


def _dimensions(shape):
    from ..errors import LqcdError

    if not 2 <= len(shape) <= 4:
        raise LqcdError(f"a lattice has 2, 3 or 4 dimensions, not {len(shape)}")
    return len(shape)


def _memory_free():
    from ..backend.memory import available

    return available()


def show(found):
    """Print the grids for people."""
    from .output import console, size, table
    from .shape import write_shape

    out, several = console(), f", {found['replicas']} replicas" if found["replicas"] > 1 else ""
    what = f"{found['group']}, {found['precision']} precision{several}"
    out.print(
        f"[bold]{write_shape(found['shape'])}[/] over {found['ranks']} ranks: {what}, {found['run'] or 'a usual run'}"
    )
    rows = table("", "grid", "local", ">sites", ">surface", "virtual nodes", ">lanes", ">memory per rank")
    for line in found["grids"][:SHOWN]:
        shapes = [write_shape(line[key]) for key in ("grid", "local", "virtual")]
        lanes = f"{line['lanes']}/{found['full_lanes']}"
        numbers = (
            f"{line['local_volume']}",
            f"{line['surface']}",
            shapes[2],
            lanes,
            size(line["memory_per_rank"]["total"]),
        )
        rows.add_row("[green]*[/]" if line["recommended"] else "", *shapes[:2], *numbers)
    out.print(rows)
    if len(found["grids"]) > SHOWN:
        out.print(f"and {len(found['grids']) - SHOWN} more (--json lists them all)")
    best = next(line for line in found["grids"] if line["recommended"])
    if best["default"]:
        out.print("[green]*[/] recommended, and taken if the run file names no grid")
    else:
        out.print(
            f"[green]*[/] recommended: write ranks = {best['grid']} in \\[lattice], the first line is taken otherwise"
        )
    memory = best["memory_per_rank"]
    parts = ", ".join(f"{key} {size(memory[key])}" for key in ("fields", "tables", "writing"))
    out.print(f"memory: {parts}; this machine has {size(found['memory_free'])} free")
