"""The random numbers of one Markov chain: a seed, a stream and a count of events (layout: kernels/random.h)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..backend.program import RandomKey
from ..errors import LqcdError


@dataclass
class Random:
    """Counter-based random numbers: every call of `key()` is a new event.

    Philox4x32-10 with key (seed, stream), so two chains with other seeds or streams never meet. Saving `state` and
    restoring it continues the chain exactly. Raises `LqcdError` if seed or stream are not in 0 .. 2^32 - 1.

    >>> rng = Random(seed=7)
    >>> rng.key().event, rng.key().event
    (0, 1)
    """

    seed: int
    stream: int = 0
    event: int = 0

    def __post_init__(self):
        for name in ("seed", "stream", "event"):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or not 0 <= value < 2**32:
                raise LqcdError(f"{name} = {value!r}: choose an integer from 0 to 4294967295")

    def key(self):
        """The key of the next event."""
        if self.event >= 2**32:
            raise LqcdError("this chain has used its 2^32 random events: continue with another stream")
        key = RandomKey(int(self.seed), int(self.stream), int(self.event))
        self.event += 1
        return key

    def uniform(self, count):
        """`count` uniform numbers in (0, 1) of one new event, the same on every rank (counter: direction 255)."""
        key = self.key()
        counter = np.zeros((4, count), np.uint64)
        counter[1], counter[2], counter[3] = 255 << 8, np.arange(count), key.event
        words = philox(counter, (key.seed, key.stream))
        return ((words[0] << np.uint64(32) | words[1]) >> np.uint64(12)) * 2.0**-52 + 2.0**-53

    @property
    def state(self):
        return {"seed": self.seed, "stream": self.stream, "event": self.event}


def philox(counter, key):
    """Philox4x32-10 of counters (4, n) on the host: the few numbers that belong to no site."""
    c, low = [np.asarray(w, np.uint64) for w in counter], np.uint64(0xFFFFFFFF)
    k0, k1 = key
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [
            (p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0),
            p1 & low,
            (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1),
            p0 & low,
        ]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c
