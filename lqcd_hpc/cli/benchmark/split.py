"""Where the time of a rank goes: a stopwatch in exactly one phase at a time, turned by probes.

A probe stands in for a method while `timed` is on; nothing is there when it is off, and no physics knows of it. On a
GPU launches return before they are done, so that their time shows where the host waits.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from time import perf_counter

from ...backend import device
from ...fields.exchange import Exchange
from ...fields.launch import Launch
from ...fields.projection import ProjectedHalo
from ...lattice.communicator import Channel, MpiCommunicator
from .delay import DelayedChannel, DelayedCommunicator

PHASES = ("interior", "compute", "pack", "wait", "reduce", "other")
COUNTS = ("exchanges", "messages", "bytes", "reductions")


def _sent(counts, channel):
    counts["exchanges"] += 1
    counts["messages"] += channel.messages
    counts["bytes"] += channel.bytes


def _reduced(counts, comm):
    counts["reductions"] += 1


# where, phase, what is counted
PROBES = (
    (Launch, "_run_meanwhile", "interior", None),
    (Launch, "_run", "compute", None),
    (device, "run_sequence", "compute", None),
    (ProjectedHalo, "refresh", "pack", None),
    (Exchange, "_move", "pack", None),
    (Channel, "start", "wait", _sent),
    (Channel, "progress", "wait", None),
    (Channel, "finish", "wait", None),
    (DelayedChannel, "finish", "wait", None),
    (MpiCommunicator, "allreduce", "reduce", _reduced),
    (MpiCommunicator, "allgather", "reduce", None),
    (MpiCommunicator, "bcast", "reduce", None),
    (MpiCommunicator, "barrier", "reduce", None),
    (DelayedCommunicator, "allreduce", "reduce", None),
)


class Stopwatch:
    """`seconds` by phase, `counts` of messages.

    interior : kernels while messages are under way; compute : all others; pack : projecting, packing and unpacking what
    is sent; wait : in MPI for messages; reduce : in MPI for sums; other : Python
    """

    def __init__(self):
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self.counts = dict.fromkeys(COUNTS, 0)
        self._phase, self._since = "other", perf_counter()

    def turn(self, phase):
        """Go over to a phase; returns the one before. What is computed in order to be sent belongs to packing."""
        now, before = perf_counter(), self._phase
        self.seconds[before] += now - self._since
        self._since = now
        self._phase = "pack" if before == "pack" and phase == "compute" else phase
        return before

    @property
    def total(self):
        return sum(self.seconds.values())


@contextmanager
def timed():
    """A `Stopwatch` that runs inside the block.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.5, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> psi = D.vector()
    >>> with timed() as watch:
    ...     _ = D(psi)
    >>> watch.seconds["compute"] > 0, watch.seconds["wait"]
    (True, 0.0)
    """
    watch = Stopwatch()
    with ExitStack() as stack:
        for owner, name, phase, count in PROBES:
            plain = getattr(owner, name)
            stack.callback(setattr, owner, name, plain)
            setattr(owner, name, _probe(watch, plain, phase, count))
        yield watch
        watch.turn("other")


def _probe(watch, function, phase, count):
    def probe(*arguments, **named):
        if count:
            count(watch.counts, arguments[0])
        before = watch.turn(phase)
        try:
            return function(*arguments, **named)
        finally:
            watch.turn(before)

    return probe


def split(run, count):
    """Seconds by phase and counts of one call out of `count`; `run(n)` does its work n times."""
    with timed() as watch:
        run(count)
    return {name: value / count for name, value in (watch.seconds | watch.counts).items()}
