"""Medians of repeated measurements of kernels, and the best of what the machine does."""

from __future__ import annotations

from statistics import median
from time import perf_counter

REPEATS = 7
SHORTEST = 0.02  # seconds of one measurement
LONGEST = 0.2  # seconds that are given to one property of the machine
ENOUGH = 20.0  # seconds after which no more than three repeats are made


def seconds_per_call(call, comm=None, repeats=None):
    """The median over repeats of the time of one `call()`; under MPI the slowest rank counts.

    >>> seconds_per_call(lambda: None) < 1e-4
    True
    """
    return median(in_turn([repeated(call)], comm, repeats)[0])


def in_turn(runs, comm=None, repeats=None, shortest=None, enough=None, warm=False):
    """For every run its times in seconds, one per repeat. `run(n)` does its work n times; the times are those of one.

    The runs take turns, so that a change of the machine's clock or load meets all of them; one lasts `shortest`
    seconds or more, and after `enough` seconds no more than three are made. Under MPI the slowest rank counts.
    `warm`: every turn begins with a call that is not timed, so that caches hold what this run left there, and not the
    one before.
    """
    counts, shortest = [], shortest or SHORTEST
    for run in runs:
        run(1)
        counts.append(max(1, int(shortest / max(_slowest(_elapsed(run, 1), comm), 1e-9))))
    times = [[] for _ in runs]
    for turn in range(repeats or REPEATS):
        if turn >= 3 and sum(sum(found) * count for found, count in zip(times, counts)) > (enough or ENOUGH):
            break
        for run, count, found in zip(runs, counts, times):
            if warm:
                run(1)
            if comm is not None:
                comm.barrier()
            found.append(_slowest(_elapsed(run, count), comm) / count)
    return times


def repeated(call):
    """`run(n)` that calls n times.

    >>> repeated(lambda: print("x"))(2)
    x
    x
    """

    def run(count):
        for _ in range(count):
            call()

    return run


def best_rate(call, comm=None):
    """The highest rate of `call()`, which returns its work, over repeats of some seconds together.

    With several ranks all call at once, and the sum of their median rates counts: the best of one would be what it has
    while the others pause.
    """
    call()
    together = comm is not None and comm.size > 1
    if together:
        comm.barrier()
    rates, end = [], perf_counter() + LONGEST
    while perf_counter() < end or len(rates) < 3:
        start = perf_counter()
        rates.append(call() / (perf_counter() - start))
    return comm.allreduce(median(rates), "sum") if together else max(rates)


def _elapsed(run, count):
    start = perf_counter()
    run(count)
    return perf_counter() - start


def _slowest(seconds, comm):
    return seconds if comm is None or comm.size == 1 else comm.allreduce(seconds, "max")
