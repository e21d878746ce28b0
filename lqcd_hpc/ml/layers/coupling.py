"""Couplings: one half of the sites is changed by a map whose parameters are computed from the other half."""

from __future__ import annotations

import torch

from .masks import half


class Couplings(torch.nn.Module):
    """Maps that change the two halves of a lattice in turn, the first half first.

    A map has `forward(active, frozen) -> (changed, log_det)` and `inverse` likewise, on (components, sites, batch). The
    halves are taken apart once and put together once, so that no map touches sites that it leaves alone.
    """

    def __init__(self, first, maps):
        super().__init__()
        order = torch.argsort(first.int(), descending=True, stable=True)
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("place", torch.argsort(order), persistent=False)
        self.count = int(first.sum())
        self.maps = torch.nn.ModuleList(maps)

    def forward(self, z):
        return self._through(z, [(m.forward, k % 2) for k, m in enumerate(self.maps)])

    def inverse(self, x):
        return self._through(x, [(m.inverse, k % 2) for k, m in reversed(list(enumerate(self.maps)))])

    def _through(self, field, steps):
        """Every step changes the half of its number given the other one."""
        rows = field.reshape(len(field), -1, len(self.order)).permute(1, 2, 0).index_select(1, self.order)
        halves = list(rows.split([self.count, len(self.order) - self.count], 1))
        log_det = field.new_zeros(len(field))
        for step, active in steps:
            halves[active], change = step(halves[active], halves[1 - active])
            log_det = log_det + change
        return torch.cat(halves, 1).index_select(1, self.place).permute(2, 0, 1).reshape(field.shape), log_det


def couplings(kind, shape, count, make):
    """Layers of `count` couplings with halves of a `masks` kind; `make(number, active, frozen)` gives each its map.

    Two couplings in a row change the two halves of one mask; masks that stay the same make one layer.
    """
    blocks = []
    for number in range(count):
        mask = half(kind, shape, number // 2)
        if not blocks or (number % 2 == 0 and not torch.equal(mask, blocks[-1][0])):
            blocks.append((mask, []))
        sites = (mask.nonzero().flatten(), (~mask).nonzero().flatten())
        active, frozen = sites[number % 2], sites[1 - number % 2]
        blocks[-1][1].append(make(number, active, frozen) if len(active) else Unchanged())
    return [Couplings(mask, maps) for mask, maps in blocks]


class Unchanged(torch.nn.Module):
    """The map of an empty half: a single variable has no other."""

    def forward(self, active, frozen):
        return active, frozen.new_zeros(frozen.shape[-1])

    inverse = forward
