"""What a chain says: values with errors, acceptance, effective sample sizes, log Z, and what they cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from ...analysis.effective_sample_size import diagnose, forward_ess, log_z, reverse_ess, tau_int_bound
from ...analysis.errors import Estimate, estimate, exp_minus_dh, format_value
from ...errors import LqcdError

FEWEST = 100  # effective samples below which weighted averages are not to be trusted


@dataclass(frozen=True)
class Result:
    """One observable: its estimate, and the core-seconds that one independent sample of it costs, without and with
    the training of the flow. `independent` = Var(O)/error^2 is the number of independent samples."""

    name: str
    estimate: Estimate
    independent: float
    core_seconds: float
    core_seconds_with_training: float


@dataclass(frozen=True)
class SamplingReport:
    """The numbers of a run: see `report`. Missing ones are None."""

    sampler: str
    chains: int
    steps: int
    observables: dict[str, Result]
    acceptance: float | None
    ess: float | None
    ess_forward: float | None
    tau_int_bound: float | None
    log_z: tuple[float, float] | None
    exp_minus_dh: Estimate | None
    core_seconds: float
    training_core_seconds: float
    warnings: tuple[str, ...]

    def to_dict(self):
        """Plain numbers, for JSON and the container."""
        return asdict(self)

    def rows(self):
        """(quantity, value, remark) of everything but the observables."""
        known = [
            ("chains x steps", f"{self.chains} x {self.steps}", ""),
            ("acceptance", _percent(self.acceptance), ""),
            ("effective sample size", _percent(self.ess), "of fresh samples of the flow (reverse)"),
            ("effective sample size", _percent(self.ess_forward), "on samples of the target (forward)"),
            ("tau_int of rejections", self.tau_int_bound and f">= {self.tau_int_bound:.3g}", "1/acceptance - 1/2"),
            ("log Z", self.log_z and format_value(*self.log_z), ""),
            ("<exp(-dH)>", self.exp_minus_dh and str(self.exp_minus_dh), "must be 1"),
            ("core-seconds", f"{self.core_seconds:.4g}", "of sampling"),
            ("core-seconds", self.training_core_seconds and f"{self.training_core_seconds:.4g}", "of training"),
        ]
        return [row for row in known if row[1]]

    def observable_rows(self):
        """(name, value, tau_int, core-seconds per independent sample without and with training)."""
        return [
            (
                name,
                str(one.estimate),
                format_value(one.estimate.tau_int, one.estimate.tau_int_error),
                f"{one.core_seconds:.3g}",
                f"{one.core_seconds_with_training:.3g}",
            )
            for name, one in self.observables.items()
        ]

    def __str__(self):
        head = [f"{self.sampler}"] + [f"  {name:24s} {value}  {remark}".rstrip() for name, value, remark in self.rows()]
        columns = ("observable", "value", "tau_int", "s/independent", "with training")
        table = [columns, *self.observable_rows()]
        body = ["  " + " ".join(f"{entry:>18s}" for entry in row) for row in table]
        return "\n".join([*head, *body, *(f"  WARNING {text}" for text in self.warnings)])


def report(chain, target_log_weights=None, training_core_seconds=0.0, training_ess=None):
    """The `SamplingReport` of a chain.

    target_log_weights : log e^{-S}/q on samples of the target (`reweighting.log_weights`), for the forward ESS
    training_core_seconds, training_ess : from the card of the model

    Averages are sum w O/sum w for weighted chains; errors and tau_int by the Gamma method (hep-lat/0306017) with
    chains as replicas. The reverse ESS and log Z are those of the chain's own fresh proposals.
    """
    weights = chain.log_weights
    ess = None if weights is None else reverse_ess(weights)
    forward = None if target_log_weights is None else forward_ess(target_log_weights)
    results = {name: _result(chain, name, training_core_seconds) for name in chain.observables}
    return SamplingReport(
        sampler=chain.sampler,
        chains=chain.chains,
        steps=chain.steps,
        observables=results,
        acceptance=None if chain.accepted is None else float(chain.accepted.mean()),
        ess=ess,
        ess_forward=forward,
        tau_int_bound=None if weights is None or chain.weighted else tau_int_bound(weights),
        log_z=None if weights is None else log_z(weights),
        exp_minus_dh=None if chain.delta_h is None else _or_none(exp_minus_dh, chain.delta_h),
        core_seconds=chain.core_seconds,
        training_core_seconds=training_core_seconds,
        warnings=tuple(_warnings(chain, results, ess, forward, training_ess)),
    )


def _result(chain, name, training):
    values = chain.observables[name]
    if chain.weighted:
        one, variance = _reweighted(values, chain.log_weights, name)
    else:
        one, variance = _plain(values, name)
    independent = min(variance / one.error**2, one.samples) if one.error > 0 else np.nan
    seconds = chain.core_seconds / independent
    return Result(name, one, float(independent), float(seconds), float(seconds + training / independent))


def _plain(values, name):
    try:
        return estimate(values, name), values.var()
    except LqcdError:
        return _unknown(values.mean(), values.size, name), 0.0


def _reweighted(values, log_weights, name):
    """sum w O/sum w = m with the error of the history m + w (O - m)/<w>, and the variance of O in the target."""
    w = np.exp(log_weights - log_weights.max())
    mean = (w * values).sum() / w.sum()
    variance = (w * (values - mean) ** 2).sum() / w.sum()
    try:
        return estimate(mean + w * (values - mean) / w.mean(), name), variance
    except LqcdError:
        return _unknown(mean, values.size, name), variance


def _unknown(mean, samples, name):
    """An estimate without an error: constant or too short a history."""
    return Estimate(float(mean), float("nan"), float("nan"), float("nan"), float("nan"), samples, name)


def _or_none(function, *arguments):
    try:
        return function(*arguments)
    except LqcdError:
        return None


def _warnings(chain, results, ess, forward, training_ess):
    steps = chain.steps
    for name, one in results.items():
        if not one.estimate.error > 0:
            yield f"{name} has no error: it never changed (frozen?), or there are fewer than 5 steps per chain"
        elif steps < 10 * one.estimate.tau_int:
            tau = f"{one.estimate.tau_int:.3g}"
            yield f"{name}: chains of {steps} steps are too short for tau_int = {tau}; its value and error mean little"
    if chain.weighted and ess * chain.samples < FEWEST:
        yield f"weights leave {ess * chain.samples:.3g} effective samples: values, errors and log Z mean little"
    if ess is not None:
        yield from diagnose(ess, forward, training_ess)


def _percent(fraction):
    return None if fraction is None else f"{100 * fraction:.3g} %"
