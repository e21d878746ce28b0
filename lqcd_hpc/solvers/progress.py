"""A line now and then while a long solve runs."""

from __future__ import annotations

import sys
import time

FIRST, EVERY = 10.0, 10.0  # seconds


class Progress:
    """Prints iterations and residual to the standard error of rank 0, first after ten seconds."""

    def __init__(self, name, lattice):
        self._name, self._talks = name, lattice.comm.rank == 0
        self._start = self._next = None

    def __call__(self, iterations, residual, tol):
        now = time.monotonic()
        if self._start is None:  # what was compiled before does not count
            self._start, self._next = now, now + FIRST
        if not self._talks or now < self._next:
            return
        self._next = now + EVERY
        rate = iterations / (now - self._start)
        print(
            f"{self._name}: {iterations} iterations, residual {residual:.1e} of {tol:.1e}, {rate:.1f} iterations/s",
            file=sys.stderr, flush=True,
        )  # fmt: skip
