"""Medians of repeated measurements of kernels, and the best of what the machine does."""

from __future__ import annotations

from statistics import median
from time import perf_counter

REPEATS = 7
SHORTEST = 0.02  # seconds of one measurement
LONGEST = 0.2  # seconds that are given to one property of the machine


def seconds_per_call(call, comm=None, repeats=None):
    """The median over repeats of the time of one `call()`; under MPI the slowest rank counts.

    >>> seconds_per_call(lambda: None) < 1e-4
    True
    """
    call()
    once = _slowest(_elapsed(call, 1), comm)
    count = max(1, int(SHORTEST / max(once, 1e-9)))
    times = []
    for _ in range(repeats or REPEATS):
        if comm is not None:
            comm.barrier()
        times.append(_slowest(_elapsed(call, count), comm) / count)
    return median(times)


def best_rate(call):
    """The highest rate of `call()`, which returns its work, over repeats of some seconds together."""
    call()
    rates, end = [], perf_counter() + LONGEST
    while perf_counter() < end or len(rates) < 3:
        start = perf_counter()
        rates.append(call() / (perf_counter() - start))
    return max(rates)


def _elapsed(call, count):
    start = perf_counter()
    for _ in range(count):
        call()
    return perf_counter() - start


def _slowest(seconds, comm):
    return seconds if comm is None or comm.size == 1 else comm.allreduce(seconds, "max")
