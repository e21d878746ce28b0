"""Which sites a coupling changes while the others stay: a half of the lattice by a rule."""

from __future__ import annotations

from math import prod
from typing import Literal

import torch

from ..noise import Noise

Mask = Literal["checkerboard", "stripes", "halves"]


def half(kind, shape, number=0):
    """The sites of one half, True in a tensor (volume,); the rest are the other half.

    checkerboard : sum of coordinates even
    stripes : coordinate in direction `number` (modulo dimensions) even
    halves : a random half, another one for every number

    On odd extents checkerboard and stripes have a seam of neighbours of one half; couplings are exact with any.

    >>> half("checkerboard", (4, 2)).view(2, 4).int()
    tensor([[1, 0, 1, 0],
            [0, 1, 0, 1]], dtype=torch.int32)
    """
    sites = tuple(shape)[::-1]
    if kind == "halves":
        order = torch.argsort(Noise(seed=0, event=number).uniform(1, (prod(sites),))[0])
        return order < (prod(sites) + 1) // 2
    coordinates = torch.meshgrid(*[torch.arange(extent) for extent in sites], indexing="ij")
    chosen = coordinates if kind == "checkerboard" else [coordinates[-1 - number % len(sites)]]
    return (sum(chosen) % 2 == 0).flatten()
