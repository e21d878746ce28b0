"""A model of what ranks lose to communication, fitted to measured points.

One call of a workload on a rank takes

    t = t_apart + t_pack + n o + n max(h, T - t_interior / n) + r ceil(log2 P) max(a_r, d),
    h = B / (n c),   T = max(a + max(h, B / (n b)), d)

t_apart, t_interior, t_pack : seconds without neighbours, the part of them in which messages are under way, and of
packing; n exchanges send B bytes in all, r reductions are made over P ranks; messages are held back until d after their
start. What the core does for a message (h) nothing hides; the rest of its time (T) the interior hides.
a, b, c, o, a_r are the parameters of `Network`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from ...errors import LqcdError
from .delay import rounds


@dataclass(frozen=True)
class Demand:
    """What one call asks of a rank: seconds of computing, of those with messages under way, seconds of packing,
    exchanges, bytes sent, reductions, and over how many ranks."""

    compute: float
    interior: float
    packing: float
    exchanges: float
    bytes: float
    reductions: float
    ranks: int


@dataclass(frozen=True)
class Network:
    """latency a [s]; handling c [B/s], the rate at which the core moves what it sends; overhead o [s] of an exchange
    for the core; latency a_r [s] of a reduction between two ranks; bandwidth b [B/s] of the wire, if there is one.

    >>> network = Network(latency=1e-5, handling=1e10, overhead=2e-5, reduction=1e-5, bandwidth=1e9)
    >>> round(network.time(Demand(1e-3, 8e-4, 5e-5, 1, 1e6, 0, 2)), 6)  # 10 us + 1 ms of which 0.8 ms are hidden
    0.00128
    """

    latency: float
    handling: float
    overhead: float
    reduction: float
    bandwidth: float = inf

    def time(self, demand, delay=0.0):
        """Seconds of one call, with messages held back by `delay`."""
        return sum(self.parts(demand, delay).values())

    def parts(self, demand, delay=0.0):
        """The same by cause: computing, packing (and the overhead), moving and waiting, reducing."""
        n = demand.exchanges
        reducing = demand.reductions * rounds(demand.ranks) * max(self.reduction, delay)
        made = {"compute": demand.compute, "pack": 0.0, "wait": 0.0, "reduce": reducing}
        if n and demand.bytes:
            handled = demand.bytes / n / self.handling
            message = max(self.latency + max(handled, demand.bytes / n / self.bandwidth), delay)
            made["pack"] = demand.packing + n * self.overhead
            made["wait"] = n * max(handled, message - demand.interior / n)
        return made


PARAMETERS = ("latency", "handling", "overhead", "reduction")
HELD = 0.01  # weight of the usual values beside a point
_USUAL = Network(latency=2e-5, handling=5e9, overhead=5e-5, reduction=1e-5)


@dataclass(frozen=True)
class Fit:
    """A `Network` with the relative error of every parameter, and the spread of the points about it."""

    network: Network
    errors: dict
    spread: float
    points: int

    def document(self):
        return {
            "parameters": {name: getattr(self.network, name) for name in PARAMETERS},
            "relative_errors": self.errors,
            "spread": self.spread,
            "points": self.points,
        }


def fit(samples):
    """The `Fit` to pairs (demand, seconds) without delay and wire, by least squares of log(t_model / t_measured).

    Errors are those of the linearised fit; a parameter that the samples do not fix keeps a usual value, and has an
    infinite error.
    Raises `LqcdError` for fewer samples than parameters.

    >>> truth = Network(latency=3e-5, handling=2e9, overhead=4e-5, reduction=2e-5)
    >>> demands = [Demand(1e-6, 0, 1e-5, n, 1e4 * 2**k, r, 2) for n in (1, 4) for k in range(8) for r in (0, 8)]
    >>> demands += [Demand(1e-3, 9e-4, 1e-5, 1, 1e5 * k, 0, 2) for k in range(1, 6)]
    >>> found = fit([(d, truth.time(d)) for d in demands]).network
    >>> all(abs(getattr(found, name) / getattr(truth, name) - 1) < 0.05 for name in PARAMETERS)
    True
    """
    from scipy.optimize import least_squares

    if len(samples) <= len(PARAMETERS):
        raise LqcdError(f"{len(samples)} points do not fix {len(PARAMETERS)} parameters: measure more of them")

    def residuals(logs):
        network = _network(logs)
        return np.array([*(np.log(network.time(demand) / t) for demand, t in samples), *(HELD * (logs - start))])

    start = np.log([getattr(_USUAL, name) for name in PARAMETERS])
    found = least_squares(residuals, start, loss="soft_l1", f_scale=0.2, max_nfev=2000)
    plain = residuals(found.x)[: len(samples)]
    covariance = np.linalg.inv(found.jac.T @ found.jac) * (plain @ plain) / (len(samples) - len(PARAMETERS))
    free = HELD**2 * np.diag(np.linalg.inv(found.jac.T @ found.jac)) > 0.5  # held by its usual value alone
    errors = np.where(free, np.inf, np.sqrt(np.diag(covariance)))
    named = dict(zip(PARAMETERS, map(float, errors)))
    return Fit(_network(found.x), named, float(np.median(np.abs(plain))), len(samples))


def _network(logs):
    return Network(**dict(zip(PARAMETERS, map(float, np.exp(logs)))))


def demand(point):
    """The `Demand` of a measured point (points.py).

    What overlaps is taken as its share of the computing of the split, which was measured in another moment.
    """
    ranks, counts = point["split"], point["counts"]
    inside, packing = (float(np.median([one[phase] for one in ranks])) for phase in ("interior", "pack"))
    computing = float(np.median([one["interior"] + one["compute"] for one in ranks]))
    share = inside / computing if computing else 0.0
    compute = point["apart"] if point["workload"] != "messages" else 0.0
    sent = (counts["exchanges"], counts["bytes"], counts["reductions"])
    return Demand(compute, share * compute, packing, *sent, point["ranks"])
