"""What the model of communication.py says of machines that were not measured."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from statistics import median

from ...errors import LqcdError
from ...lattice.decomposition import choose_grid, surface
from .communication import Demand, Network, demand


@dataclass(frozen=True)
class Constants:
    """Of one workload and precision: seconds per site on one core of the machine that was measured, the share of them
    that may overlap, exchanges, bytes per ghost site, reductions of one call, and by direction the seconds of packing
    per ghost site; a direction that was not measured is taken as slow as the slowest."""

    seconds_per_site: float
    overlapping: float
    exchanges: float
    bytes_per_ghost: float
    reductions: float
    packing: dict

    def demand(self, shape, grid, speed=1.0):
        """The `Demand` on a lattice over a rank grid, for cores `speed` times as fast."""
        local = [n // r for n, r in zip(shape, grid)]
        compute = prod(local) * self.seconds_per_site / speed
        inner = compute * self.overlapping * interior_share(local, grid)
        sent = surface(shape, grid) * self.bytes_per_ghost
        packing = sum(
            2 * prod(local) // n * self.packing.get(mu, max(self.packing.values())) / speed
            for mu, (n, r) in enumerate(zip(local, grid))
            if r > 1
        )
        return Demand(compute, inner, packing, self.exchanges if sent else 0, sent, self.reductions, prod(grid))


def interior_share(local, grid):
    """Sites that have all their neighbours on their own rank: prod (1 - 2/l) over divided directions.

    >>> interior_share((8, 8, 8, 8), (1, 1, 1, 2))
    0.75
    """
    return prod(max(0, n - 2) / n for n, r in zip(local, grid) if r > 1)


def constants(points):
    """The `Constants` of measured points of one workload. Raises `LqcdError` if none of them has neighbours
    in one direction alone."""
    talking = [p for p in points if p["surface"] and p["delay"] == 0 and not p["oversubscribed"]]
    if not any(sum(ranks > 1 for ranks in p["grid"]) == 1 for p in talking):
        raise LqcdError("no point of several ranks in one direction: nothing is known of what they send")
    largest = max(p["sites"] for p in talking)
    demands = [(demand(p), p) for p in talking]
    shares = [
        min(1.0, d.interior / d.compute / interior_share(p["local"], p["grid"]))
        for d, p in demands
        if interior_share(p["local"], p["grid"]) > 0
    ]
    return Constants(
        median(p["apart"] / p["sites"] for p in talking if p["sites"] == largest),
        median(shares) if shares else 0.0,
        median(d.exchanges for d, _ in demands),
        median(d.bytes / p["surface"] for d, p in demands),
        median(d.reductions for d, _ in demands),
        _packing(demands),
    )


def _packing(demands):
    """Direction -> seconds per ghost, of the largest points that are divided in that direction alone."""
    found = {}
    for d, p in demands:
        divided = [mu for mu, ranks in enumerate(p["grid"]) if ranks > 1]
        if len(divided) == 1:
            found.setdefault(divided[0], []).append((p["sites"], d.packing / p["surface"]))
    return {mu: median(t for sites, t in some if sites == max(some)[0]) for mu, some in found.items()}


def table(found, shape, ranks, network: Network, speed=1.0):
    """One line per number of ranks: grid, seconds of a call by cause, and the efficiency against the fewest ranks.

    Numbers of ranks that do not divide the lattice are left out.
    """
    lines = []
    for count in ranks:
        try:
            grid = choose_grid(shape, count)
        except LqcdError:
            continue
        parts = network.parts(found.demand(shape, grid, speed))
        lines.append({"ranks": count, "grid": list(grid), "seconds": sum(parts.values()), "parts": parts})
    first = lines[0]["ranks"] * lines[0]["seconds"] if lines else 0.0
    return [line | {"efficiency": first / (line["ranks"] * line["seconds"])} for line in lines]
