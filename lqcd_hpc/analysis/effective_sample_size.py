"""How good weighted samples are: effective sample size, log Z, acceptance, from w = e^{-S}/q."""

from __future__ import annotations

import numpy as np

from ..errors import LqcdError

SUSPICIOUS = 0.5  # ratio of two effective sample sizes below which one of them cannot be trusted


def reverse_ess(log_weights):
    """(sum w)^2/(N sum w^2) of samples of q: 1 for q = p, 1/N if one sample has all the weight.

    It is blind to modes that q misses, and too high for small N.

    >>> reverse_ess([0.3, 0.3, 0.3])
    1.0
    """
    w = _scaled(log_weights)
    return float(w.sum() ** 2 / (w.size * (w * w).sum()))


def forward_ess(log_weights):
    """1/(<w>_p <1/w>_p) of samples of the target p (from a Markov chain): the same limit as `reverse_ess`, but it
    falls where q misses modes of p.

    >>> forward_ess([0.3, 0.3, 0.3])
    1.0
    """
    log_weights = _checked(log_weights)
    return float(1 / (_scaled(log_weights).mean() * _scaled(-log_weights).mean() * np.exp(np.ptp(log_weights))))


def log_z(log_weights):
    """(log mean w, its error) of independent samples of q: log Z of e^{-S} (with q normalised).

    >>> log_z([0.25, 0.25])
    (0.25, 0.0)
    """
    log_weights = _checked(log_weights)
    w = _scaled(log_weights)
    error = w.std(ddof=1) / (w.mean() * np.sqrt(w.size)) if w.size > 1 else np.inf
    return float(log_weights.max() + np.log(w.mean())), float(error)


def equilibrium_acceptance(log_weights):
    """Mean acceptance of independence Metropolis in equilibrium: sum_ij min(w_i, w_j)/(N sum_i w_i).

    >>> round(equilibrium_acceptance(np.log([1.0, 3.0])), 3)
    0.75
    """
    w = np.sort(_scaled(log_weights))
    pairs = 2 * np.arange(w.size, 0, -1) - 1  # of which a weight is the smaller one
    return float((w * pairs).sum() / (w.size * w.sum()))


def tau_int_bound(log_weights):
    """1/<A> - 1/2, a lower bound of tau_int of independence Metropolis from its rejections: a chain that moves with
    probability A has tau_int = 1/A - 1/2, and <1/A> >= 1/<A>.

    >>> tau_int_bound([0.0, 0.0])
    0.5
    """
    return 1 / equilibrium_acceptance(log_weights) - 0.5


def diagnose(reverse, forward=None, training=None):
    """Messages, in words, if effective sample sizes contradict each other: reverse (fresh samples), forward (samples
    of the target), and that seen while training.

    >>> diagnose(reverse=0.6, forward=0.55, training=0.62)
    []
    """
    found = []
    if forward is not None and forward < SUSPICIOUS * reverse:
        found.append(
            f"mode collapse: on samples of the target the effective sample size is {forward:.3g}, on the flow's own "
            f"{reverse:.3g}: the flow misses part of the target, and averages that are made with it alone are biased; "
            "start from a wider prior or a smaller coupling, train with samples of the target, or use flow_hmc"
        )
    if training is not None and reverse < SUSPICIOUS * training:
        found.append(
            f"fresh samples have an effective sample size of {reverse:.3g}, training saw {training:.3g}: batches of "
            "training are too small to judge by; quote that of fresh samples"
        )
    return found


def _scaled(log_weights):
    log_weights = _checked(log_weights)
    return np.exp(log_weights - log_weights.max())


def _checked(log_weights):
    log_weights = np.asarray(log_weights, float).ravel()
    if not log_weights.size or np.isnan(log_weights).any() or np.isinf(log_weights.max()):
        raise LqcdError("log weights are empty or not finite: the flow or the action overflowed; check the target")
    return log_weights
