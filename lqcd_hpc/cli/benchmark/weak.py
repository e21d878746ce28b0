"""Weak scaling against what the machine itself allows: its roofline for one process and for all at once."""

from __future__ import annotations

import ctypes
import os
from math import prod
from statistics import median
from time import perf_counter

import numpy as np

from ...lattice import Lattice, SerialCommunicator
from .machine import library
from .points import nothing
from .workloads import WORKLOADS

TURNS = 31
TRIAD_BYTES, FMA_ROUNDS = 48 * 2**20, 200_000


class Probe:
    """Work of the processor: `run()` returns the seconds of `amount` bytes or flops."""

    def __init__(self, name):
        self._probe, count = library("double"), TRIAD_BYTES // 24
        self._arrays = [np.ones(count) for _ in range(3)] if name == "triad" else []
        self._name, self.amount = name, 0.0

    def run(self):
        start = perf_counter()
        if self._name == "triad":
            addresses = [ctypes.c_void_p(array.ctypes.data) for array in self._arrays]
            words = (ctypes.c_int64(n) for n in (len(self._arrays[0]), 1, 1))
            self.amount = self._probe.triad(*addresses, *words)
        else:
            self.amount = self._probe.fma_peak(ctypes.c_int64(FMA_ROUNDS), ctypes.c_int64(1))
        return perf_counter() - start


def measure(workload, local, comm, precision="double", grid=None, turns=TURNS):
    """Efficiency of `workload` on the same part of every rank, and the efficiency that the roofline allows.

        efficiency = t_1 / t_P,   allowed = (R_P / P) / R_1,   R = min(flops, triad bandwidth x flops / bytes)

    t_1 and R_1 are those of rank 0 while the others wait. All take turns; efficiencies are medians over turns. `apart`:
    all ranks compute and do not talk. Collective.
    """
    grid = grid or (*(1 for _ in local[1:]), comm.size)
    make, serial = WORKLOADS[workload].make, SerialCommunicator()
    one = make(Lattice(local, comm=serial, threads=1), precision)
    shape = tuple(n * r for n, r in zip(local, grid))
    whole = make(Lattice(shape, grid, comm=comm, threads=1), precision)
    probes = {name: Probe(name) for name in ("triad", "fma")}
    runs = {"one": (one, False), "apart": (one, True), "together": (whole, True)}
    calls = max(1, int(0.02 / max(_slowest(one, 1, True, comm), 1e-6)))
    found = {name: [] for name in (*runs, *(f"{p}_{w}" for p in probes for w in ("one", "all")))}
    for _ in range(turns):
        for name, (run, everyone) in runs.items():
            found[name].append(_slowest(run, calls, everyone, comm))
        for name, probe in probes.items():
            for who, everyone in (("one", False), ("all", True)):
                found[f"{name}_{who}"].append(_rate(probe, everyone, comm))
    return _judged(found, workload, local, grid, precision, comm)


def _judged(found, workload, local, grid, precision, comm):
    count = WORKLOADS[workload].count.of(2, 1, 8 if precision == "double" else 4)
    ranks, intensity = comm.size, count.flops / count.bytes
    roofline = {
        who: [min(f, t * intensity) for f, t in zip(found[f"fma_{who}"], found[f"triad_{who}"])]
        for who in ("one", "all")
    }
    allowed = median(p / (ranks * r) for p, r in zip(roofline["all"], roofline["one"]))
    efficiency = median(a / b for a, b in zip(found["one"], found["together"]))
    return {
        "workload": workload,
        "local": list(local),
        "grid": list(grid),
        "precision": precision,
        "ranks": ranks,
        "sites": prod(local),
        "efficiency": efficiency,
        "efficiency_apart": median(a / b for a, b in zip(found["one"], found["apart"])),
        "together_over_apart": median(a / b for a, b in zip(found["apart"], found["together"])),
        "allowed": allowed,
        "of_allowed": efficiency / min(1.0, allowed),
        "seconds": {name: median(found[name]) for name in ("one", "apart", "together")},
        "triad_gbytes": [median(found[f"triad_{who}"]) / 1e9 for who in ("one", "all")],
        "fma_gflops": [median(found[f"fma_{who}"]) / 1e9 for who in ("one", "all")],
        "turns": len(found["one"]),
        "load": round(os.getloadavg()[0], 2),
    }


def _slowest(run, calls, everyone, comm):
    """Seconds of a call on the slowest rank; all ranks run, or rank 0 alone."""
    mine = run if everyone or comm.rank == 0 else nothing
    comm.barrier()
    start = perf_counter()
    mine(calls)
    return comm.allreduce((perf_counter() - start) / calls, "max")


def _rate(probe, everyone, comm):
    """Bytes or flops per second of all ranks that run together."""
    comm.barrier()
    runs = everyone or comm.rank == 0
    return comm.allreduce(probe.amount / seconds if runs and (seconds := probe.run()) else 0.0, "sum")
