"""Links of one direction on one half of the sites: no plaquette holds two of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch

from ...errors import LqcdError


@dataclass(frozen=True)
class CheckerboardLinks:
    """The active links U_mu(x) of layer `number`, x even or odd in d dimensions; 2 d layers take each once.

    >>> CheckerboardLinks((2, 2), 2).active
    tensor([1, 2])
    """

    shape: tuple[int, ...]
    number: int

    def __post_init__(self):
        if len(self.shape) < 2 or any(extent % 2 for extent in self.shape):
            raise LqcdError(
                f"residual layers of gauge links need two or more dimensions with even extents, not {self.shape}: "
                "change the shape of the lattice"
            )

    @property
    def mu(self):
        return self.number % len(self.shape)

    @cached_property
    def _sites(self):
        sites = self.shape[::-1]
        return torch.arange(prod(sites)).reshape(sites)

    @cached_property
    def active(self):
        """Numbers of the active sites in canonical order."""
        sites = self._sites.shape
        parity = sum(torch.meshgrid([torch.arange(n) for n in sites], indexing="ij")) % 2
        return torch.nonzero(parity.flatten() == self.number // len(self.shape) % 2).flatten()

    def table(self):
        """Where the links of the staples are among (d volume) links, (2 (d - 1), 3, active sites).

        For each nu, ahead: nu at x + mu, mu at x + nu, nu at x; behind: nu at x + mu - nu, mu at x - nu, nu at x - nu.
        """
        mu, volume, rows = self.mu, self._sites.numel(), []
        for nu in (nu for nu in range(len(self.shape)) if nu != mu):
            rows += [
                [(nu, self._at({mu: 1})), (mu, self._at({nu: 1})), (nu, self._at({}))],
                [(nu, self._at({mu: 1, nu: -1})), (mu, self._at({nu: -1})), (nu, self._at({nu: -1}))],
            ]
        return torch.stack([torch.stack([direction * volume + sites for direction, sites in row]) for row in rows])

    def _at(self, steps):
        """Numbers of the sites x + steps, for the active x."""
        dims = tuple(-1 - nu for nu in steps)
        moved = torch.roll(self._sites, [-s for s in steps.values()], dims) if steps else self._sites
        return moved.flatten()[self.active]
