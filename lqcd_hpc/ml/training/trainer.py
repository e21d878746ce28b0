"""Training of flows: Adam on a loss of a flow and a target, or steps of Gauss and Newton."""

from __future__ import annotations

import torch

from ...analysis.effective_sample_size import diagnose
from ..noise import Noise, seeded
from .evaluation import evaluate
from .gauss_newton import GaussNewton
from .loop import Loop, Watcher
from .losses import loss_of
from .processes import Processes
from .schedules import rate

RECENT = 100  # steps over which the effective sample size of training is averaged

__all__ = ["Trainer", "Watcher", "initialised"]


class Trainer(Loop):
    """Trains a flow in place.

    flow, target : of ml/flows and ml/targets
    settings : a `Training`
    seed : of the noise; sample n of step k has the same noise on any number of processes
    data : samples of the target, for losses that need them
    checkpoint : steps between calls of `watcher.checkpoint`

    Raises `LqcdError` (from `run`) if the loss is no longer finite.

    >>> from lqcd_hpc.ml.flow import Flow
    >>> from lqcd_hpc.ml.targets.scalar import ScalarTarget
    >>> from lqcd_hpc.ml.training.settings import Training
    >>> class Scale(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.log_scale = torch.nn.Parameter(torch.zeros(()))
    ...     def forward(self, z):
    ...         return z * self.log_scale.exp(), self.log_scale.expand(len(z)) * z[0].numel()
    >>> free = ScalarTarget(None, (2, 2), hopping=0.0, quadratic=2.0, quartic=0.0)
    >>> flow = Flow(free.prior, [Scale()])
    >>> trainer = Trainer(flow, free, Training(steps=60, batch=64, learning_rate=0.05), seed=1)
    >>> trainer.run()["ess"] > 0.98
    True
    """

    named = "flow"

    def __init__(self, flow, target, settings, seed, processes=None, data=None, checkpoint=500):
        processes = processes or Processes()
        self.target = target
        self.dtype = torch.float32 if settings.precision == "single" else torch.float64
        self.flow = flow.to(device=processes.device, dtype=self.dtype)
        super().__init__(self.flow, settings, seed, processes, checkpoint)
        self.data = None if data is None else data.to(self.processes.device)
        self.first, self.count = self.processes.share(settings.batch, "[train] batch")
        self.newton = GaussNewton(self.flow, target, self.processes) if settings.loss == "variance" else None
        self.loss = None if self.newton else self.processes.together(loss_of(settings, flow, target, self.data))

    @property
    def reached(self):
        wanted = self.settings.target_ess
        return wanted is not None and bool(self.evaluations) and self.evaluations[-1]["ess"] >= wanted

    def evaluate(self):
        """The evaluation of the flow as it is now, on samples that training never sees."""
        noise = Noise(self.seed, 2 * self.step + 1, 0, self.dtype, self.processes.device)
        samples = self.settings.samples
        return evaluate(self.flow, self.target, samples, noise, self.processes, max(self.count, 256), self.data)

    def warnings(self):
        """What contradicts itself in the effective sample sizes, in words."""
        last = self.evaluations[-1]
        training = sum(self.recent) / len(self.recent) if self.recent else None
        return diagnose(last["ess"], last.get("ess_forward"), training)

    def one(self):
        """One step; (loss, log sum w, log sum w^2) of this process stay on the device."""
        noise = Noise(self.seed, 2 * self.step, self.first, self.dtype, self.processes.device)
        loss, log_w = self._newton(noise) if self.newton else self._adam(noise)
        return torch.stack([loss.detach(), log_w.logsumexp(0), (2 * log_w).logsumexp(0)])

    def _newton(self, noise):
        log_w = self.newton.step(noise, self.count, rate(self.settings, self.step))
        return -log_w.mean(), log_w

    def _adam(self, noise):
        self.set_rate()
        loss, log_w = self.loss(self.count, noise)
        loss.backward()
        self.update()
        if log_w is None:
            log_w = torch.full((1,), torch.nan, device=loss.device, dtype=loss.dtype)
        return loss, log_w

    def columns(self, rows):
        """Loss and effective sample size of every step, of all processes."""
        found = self.processes.gather(torch.stack(rows).double()).cpu()
        ess = torch.exp(2 * found[..., 1].logsumexp(0) - found[..., 2].logsumexp(0)) / self.settings.batch
        self.recent = (self.recent + [e for e in ess.tolist() if e == e])[-RECENT:]
        return {"loss": found[..., 0].mean(0).tolist(), "ess": ess.tolist()}


def initialised(description, target, seed):
    """The flow of a description with first parameters that depend on the seed alone."""
    with seeded(seed):
        return description.on(target)
