"""A slower network, emulated: a communicator that holds back what is complete."""

from __future__ import annotations

from time import perf_counter


class DelayedCommunicator:
    """The communicator `comm`, whose messages count as arrived `seconds` after they were started.

    A reduction over P ranks is ceil(log2 P) messages one after another, and is held back by as many delays. Nothing
    else changes, no bit of the result either. `seconds` may be set anew between messages, to the same on all ranks.

    >>> from lqcd_hpc.lattice import SerialCommunicator
    >>> DelayedCommunicator(SerialCommunicator(), 0.001).allreduce(3)
    3
    """

    def __init__(self, comm, seconds=0.0):
        self._comm, self.seconds = comm, seconds

    def __getattr__(self, name):
        return getattr(self._comm, name)

    def allreduce(self, value, op="sum"):
        start = perf_counter()
        result = self._comm.allreduce(value, op)
        hold(start + rounds(self.size) * self.seconds)
        return result

    def channel(self, sends, receives):
        return DelayedChannel(self, self._comm.channel(sends, receives))


class DelayedChannel:
    """The messages of a `DelayedCommunicator`."""

    def __init__(self, comm, channel):
        self._comm, self._channel = comm, channel
        self._started = 0.0

    def start(self):
        self._started = perf_counter()
        self._channel.start()

    def progress(self):
        return self._channel.progress() and perf_counter() >= self._started + self._comm.seconds

    def finish(self):
        self._channel.finish()
        hold(self._started + self._comm.seconds)


def rounds(ranks):
    """Messages one after another in a reduction over so many ranks: ceil(log2 P).

    >>> [rounds(n) for n in (1, 2, 3, 4, 4096)]
    [0, 1, 2, 2, 12]
    """
    return (ranks - 1).bit_length()


def hold(until):
    """Wait without sleeping, which would be too coarse."""
    while perf_counter() < until:
        pass
