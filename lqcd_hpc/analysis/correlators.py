"""Hadron correlators: effective masses and plateaus with Gamma-method errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import LqcdError
from .errors import Estimate, derived, estimate

KINDS = ("spectrum", "staggered_pion", "propagator", "scalar_correlator")
LOUD = 0.3  # relative error beyond which an effective mass tells nothing


@dataclass(frozen=True)
class Channel:
    """One hadron: its correlator (n, T), or (n, T, R) for R replicas, and the form of its effective mass."""

    symbol: str
    correlator: np.ndarray
    form: str


@dataclass(frozen=True)
class Plateau:
    """A mass, and the first and the last time of the effective masses that it is the mean of."""

    mass: Estimate
    first: int
    last: int


def channels(table):
    """The hadrons of a measurement (a `Table` of one of KINDS); those with a spatial index are averaged over it.

    Raises `LqcdError` if the table holds no correlators.

    >>> from types import SimpleNamespace
    >>> [one.symbol for one in channels(SimpleNamespace(columns={"pseudoscalar": np.ones((3, 8))}))]
    ['π']
    """
    columns = table.columns
    space = "xyz" if "axial_x" in columns else "x"
    planes = [a + b for a in space for b in space if a < b]
    wanted = [
        ("π", ["pseudoscalar"], "cosh"),
        ("ρ", [f"vector_{i}" for i in space], "cosh"),
        ("N", ["nucleon"], "log"),
        ("a₀", ["scalar"], "cosh"),
        ("a₁", [f"axial_{i}" for i in space], "cosh"),
        ("b₁", [f"tensor_{i}" for i in planes], "cosh"),
        ("π", ["pion"], "staggered"),
        ("Σ|S|²", ["norm"], "cosh"),
        ("φ", ["correlator"], "cosh"),
    ]
    found = [
        Channel(symbol, np.mean([columns[name] for name in names], axis=0), form)
        for symbol, names, form in wanted
        if names and set(names) <= set(columns)
    ]
    if not found:
        raise LqcdError(f"no correlators among the columns {', '.join(columns)}")
    return found


def mean_correlator(channel):
    """The mean of every C(t) with its error (nan where histories are too short), two arrays (T,)."""
    values = [_estimated(lambda c: c, _history(channel.correlator, t)) for t in range(channel.correlator.shape[1])]
    return np.array([one.mean for one in values]), np.array([one.error for one in values])


def effective_masses(correlator, form="cosh", name="effective mass"):
    """The effective mass at every time where it is defined: {t: Estimate}; `correlator` as in `Channel`.

    cosh: arccosh (C(t-1) + C(t+1))/(2 C(t)) of the folded correlator. log: ln C(t)/C(t+1) up to t = 3T/8, for hadrons
    that run back as another one. staggered: arccosh (C(t-2) + C(t+2))/(2 C(t)) / 2, whose times are all even or all
    odd, as a partner with the sign (-1)^t wants it. Errors are nan where histories are too short for the Gamma method.

    >>> t = np.arange(16)
    >>> masses = effective_masses(np.cosh(0.5 * (t - 8))[None])
    >>> print(min(masses), max(masses), round(masses[3].mean, 12))
    1 8 0.5
    """
    function, times, needed = _form(form, correlator.shape[1])
    found = {}
    for t in times:
        histories = [_folded(correlator, s, form) for s in needed(t)]
        if np.isfinite(function(*(np.mean(h) for h in histories))):
            found[t] = _estimated(_defined(function), *histories, name=name)
    return found


def plateau(correlator, form="cosh", name="mass"):
    """The weighted mean of effective masses from the first time on that can be trusted, or None if there is none.

    Effective masses are used up to an error of 30 %. The mean begins at T/8 or later, where it agrees with the mean
    from every later beginning within the error of that one.

    >>> C = np.cosh(0.5 * (np.arange(16) - 8)) * np.random.default_rng(1).normal(1, 0.01, (100, 16))
    >>> plateau(C).mass.deviation(0.5) < 5
    True
    """
    masses = {t: m for t, m in effective_masses(correlator, form).items() if t >= correlator.shape[1] // 8}
    loud = [t for t, m in masses.items() if not 0 < m.error < LOUD * abs(m.mean)]
    times = [t for t in masses if not loud or t < loud[0]]
    means = [_mean_mass(correlator, form, times[k:], masses, name) for k in range(len(times) - 1)]
    for k, mass in enumerate(means):
        if all(abs(mass.mean - later.mean) <= later.error for later in means[k + 1 :]):
            return Plateau(mass, times[k], times[-1])
    return None


def _mean_mass(correlator, form, times, masses, name):
    """The weighted mean of the effective masses at these times, with their correlations in its error."""
    weights = np.array([masses[t].error ** -2 for t in times])
    function, _, needed = _form(form, correlator.shape[1])
    used = sorted({s for t in times for s in needed(t)})
    place = {s: k for k, s in enumerate(used)}

    def mean(*values):
        one = _defined(function)
        return np.average([one(*(values[place[s]] for s in needed(t))) for t in times], weights=weights)

    return derived(mean, *(_folded(correlator, s, form) for s in used), name=name)


def _form(form, extent):
    """The effective mass as a function of some C(s), its times, and which s it needs at t."""
    if form == "log":
        return _log, range(3 * extent // 8), lambda t: (t, t + 1)
    step = {"cosh": 1, "staggered": 2}[form]
    return (
        lambda before, here, after: _arccosh((before + after) / (2 * here)) / step,
        range(step, extent // 2 + 1),
        lambda t: (t - step, t, t + step),
    )


def _log(here, ahead):
    return np.log(here / ahead) if here * ahead > 0 else np.nan


def _arccosh(x):
    return np.arccosh(x) if x >= 1 else np.nan


def _defined(function):
    """The function with 0 where it has no value, so that a derivative near its end exists."""

    def defined(*values):
        return np.nan_to_num(function(*values))

    return defined


def _history(correlator, t):
    column = correlator[:, t]
    return column if column.ndim == 1 else column.T


def _folded(correlator, t, form):
    """The history of C(t), or of (C(t) + C(T - t))/2 for hadrons that run both ways."""
    extent = correlator.shape[1]
    here = _history(correlator, t % extent)
    return here if form == "log" else (here + _history(correlator, -t % extent)) / 2


def _estimated(function, *histories, name=""):
    try:
        if len(histories) == 1:
            return estimate(histories[0], name)
        return derived(function, *histories, name=name)
    except LqcdError:
        value = float(function(*(np.mean(h) for h in histories)))
        return Estimate(value, np.nan, np.nan, np.nan, np.nan, np.size(histories[0]), name)
