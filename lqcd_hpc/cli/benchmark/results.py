"""Results as tables, as a picture and as a JSON file."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path


def header(command, machine):
    """When, on what and how it was measured."""
    from ...backend import compiler, cpu, device
    from ...version import __version__
    from ..doctor_checks.processor import processor_name

    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "processor": processor_name(),
        "device": device.current().NAME,
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "compiler": " ".join(compiler.command()),
        "simd_bytes": cpu.simd_bytes(),
        "command": command,
        "machine": machine.summary(),
    }


def name(results, suite):
    """The file's name: <date>-<processor>.json of the gauge kernels, <suite>-<date>.json of the others.

    >>> name({"date": "2026-11-21T04:22:26", "processor": "A (R) 2"}, "gauge")
    '2026-11-21-a-r-2.json'
    """
    date = results["date"][:10]
    processor = re.sub(r"[^a-z0-9]+", "-", results["processor"].lower()).strip("-")
    return f"{date}-{processor}.json" if suite == "gauge" else f"{suite}-{date}.json"


def write(results, folder, suite="gauge"):
    """Write the results into the folder and return the path. Raises `LqcdError` if that cannot be."""
    from ..output import finite

    return _written(Path(folder) / name(results, suite), (json.dumps(finite(results), indent=1) + "\n").encode())


def draw(figure, path):
    """Write a figure as PNG or SVG (by the name of the file); returns the path.

    Raises `LqcdError` if it cannot be written.
    """
    from ...analysis import plots

    kind = "svg" if str(path).lower().endswith(".svg") else "png"
    return _written(Path(path), plots.encode(figure, kind))


def _written(path, content):
    from ...errors import LqcdError
    from ...io.collective import os_message

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise LqcdError(f"{path} cannot be written: {os_message(error)}") from None
    return path


def show(results, tables):
    """Print the machine, then the tables and lines."""
    from ..output import console

    out, machine = console(), results["machine"]
    out.print(
        f"[bold]{results['processor']}[/], {machine['ranks']} rank(s) of {machine['threads']} thread(s), "
        f"load {results['load']}"
    )
    out.print(
        f"multiply-add peak {machine['fma_peak_gflops']:.1f} GFLOP/s ({machine['precision']}), "
        f"triad {machine['triad_gbytes']:.1f} GB/s, "
        f"huge-page read {machine['huge_page_read_gbytes']:.1f} GB/s"
    )
    for one in tables:
        out.print(one)


def kernel_table(lines):
    """The table of lines with name, variant, ns, unit, gflops, gbytes and roofline."""
    from ..output import table

    rows = table("kernel", "lattice", ">ns", "per", ">GFLOP/s", ">GB/s", ">% of roofline")
    for one in lines:
        numbers = (f"{one['gflops']:.1f}", f"{one['gbytes']:.1f}", f"{one['roofline']:.0f}")
        rows.add_row(one["name"], one["variant"], f"{one['ns']:.1f}", one["unit"], *numbers)
    return rows


def fermion_table(lines, label, *more):
    """The table of lines of operators or solvers.

    label : function of a line; more : (title, function of a line that gives a text) for further columns
    """
    from ..output import table
    from .subject import write_volume

    titles = (">rhs", ">ranks", ">ns per site", ">GFLOP/s", ">GB/s", ">% of roofline")
    rows = table("operator", "lattice", "precision", *titles, *(title for title, _ in more))
    for one in lines:
        numbers = (f"{one['ns_per_site']:.1f}", f"{one['gflops']:.1f}", f"{one['gbytes']:.1f}")
        share = f"{100 * one['roofline_fraction']:.0f}"
        names = (label(one), write_volume(one["volume"]), one["precision"], str(one["rhs"]), str(one["ranks"]))
        rows.add_row(*names, *numbers, share, *(text(one) for _, text in more))
    return rows
