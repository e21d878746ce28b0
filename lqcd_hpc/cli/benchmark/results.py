"""Results as a table and as a JSON file."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path


def header(machine):
    """When and on what it was measured."""
    from ...backend import compiler, cpu
    from ...version import __version__
    from ..doctor_checks.processor import processor_name

    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "processor": processor_name(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "compiler": " ".join(compiler.command()),
        "simd_bytes": cpu.simd_bytes(),
        "machine": machine.summary(),
    }


def write(results, folder):
    """Write <date>-<processor>.json into the folder and return its path."""
    name = re.sub(r"[^a-z0-9]+", "-", results["processor"].lower()).strip("-")
    path = Path(folder) / f"{results['date'][:10]}-{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")
    return path


def show(results):
    """Print all tables of the results."""
    from ..output import console, table

    out, machine = console(), results["machine"]
    out.print(f"[bold]{results['processor']}[/], {machine['threads']} thread(s), load {results['load']}")
    out.print(
        f"multiply-add peak {machine['fma_peak_gflops']:.1f} GFLOP/s, "
        f"triad {machine['triad_gbytes']:.1f} GB/s, "
        f"huge-page read {machine['huge_page_read_gbytes']:.1f} GB/s"
    )
    rows = table("kernel", "lattice", ">ns", "per", ">GFLOP/s", ">GB/s", ">% of roofline")
    for one in results["kernels"]:
        numbers = (f"{one['gflops']:.1f}", f"{one['gbytes']:.1f}", f"{one['roofline']:.0f}")
        rows.add_row(one["name"], one["variant"], f"{one['ns']:.1f}", one["unit"], *numbers)
    out.print(rows)
    for one in results.get("overhead", ()):
        out.print(
            f"{one['name']}: {one['python_us']:.0f} us from Python, {one['c_us']:.0f} us in C: "
            f"{one['overhead_percent']:+.1f} %"
        )
    if one := results.get("replicas"):
        out.print(f"{one['name']}: {one['replicas']} replicas have {one['ratio']:.1f} times the throughput of one")
    for one in results.get("ranks", ()):
        out.print(f"{one['name']} {one['variant']}: {one['ranks']} ranks are {one['speedup']:.2f} times as fast as one")
