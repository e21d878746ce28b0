"""What is measured: something that runs, how much it does, and what the machine allows for it."""

from __future__ import annotations

from dataclasses import dataclass

from .counts import Count


@dataclass(frozen=True)
class Subject:
    """One kernel: `run(n)` does it n times, `count` is per unit, `working_set` in bytes on this rank."""

    name: str
    run: object
    count: Count
    units: int
    working_set: int

    @property
    def flops(self):
        return self.count.flops * self.units

    @property
    def traffic(self):
        return self.count.bytes * self.units

    def limit(self, machine):
        """The highest flop/s of this machine."""
        return machine.limit(self.flops, self.traffic, self.working_set)


def write_volume(shape):
    """A shape in few letters.

    >>> write_volume((8, 8, 8, 8)), write_volume((16, 16, 16, 32))
    ('8^4', '16^3x32')
    """
    first = shape[0]
    same = next((k for k, n in enumerate(shape) if n != first), len(shape))
    if same < 2:
        return "x".join(map(str, shape))
    return "x".join([f"{first}^{same}", *map(str, shape[same:])])
