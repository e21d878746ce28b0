"""Random tensors that are functions of (seed, event, sample): every rank draws its own samples of one batch."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass

import torch

BLOCK = 16  # samples of one generator; ranks that share a block both draw it


@dataclass
class Noise:
    """The random numbers of samples `first`, first + 1, ... of one event, in the order in which they are asked for.

    Two objects with the same seed, event and place among the calls draw the same numbers for the same samples, on any
    number of ranks and for any `first`.

    >>> whole = Noise(seed=1, event=0).normal(40, (2,))
    >>> torch.equal(Noise(seed=1, event=0, first=25).normal(10, (2,)), whole[25:35])
    True
    """

    seed: int
    event: int
    first: int = 0
    dtype: torch.dtype = torch.float64
    device: str = "cpu"
    calls: int = 0

    def normal(self, count, shape=()):
        """Standard normal numbers (count, *shape)."""
        return self._blocks(count, shape, torch.Tensor.normal_)

    def uniform(self, count, shape=()):
        """Uniform numbers in [0, 1), (count, *shape)."""
        return self._blocks(count, shape, torch.Tensor.uniform_)

    def _blocks(self, count, shape, fill):
        low, high = self.first // BLOCK, -(-(self.first + count) // BLOCK)
        numbers = torch.empty(((high - low) * BLOCK, *shape), dtype=self.dtype, device=self.device)
        generator = torch.Generator(self.device)
        for block in range(low, high):
            generator.manual_seed(_mix(self.seed, self.event, self.calls, block))
            start = (block - low) * BLOCK
            fill(numbers[start : start + BLOCK], generator=generator)
        self.calls += 1
        start = self.first - low * BLOCK
        return numbers[start : start + count]


def first(event):
    """The noise of first parameters: a function of torch's seed (not of its state) and of the event.

    >>> torch.equal(first(event=0).normal(2), first(event=0).normal(2))
    True
    """
    return Noise(_mix(torch.initial_seed(), 0), event)  # mixed: the noise of a training has the plain seed


@contextmanager
def seeded(*words):
    """Inside, torch's seed is that of these numbers, and outside all is as before.

    >>> with seeded(5):
    ...     x = first(event=0).normal(2)
    >>> torch.equal(x, first(event=0).normal(2))
    False
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(_mix(*words))
        yield


def _mix(*words):
    """63 bits that depend on every bit of every word (the finaliser of splitmix64, chained)."""
    state = 0
    for word in words:
        state = (state + word + 0x9E3779B97F4A7C15) % 2**64
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB % 2**64
        state ^= state >> 31
    return state >> 1
