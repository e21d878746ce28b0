"""Measured points: one workload on one lattice and rank grid, against the same work without neighbours."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import prod

from ...errors import LqcdError
from ...lattice import Lattice, SerialCommunicator
from ...lattice.decomposition import surface
from .delay import DelayedCommunicator
from .split import COUNTS, PHASES, split
from .timing import in_turn
from .workloads import WORKLOADS

CALLS = 7  # that are split into phases
SHORTEST = 1e-3  # seconds of a turn
ENOUGH = 3.0  # seconds of a point


@dataclass(frozen=True)
class Plan:
    """What to measure. shape : of the global lattice; grid : of ranks; kind : "strong", "weak" or "emulated", a label
    delays : of messages, in seconds, besides none

    Raises `LqcdError` for an unknown workload.
    """

    workload: str
    shape: tuple[int, ...]
    grid: tuple[int, ...]
    precision: str = "double"
    kind: str = "strong"
    delays: tuple[float, ...] = ()
    repeats: int = 40

    def __post_init__(self):
        if self.workload not in WORKLOADS:
            raise LqcdError(f"unknown workload {self.workload!r}: choose one of {', '.join(WORKLOADS)}")
        object.__setattr__(self, "shape", tuple(self.shape))
        object.__setattr__(self, "grid", tuple(self.grid))

    @property
    def local(self):
        """Extents of the part of a rank."""
        return tuple(n // r for n, r in zip(self.shape, self.grid))


def measure(plan, comm, threads=1):
    """The points of a plan, one per delay. Collective; all ranks get them.

    seconds : of one call, the slower rank; apart : every rank works on a lattice of its own part's extents and talks to
    no one; alone : rank 0 does, the others wait. They take turns, and the fastest one counts, since load only adds.
    efficiency, efficiency_apart : alone and apart over seconds; split : phases of every rank, without delay
    """
    slow = DelayedCommunicator(comm)
    make, serial = WORKLOADS[plan.workload].make, SerialCommunicator()
    together = make(Lattice(plan.shape, plan.grid, comm=slow, threads=threads), plan.precision)

    def own():
        return make(Lattice(plan.local, comm=serial, threads=threads), plan.precision) if _computes(plan) else nothing

    runs = [own(), own() if comm.rank == 0 else nothing]  # not the same: the second would find its links in the cache
    runs += [_delayed(together, slow, seconds) for seconds in (0.0, *plan.delays)]
    found = in_turn(runs, comm, plan.repeats, SHORTEST, ENOUGH, warm=True)
    apart, alone, *times = (min(seconds) for seconds in found)
    base = _base(plan, comm) | {"apart": apart, "alone": alone} | _split(together, comm)
    return [
        base | {"delay": delay, "seconds": t, "efficiency": alone / t, "efficiency_apart": apart / t}
        for delay, t in zip((0.0, *plan.delays), times)
    ]


def _computes(plan):
    return plan.workload != "messages"


def _base(plan, comm):
    """What is known without measuring."""
    return {
        "workload": plan.workload,
        "kind": plan.kind,
        "shape": list(plan.shape),
        "grid": list(plan.grid),
        "local": list(plan.local),
        "precision": plan.precision,
        "ranks": comm.size,
        "oversubscribed": comm.local_size > os.cpu_count(),
        "sites": prod(plan.local),
        "surface": surface(plan.shape, plan.grid),
        "load": round(os.getloadavg()[0], 2),
    }


def _split(run, comm):
    """Phases of every rank in the fastest call, and counts of rank 0 (those of all ranks are the same)."""
    calls = []
    for _ in range(CALLS):
        comm.barrier()
        calls.append(comm.allgather(split(run, 1)))
    fastest = min(calls, key=lambda ranks: max(sum(one[name] for name in PHASES) for one in ranks))
    return {
        "split": [{name: one[name] for name in PHASES} for one in fastest],
        "counts": {name: fastest[0][name] for name in COUNTS},
    }


def _delayed(run, slow, seconds):
    def delayed(count):
        slow.seconds = seconds
        run(count)
        slow.seconds = 0.0

    return delayed


def nothing(count):
    """What a rank does that waits for the others."""
