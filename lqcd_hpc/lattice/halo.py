"""Halos: a list of ghost sites and where they come from, for any set of displacements.

A ghost site may have its home on any rank, also on this one. All ranks have the same local shape, so the list of
what this rank needs from the rank at an offset is also the list of what the rank at the opposite offset needs from
this one.
"""

from __future__ import annotations

import numpy as np


class Halo:
    """The ghosts that a set of displacements reaches, in the layout given.

    `parts[parity]` is a list of (rank to receive from, ghost slots, rank to send to, slots sent) for the sites of
    one global parity; ranks are None where both are this rank. `blocks` tells whether slots come as whole memory
    blocks.
    """

    def __init__(self, layout, displacements):
        self.displacements = frozenset(displacements)
        self.items = self._ghost_items(layout, sorted(self.displacements))
        self.parts = self._parts(layout) if len(self.items) else ([], [])

    @staticmethod
    def _ghost_items(layout, displacements):
        words = layout.neighbours(tuple(displacements)) & np.uint32(2**27 - 1)
        return np.unique(words[words >= layout.first_ghost]).astype(np.int64)

    def _parts(self, layout):
        offsets, slots = layout.ghost_sources(self.items)
        here = (self.items[:, None] * layout.lanes + np.arange(layout.lanes)).reshape(-1)
        there = slots.reshape(-1)
        offsets = offsets.reshape(-1, offsets.shape[-1])
        received_parity = np.repeat(layout.ghost_parity(self.items), layout.lanes)
        sent_parity = layout.slot_parity(there)
        unique, which = np.unique(offsets, axis=0, return_inverse=True)
        masks = [which.reshape(-1) == k for k in range(len(unique))]
        pieces = [(o, m, _are_blocks(here[m], layout) and _are_blocks(there[m], layout)) for o, m in zip(unique, masks)]
        return tuple(
            [
                _part(layout, offset, here[chosen & (received_parity == p)], there[chosen & (sent_parity == p)], whole)
                for offset, chosen, whole in pieces
                if (chosen & ((received_parity == p) | (sent_parity == p))).any()
            ]
            for p in (0, 1)
        )

    def __bool__(self):
        return len(self.items) > 0


class _part:
    """What one rank offset gives and takes.

    `whole`: both sides are whole memory blocks. Sender and receiver must agree on this (a message of blocks has another
    order than one of slots), so it is decided by both sides and parities together: lists that all ranks share.
    `run`: both sides are one run of blocks. All ranks are alike if their extents are even; else there are no runs.
    """

    def __init__(self, layout, offset, ghosts, sent, whole):
        lattice = layout.lattice
        mine = np.array(lattice.rank_coords)
        source, target = lattice.rank_of_coords(mine + offset), lattice.rank_of_coords(mine - offset)
        own = not offset.any()
        self.source, self.target = (None, None) if own else (source, target)
        self.ghosts, self.sent = ghosts, sent
        self.ghost_blocks = _blocks(ghosts, layout.lanes) if whole else None
        self.sent_blocks = _blocks(sent, layout.lanes) if whole else None
        alike = whole and all(n % 2 == 0 for n in layout.lattice.local_shape)
        self.run = alike and _is_run(self.ghost_blocks) and _is_run(self.sent_blocks)


def _are_blocks(slots, layout):
    """Whether the slots are whole memory blocks of one item each, in order (blocks of several items are GPU memory)."""
    group = layout.lanes
    if group == 1 or group != layout.group or len(slots) % group:
        return False
    rows = slots.reshape(-1, group)
    return bool((rows[:, :1] % group == 0).all() and (rows == rows[:, :1] + np.arange(group)).all())


def _blocks(slots, group):
    return np.ascontiguousarray(slots[::group] // group)


def _is_run(blocks):
    return len(blocks) > 0 and bool((np.diff(blocks) == 1).all())
