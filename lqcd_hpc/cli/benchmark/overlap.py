"""How much of a late message is hidden behind the interior of a hop."""

from __future__ import annotations

import os
from statistics import median, quantiles
from time import perf_counter

from ...lattice import Lattice
from .delay import DelayedCommunicator
from .workloads import ODD, hop_launch

PAIRS = 100


def measure(shape, comm, precision="double", pairs=PAIRS, share=0.5, threads=1):
    """The hidden share of a delay of `share` times the seconds of the interior, on a lattice over all ranks.

        hidden = 1 - median over pairs of (t with the delay - t without it) / delay

    The two calls of a pair follow each other, in turns the one first and the other. Collective.
    """
    slow = DelayedCommunicator(comm)
    psi, hop = hop_launch(Lattice(shape, comm=slow, threads=threads), precision)
    interior = comm.allreduce(_interior_seconds(psi, hop), "max")
    slowed = share * interior

    def once(delay):
        slow.seconds = delay
        psi.touch(parities=(ODD,))
        comm.barrier()
        start = perf_counter()
        hop()
        return comm.allreduce(perf_counter() - start, "max")

    losses, plain = [], []
    for pair in range(pairs):
        order = (0.0, slowed) if pair % 2 else (slowed, 0.0)
        times = {delay: once(delay) for delay in order}
        losses.append((times[slowed] - times[0.0]) / slowed)
        plain.append(times[0.0])
    low, _, high = quantiles(losses, n=4)
    return {
        "shape": list(shape),
        "grid": list(psi.lattice.ranks),
        "precision": precision,
        "ranks": comm.size,
        "interior_seconds": interior,
        "delay_seconds": slowed,
        "seconds": median(plain),
        "pairs": pairs,
        "hidden": 1 - median(losses),
        "hidden_quartiles": [1 - high, 1 - low],
        "load": round(os.getloadavg()[0], 2),
    }


def _interior_seconds(psi, hop, repeats=11):
    """The median time in which a hop has messages under way and computes."""
    from .split import timed

    found = []
    for _ in range(repeats):
        psi.touch(parities=(ODD,))
        with timed() as watch:
            hop()
        found.append(watch.seconds["interior"])
    return median(found)
