"""A model of what ranks lose to communication, fitted to measured points.

One call of a workload on a rank takes

    t = t_apart + n o + B / p + n max(0, T - t_interior / n) + r ceil(log2 P) max(a_r, d),
    T = max(a + (B / n) / min(b, b_net), d)

t_apart, t_interior : seconds without neighbours, and the part of them in which messages are under way; n exchanges send
B bytes in all, r reductions are made over P ranks; messages are held back until d after their start, and b_net is the
bandwidth of a slower network.
The five parameters are those of `Network`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import numpy as np

from ...errors import LqcdError
from .delay import rounds


@dataclass(frozen=True)
class Demand:
    """What one call asks of a rank: seconds of computing, of those with messages under way, exchanges, bytes sent,
    reductions, and over how many ranks."""

    compute: float
    interior: float
    exchanges: float
    bytes: float
    reductions: float
    ranks: int


@dataclass(frozen=True)
class Network:
    """latency a [s], bandwidth b [B/s]; overhead o [s] of an exchange and rate p [B/s] of packing, which the processor
    spends; latency a_r [s] of a reduction between two ranks.

    >>> network = Network(latency=1e-5, bandwidth=1e9, overhead=2e-5, packing=5e9, reduction=1e-5)
    >>> round(network.time(Demand(1e-3, 8e-4, 1, 1e6, 0, 2)), 6)  # 10 us + 1 ms of which 0.8 ms are hidden
    0.00143
    """

    latency: float
    bandwidth: float
    overhead: float
    packing: float
    reduction: float

    def time(self, demand, delay=0.0, limit=float("inf")):
        """Seconds of one call, `delay` and `limit` being those of a slower network."""
        return sum(self.parts(demand, delay, limit).values())

    def parts(self, demand, delay=0.0, limit=float("inf")):
        """The same by cause: computing, packing, waiting, reducing."""
        n = demand.exchanges
        reducing = demand.reductions * rounds(demand.ranks) * max(self.reduction, delay)
        made = {"compute": demand.compute, "pack": 0.0, "wait": 0.0, "reduce": reducing}
        if n and demand.bytes:
            message = max(self.latency + demand.bytes / n / min(self.bandwidth, limit), delay)
            made["pack"] = n * self.overhead + demand.bytes / self.packing
            made["wait"] = n * max(0.0, message - demand.interior / n)
        return made


PARAMETERS = tuple(field.name for field in fields(Network))
HELD = 0.01  # weight of the usual values beside a point
_USUAL = Network(latency=2e-5, bandwidth=5e9, overhead=5e-5, packing=3e9, reduction=1e-5)


@dataclass(frozen=True)
class Fit:
    """A `Network` with the relative error of every parameter, and the spread of the points about it."""

    network: Network
    errors: dict
    spread: float
    points: int

    def document(self):
        return {"parameters": asdict(self.network), "relative_errors": self.errors} | {
            "spread": self.spread,
            "points": self.points,
        }


def fit(samples):
    """The `Fit` to (demand, seconds, delay, limit), by least squares of log(t_model / t_measured).

    Errors are those of the linearised fit; a parameter that the samples do not fix keeps a usual value, and has an
    infinite error.
    Raises `LqcdError` for fewer samples than parameters.

    >>> truth = Network(3e-5, 2e9, 4e-5, 4e9, 2e-5)
    >>> demands = [Demand(1e-6, 0, n, 1e4 * 2**k, r, 2) for n in (1, 4) for k in range(8) for r in (0, 8)]
    >>> demands += [Demand(1e-3, 9e-4, 1, 1e5 * k, 0, 2) for k in range(1, 6)]
    >>> found = fit([(d, truth.time(d), 0.0, float("inf")) for d in demands])
    >>> bool(np.allclose(list(asdict(found.network).values()), list(asdict(truth).values()), rtol=0.05))
    True
    """
    from scipy.optimize import least_squares

    if len(samples) <= len(PARAMETERS):
        raise LqcdError(f"{len(samples)} points do not fix {len(PARAMETERS)} parameters: measure more of them")

    def residuals(logs):
        network = _network(logs)
        found = [np.log(network.time(demand, delay, limit) / t) for demand, t, delay, limit in samples]
        return np.array([*found, *(HELD * (logs - start))])

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
    inside = float(np.median([one["interior"] for one in ranks]))
    computing = float(np.median([one["interior"] + one["compute"] for one in ranks]))
    share = inside / computing if computing else 0.0
    compute = point["apart"] if point["workload"] != "messages" else 0.0
    return Demand(compute, share * compute, counts["exchanges"], counts["bytes"], counts["reductions"], point["ranks"])
