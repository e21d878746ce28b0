"""Values with errors from Markov-chain histories, by the Gamma method (Wolff, hep-lat/0306017)."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isfinite, log10

import numpy as np
import pyerrors

from ..errors import LqcdError

SHORTEST = 5


@dataclass(frozen=True)
class Estimate:
    """A mean with its error, the error of the error, and the integrated autocorrelation time.

    `tau_int` is in units of the distance between neighbouring samples and is 1/2 for independent ones;
    `samples` counts the samples of all replicas.

    >>> str(Estimate(0.593678, 0.000024, 1e-6, 0.5, 0.01, 4000))
    '0.593678(24)'
    """

    mean: float
    error: float
    error_of_error: float
    tau_int: float
    tau_int_error: float
    samples: int
    name: str = ""

    def __str__(self):
        return format_value(self.mean, self.error)

    @property
    def reliable(self):
        """Whether the history spans at least 50 tau_int, so that the error is known to some 20 %."""
        return self.samples >= 50 * self.tau_int

    def deviation(self, expected):
        """Distance to an expected value in units of the error."""
        return abs(self.mean - expected) / self.error


def estimate(history, name=""):
    r"""The mean of a history with its Gamma-method error.

    `history` is a 1D array, or several replicas of one chain: a 2D array (replicas, samples) or a list of 1D
    arrays.

    .. math:: \sigma^2 = 2 \tau_{int} \Gamma(0) / N, \ \tau_{int} = 1/2 + \sum_{t=1}^W\Gamma(t) / \Gamma(0)

    with the automatic window W of hep-lat/0306017, section 3.3 (S = 2), and replicas measured from their
    common mean.

    Raises `LqcdError` when a replica is shorter than 5, holds a nan, or all samples are equal.

    >>> import numpy as np
    >>> str(estimate(np.random.default_rng(1).normal(0.5, 0.1, 10000)))
    '0.4989(10)'
    """
    chains = replicas(history, name)
    mean = float(np.concatenate(chains).mean())
    return _estimate(mean, chains, name)


def derived(function, *histories, name=""):
    """A function of the means of several histories, measured together, with its Gamma-method error.

    `function` takes one float per history. Its derivatives are taken numerically over one standard error, and
    the histories are projected on them (hep-lat/0306017, section 2.2).

    >>> import numpy as np
    >>> x, y = np.random.default_rng(5).normal([[2.0], [4.0]], 0.1, (2, 2500))
    >>> str(derived(lambda a, b: b / a, x, y))
    '2.0002(22)'
    """
    chains = [replicas(history, name) for history in histories]
    lengths = [[len(chain) for chain in one] for one in chains]
    if any(length != lengths[0] for length in lengths):
        raise LqcdError(
            f"{_label(name)}: the histories have different lengths {lengths}: give samples of the same configurations"
        )
    pooled = [np.concatenate(one) for one in chains]
    means = np.array([one.mean() for one in pooled])
    steps = np.array([one.std() / np.sqrt(one.size) for one in pooled])
    gradient = _gradient(function, means, steps)
    value = float(function(*means))
    projected = [value + sum(g * (x - m) for g, x, m in zip(gradient, row, means)) for row in zip(*chains)]
    return _estimate(value, projected, name)


def exp_minus_dh(delta_h, name="exp(-dH)"):
    """<exp(-dH)> of an HMC; one within errors if the algorithm is exact (Creutz, PRD 38 (1988) 1228).

    `delta_h` holds one value per trajectory; entries that are nan (other kinds of update) are left out.

    >>> exp_minus_dh(np.random.default_rng(1).normal(0.005, 0.1, 4000)).deviation(1) < 5
    True
    """
    chains = [np.asarray(chain, float) for chain in _chains(delta_h)]
    return estimate([np.exp(-chain[~np.isnan(chain)]) for chain in chains], name)


def susceptibility(history, factor=1.0, known_mean=None, name="susceptibility"):
    """factor * (<x^2> - <x>^2), or factor * <(x - known_mean)^2> where a symmetry fixes the mean.

    The topological susceptibility is `susceptibility(charge, 1 / volume, known_mean=0)`.

    >>> susceptibility(np.random.default_rng(1).normal(2.0, 0.5, 4000), factor=4).deviation(1.0) < 5
    True
    """
    chains = replicas(history, name)
    if known_mean is not None:
        return estimate([factor * (chain - known_mean) ** 2 for chain in chains], name)
    origin = np.concatenate(chains).mean()
    shifted = [chain - origin for chain in chains]
    squares = [chain**2 for chain in shifted]
    return derived(lambda square, mean: factor * (square - mean**2), squares, shifted, name=name)


def format_value(value, error):
    """Value and error in short notation, two digits of the error.

    >>> format_value(12.3456, 0.0789), format_value(6.7e-4, 1.2e-5), format_value(512.0, 3.0)
    ('12.346(79)', '6.70(12)e-04', '512.0(3.0)')
    """
    if not (isfinite(value) and isfinite(error) and error > 0):
        return f"{value:.8g}"
    if error < 1e-14 * abs(value):  # digits that a double does not have
        return f"{value:.12g}"
    size = max(abs(value), error)
    if size < 1e-3 or size >= 1e6:
        exponent = floor(log10(size))
        return f"{format_value(value / 10**exponent, error / 10**exponent)}e{exponent:+03d}"
    rounded = f"{error:.1e}"
    digits = 1 - int(rounded.split("e")[1])
    if float(rounded) >= 1:
        digits = max(digits, 0)
        return f"{value:.{digits}f}({error:.{digits}f})"
    return f"{value:.{digits}f}({round(error * 10**digits)})"


def replicas(history, name=""):
    """The history as a list of 1D float arrays, checked: long enough, real, finite."""
    chains = [np.asarray(chain) for chain in _chains(history)]
    for chain in chains:
        if chain.ndim != 1:
            raise LqcdError(
                f"{_label(name)} has {chain.ndim} axes per replica: give a 1D array, "
                "a list of 1D arrays, or a 2D array (replicas, samples)"
            )
        if np.iscomplexobj(chain):
            raise LqcdError(f"{_label(name)} is complex: estimate its real part, imaginary part or modulus")
        if chain.size < SHORTEST:
            raise LqcdError(
                f"{_label(name)} has only {chain.size} samples: the Gamma method needs at least {SHORTEST} "
                "per replica; run longer or measure more often"
            )
        bad = np.flatnonzero(~np.isfinite(chain.astype(float)))
        if bad.size:
            raise LqcdError(
                f"{_label(name)}: {bad.size} samples are nan or infinite, the first is number {bad[0]}: "
                "take them out before estimating"
            )
    if not chains:
        raise LqcdError(f"{_label(name)} is empty: give at least one replica")
    return [chain.astype(float) for chain in chains]


def gamma_observable(value, chains, name=""):
    """The pyerrors observable of given chains after the Gamma method; refuses a constant history."""
    spread = max(np.max(np.abs(chain - value)) for chain in chains)
    if spread <= 1e-14 * max(abs(value), 1e-300):
        raise LqcdError(
            f"{_label(name)} is constant (all {sum(map(len, chains))} samples are {value:.8g}): "
            "it has no statistical error; check that the chain moves"
        )
    names = [f"chain|{number:06d}" for number in range(len(chains))]
    spans = [range(1, len(chain) + 1) for chain in chains]
    observable = pyerrors.Obs([chain - value for chain in chains], names, idl=spans, means=[value] * len(chains))
    observable.gamma_method()
    return observable


def _estimate(value, chains, name):
    observable = gamma_observable(value, chains, name)
    return Estimate(
        mean=value,
        error=float(observable.dvalue),
        error_of_error=float(observable.ddvalue),
        tau_int=float(observable.e_tauint["chain"]),
        tau_int_error=float(observable.e_dtauint["chain"]),
        samples=sum(map(len, chains)),
        name=name,
    )


def _gradient(function, means, steps):
    gradient = np.zeros(len(means))
    for i, step in enumerate(steps):
        if step > 0:
            shift = np.where(np.arange(len(means)) == i, step, 0.0)
            gradient[i] = (function(*(means + shift)) - function(*(means - shift))) / (2 * step)
    return gradient


def _chains(history):
    if isinstance(history, np.ndarray):
        return [history] if history.ndim <= 1 else list(history)
    history = list(history)
    return [history] if not history or np.ndim(history[0]) == 0 else history


def _label(name):
    return f"history {name!r}" if name else "the history"
