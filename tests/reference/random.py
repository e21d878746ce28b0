"""Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC'11, doi:10.1145/2063384.2063405) in 64-bit integer numpy.

Known answers published with Random123 (counter, key -> output), hexadecimal:

>>> show = lambda counter, key: " ".join(f"{int(word):08x}" for word in philox(counter, key))
>>> show((0, 0, 0, 0), (0, 0))
'6627e8d5 e169c58d bc57ac4c 9b00dbd8'
>>> show((0xffffffff,) * 4, (0xffffffff,) * 2)
'408f276d 41c83b0e a20bc7c6 6d5451fd'
>>> show((0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344), (0xa4093822, 0x299f31d0))
'd16cfe09 94fdcceb 5001e420 24126ea1'
"""

import numpy as np

WORD = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)  # golden ratio, sqrt(3) - 1


def philox(counter, key, rounds=10):
    """Four 32-bit words (as uint64) from a counter of four words and a key of two; words may be arrays."""
    c0, c1, c2, c3 = (np.asarray(word, np.uint64) for word in counter)
    k0, k1 = (np.asarray(word, np.uint64) for word in key)
    for _ in range(rounds):
        p0, p1 = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD
        k0, k1 = (k0 + WEYL[0]) & WORD, (k1 + WEYL[1]) & WORD
    return c0, c1, c2, c3


def unit_double(high, low):
    """(k + 1/2) 2^-52 with k the top 52 bits of the 64-bit word (high, low).

    >>> float(unit_double(np.uint64(1 << 31), np.uint64(0))) - 0.5 == 2.0**-53
    True
    """
    k = ((high << HALF) | low) >> np.uint64(12)
    return k.astype(float) * 2.0**-52 + 2.0**-53


def uniform_pair(site, direction, trial, *, seed, stream, event, replica=0):
    """Two uniform doubles, a pure function of what they are for; ``site`` is the global index, x fastest.

    key = (seed, stream), counter = (low 32 bits of site, high 8 bits | direction << 8 | trial << 16, replica,
    event): the layout that ``kernels/random.h`` lays down.
    """
    site = np.asarray(site, np.uint64)
    what = (site >> HALF) | np.uint64(direction << 8 | trial << 16)
    words = philox((site & WORD, what, replica, event), (seed, stream))
    return unit_double(*words[:2]), unit_double(*words[2:])


def normal_pair(site, direction, trial, **names):
    """Two independent normal deviates from one uniform pair (Box and Muller)."""
    u, v = uniform_pair(site, direction, trial, **names)
    radius = np.sqrt(-2 * np.log(u))
    return radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)
