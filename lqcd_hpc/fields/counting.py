"""How often kernels run, for those who want to know what a method costs besides time."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager

_counts = None  # a Counter, while `counting` is on


@contextmanager
def counting():
    """Count launches: a Counter by (function, lattice, domain, copies of the first field).

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.5, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> with counting() as counts:
    ...     _ = D(D.vector())
    >>> [times for (function, *_), times in counts.items() if function == "wilson"]
    [1]
    """
    global _counts
    before, _counts = _counts, Counter()
    try:
        yield _counts
    finally:
        _counts = before


def note(launch, times=1):
    """Called where a launch runs."""
    if _counts is not None and hasattr(launch, "kernel"):  # steps of a solver's numbers have none
        _counts[launch.kernel.function, launch.lattice, launch.domain, launch.fields[0].copies] += times
