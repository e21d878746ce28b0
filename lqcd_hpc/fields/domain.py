"""Domains: the sites on which a kernel acts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Everywhere:
    """All sites."""

    def contains(self, coords):
        return np.ones(coords.shape[:-1], bool)


@dataclass(frozen=True)
class Parity:
    """Sites with sum_mu x_mu = parity (mod 2)."""

    parity: int

    def contains(self, coords):
        return coords.sum(axis=-1) % 2 == self.parity


@dataclass(frozen=True)
class Colour:
    """Sites with sum_mu weights_mu x_mu = value (mod modulus)."""

    weights: tuple[int, ...]
    modulus: int
    value: int

    def contains(self, coords):
        return coords @ np.array(self.weights) % self.modulus == self.value


@dataclass(frozen=True)
class Slice:
    """Sites with x_mu = position."""

    mu: int
    position: int

    def contains(self, coords):
        return coords[..., self.mu] == self.position


@dataclass(frozen=True)
class Sent:
    """Sites of a parity that other ranks need because a displacement takes them there."""

    displacement: tuple[int, ...]
    parity: int


EVERYWHERE = Everywhere()


@dataclass
class Items:
    """Loop items of a domain: a range, or a list with the lanes that take part (None for all of them)."""

    begin: int
    end: int
    items: np.ndarray | None = None
    masks: np.ndarray | None = None

    @property
    def count(self):
        return self.end - self.begin

    def where(self, chosen):
        """The items of this list or range for which `chosen` (per item) holds."""
        items = np.arange(self.begin, self.end) if self.items is None else self.items
        keep = chosen[items]
        kept = np.ascontiguousarray(items[keep])
        return Items(0, len(kept), kept, None if self.masks is None else np.ascontiguousarray(self.masks[keep]))


def items_of(layout, domain):
    """The loop items of a domain in a layout (made once)."""
    key = ("domain", domain)
    if key not in layout.tables:
        layout.tables[key] = _find(layout, domain)
    return layout.tables[key]


def _find(layout, domain):
    if isinstance(domain, Everywhere):
        return Items(0, layout.items)
    if isinstance(domain, Sent):
        parts = [part.sent for part in layout.halo([domain.displacement]).parts[domain.parity]]
        items = np.unique(np.concatenate([np.zeros(0, np.int64), *parts]) // layout.lanes)
        return Items(0, len(items), np.ascontiguousarray(items))
    periodic_parity = all(n % 2 == 0 for n in layout.lattice.local_shape)
    apart = not layout.mixed and (periodic_parity or layout.lattice.comm.size == 1)
    if isinstance(domain, Parity) and apart:
        local = (domain.parity + sum(layout.lattice.origin)) % 2
        return Items(*layout.parity_ranges[local])
    inside = domain.contains(layout.local_coords() + np.array(layout.lattice.origin))
    items = np.ascontiguousarray(np.nonzero(inside.any(axis=1))[0])
    chosen = inside[items]
    masks = None if chosen.all() else (chosen << np.arange(layout.lanes)).sum(axis=1).astype(np.uint32)
    return Items(0, len(items), items, masks)
