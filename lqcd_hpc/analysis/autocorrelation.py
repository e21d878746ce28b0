"""The normalised autocorrelation function of a history, for eyes that want to judge tau_int."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import Estimate, estimate, gamma_observable, replicas


@dataclass(frozen=True)
class Autocorrelation:
    """rho(t) for t = 0, 1, ... with errors, the window where the sum stops, and the estimate from it."""

    rho: np.ndarray
    error: np.ndarray
    window: int
    estimate: Estimate


def autocorrelation_function(history, name=""):
    r"""rho(t) = Gamma(t) / Gamma(0) up to twice the automatic window.

    .. math:: \delta\rho(t)^2 = \frac1N \sum_{k=\max(1,t-W)}^{t+W} [\rho(k+t) + \rho(k-t) - 2\rho(k)\rho(t)]^2

    after Luescher, hep-lat/0409106, eq. (E.11). Takes and refuses what `errors.estimate` does.

    >>> found = autocorrelation_function(np.random.default_rng(1).normal(size=1000))
    >>> float(found.rho[0]), bool(abs(found.rho[1]) < 0.1)
    (1.0, True)
    """
    chains = replicas(history, name)
    mean = np.concatenate(chains).mean()
    observable = gamma_observable(mean, chains, name)
    rho = np.asarray(observable.e_rho["chain"], float)
    window = int(observable.e_windowsize["chain"])
    lags = min(len(rho), 2 * window + 9)
    total = sum(map(len, chains))
    error = np.array([_rho_error(rho, t, window, total) for t in range(lags)])
    return Autocorrelation(rho[:lags], error, window, estimate(chains, name))


def _rho_error(rho, t, window, total):
    k = np.arange(max(1, t - window), t + window + 1)
    padded = np.concatenate([rho, np.zeros(2 * t + window + 2)])
    terms = padded[k + t] + padded[np.abs(k - t)] - 2 * padded[k] * padded[t]
    return np.sqrt(np.sum(terms**2) / total)
