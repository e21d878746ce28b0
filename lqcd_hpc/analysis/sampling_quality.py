"""How well and how fast a run sampled: acceptance, energy violation, seconds per update."""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np

from ..errors import LqcdError
from .errors import estimate, exp_minus_dh


def hmc_rows(table):
    """(quantity, value, remark) of the HMC trajectories in an update table; empty if there are none.

    <exp(-dH)> must be 1; for small dH the acceptance follows erfc(sqrt(<dH>) / 2) (Gupta et al., PLB 242
    (1990) 437).
    """
    columns = table.columns
    delta_h = columns.get("delta_h")
    if delta_h is None or delta_h.ndim != 1 or not np.isfinite(delta_h).any():
        return []
    used = np.isfinite(delta_h)
    delta_h = delta_h[used]
    rows = [("trajectories", str(delta_h.size), "")]
    if "accepted" in columns:
        rows.append(_acceptance(columns["accepted"][used].astype(float), delta_h))
    rows.append(_creutz(delta_h))
    rows.append(("⟨ΔH⟩", _value(lambda: estimate(delta_h, "dH"), delta_h), ""))
    rows.append(
        (
            "⟨|ΔH|⟩",
            _value(lambda: estimate(abs(delta_h), "|dH|"), abs(delta_h)),
            f"largest {abs(delta_h).max():.3g}",
        )
    )
    return rows


def timing_rows(table):
    """(kind of update, number, median seconds, total seconds) for each kind of update that was timed."""
    seconds = table.columns.get("seconds")
    if seconds is None or seconds.ndim != 1:
        return []
    kinds = table.columns.get("kind", np.full(len(seconds), "update"))
    rows = []
    for kind in dict.fromkeys(kinds.tolist()):
        taken = seconds[(kinds == kind) & np.isfinite(seconds)]
        if taken.size:
            rows.append((str(kind), taken.size, f"{np.median(taken):.3g} s", duration(taken.sum())))
    return rows


def duration(seconds):
    """Seconds as a person reads them.

    >>> duration(12.3), duration(754), duration(7500)
    ('12.3 s', '12 min 34 s', '2 h 05 min')
    """
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _acceptance(accepted, delta_h):
    mean = delta_h.mean()
    remark = f"expected from ⟨ΔH⟩: {100 * erfc(sqrt(mean) / 2):.1f} %" if mean > 0 else ""
    try:
        one = estimate(100 * accepted, "acceptance")
    except LqcdError:
        return "acceptance", f"{100 * accepted.mean():.1f} %", remark
    return "acceptance", f"{one} %", remark


def _creutz(delta_h):
    try:
        one = exp_minus_dh(delta_h)
    except LqcdError:
        return "⟨exp(−ΔH)⟩", f"{np.exp(-delta_h).mean():.6g}", "too few trajectories for an error"
    distance = one.deviation(1.0)
    verdict = "as it must be" if distance < 3 else "NOT 1: check reversibility and the force"
    return "⟨exp(−ΔH)⟩", str(one), f"{distance:.1f} σ from 1, {verdict}"


def _value(calculate, history):
    try:
        return str(calculate())
    except LqcdError:
        return f"{history.mean():.6g}"
