"""The training loop: Adam on a loss, or steps of Gauss and Newton, in one or many processes, resumable to the bit."""

from __future__ import annotations

import time

import torch

from ...analysis.effective_sample_size import diagnose
from ...errors import LqcdError, Terminated
from ..noise import Noise, seeded
from .evaluation import evaluate
from .gauss_newton import GaussNewton
from .losses import loss_of
from .processes import Processes
from .schedules import rate
from .transfer import restore

REPORT = 25  # steps whose numbers stay on the device before they are looked at
LIMIT = 1e30  # a loss beyond it will not come back
RECENT = 100  # steps over which the effective sample size of training is averaged


class Watcher:
    """What a training tells; this one does not listen."""

    def steps(self, first, columns):
        """Numbers of steps first + 1, first + 2, ...: lists loss, ess (of the batch), learning_rate."""

    def evaluated(self, step, values):
        """An evaluation after `step` steps."""

    def checkpoint(self, trainer):
        """The state after `trainer.step` steps is finite and may be stored."""

    def wants_end(self):
        """Whether the training shall end with a checkpoint after this step; one process that says so is enough."""
        return False


class Trainer:
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

    def __init__(self, flow, target, settings, seed, processes=None, data=None, checkpoint=500):
        self.settings, self.seed, self.target = settings, seed, target
        self.processes = processes or Processes()
        self.dtype = torch.float32 if settings.precision == "single" else torch.float64
        self.flow = flow.to(device=self.processes.device, dtype=self.dtype)
        self.parameters = {name: p for name, p in flow.named_parameters() if p.requires_grad}
        if not self.parameters:
            raise LqcdError("the flow has no parameters: there is nothing to train")
        self.data = None if data is None else data.to(self.processes.device)
        self.first, self.count = self.processes.share(settings.batch, "[train] batch")
        self.every = checkpoint
        self.newton = GaussNewton(self.flow, target, self.processes) if settings.loss == "variance" else None
        self.loss = None if self.newton else self.processes.together(loss_of(settings, flow, target, self.data))
        real = not any(p.is_complex() for p in self.parameters.values())
        self.adam = torch.optim.Adam(self.parameters.values(), lr=settings.learning_rate, fused=real)
        self.step, self.core_seconds, self.evaluations, self.recent = 0, 0.0, [], []
        self._clock = time.process_time()

    @property
    def finished(self):
        """Whether all steps are done, or the effective sample size that was asked for is reached."""
        wanted = self.settings.target_ess
        reached = wanted is not None and bool(self.evaluations) and self.evaluations[-1]["ess"] >= wanted
        return self.step >= self.settings.steps or reached

    def run(self, watcher=None):
        """Train to the end; returns the last evaluation. Collective. Raises `Terminated` if the watcher asks for it."""
        watcher, settings = watcher or Watcher(), self.settings
        rows = []
        while not self.finished:
            rows.append(self._one())
            self.step += 1
            evaluation = self.step % settings.evaluate == 0 or self.step == settings.steps
            end = self.processes.any(watcher.wants_end())
            checkpoint = end or self.step % self.every == 0
            if evaluation or checkpoint or len(rows) == REPORT:
                self._report(rows, watcher)
                rows = []
            if evaluation:
                self.evaluations.append({"step": self.step} | self.evaluate())
                watcher.evaluated(self.step, self.evaluations[-1])
            if checkpoint or self.finished:
                self._require_finite()
                self._count_seconds()
                watcher.checkpoint(self)
            if end and not self.finished:
                raise Terminated(
                    f"SIGTERM: the training ended after {self.step} of {settings.steps} steps, with a checkpoint; "
                    "start it again to go on"
                )
        return self.evaluations[-1]

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

    def state(self):
        """(tensors, metadata) of everything that the next step depends on."""
        tensors = {f"flow.{name}": tensor for name, tensor in self.flow.state_dict().items()}
        for name, parameter in self.parameters.items():
            for key, tensor in self.adam.state[parameter].items():
                tensors[f"adam.{key}.{name}"] = tensor
        metadata = {"step": self.step, "core_seconds": self.core_seconds}
        return tensors, metadata | {"evaluations": self.evaluations, "recent": self.recent}

    def resume(self, tensors, metadata):
        """Go back to a state."""
        restore(self.flow, {k[5:]: t for k, t in tensors.items() if k.startswith("flow.")}, "of the checkpoint")
        for name, parameter in self.parameters.items():
            keys = [key for key in tensors if key.startswith("adam.") and key.split(".", 2)[2] == name]
            state = {key.split(".", 2)[1]: tensors[key] for key in keys}
            device = self.processes.device
            self.adam.state[parameter] = {key: tensor.to(device) for key, tensor in state.items()}
        self.step, self.core_seconds = metadata["step"], metadata["core_seconds"]
        self.evaluations, self.recent = metadata["evaluations"], metadata["recent"]

    def _one(self):
        """One step; (loss, log sum w, log sum w^2) of this process stay on the device."""
        noise = Noise(self.seed, 2 * self.step, self.first, self.dtype, self.processes.device)
        loss, log_w = self._newton(noise) if self.newton else self._adam(noise)
        return torch.stack([loss.detach(), log_w.logsumexp(0), (2 * log_w).logsumexp(0)])

    def _newton(self, noise):
        log_w = self.newton.step(noise, self.count, rate(self.settings, self.step))
        return -log_w.mean(), log_w

    def _adam(self, noise):
        for group in self.adam.param_groups:
            group["lr"] = rate(self.settings, self.step)
        loss, log_w = self.loss(self.count, noise)
        loss.backward()
        if self.settings.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters.values(), self.settings.clip, foreach=True)
        self.adam.step()
        self.adam.zero_grad()
        if log_w is None:
            log_w = torch.full((1,), torch.nan, device=loss.device, dtype=loss.dtype)
        return loss, log_w

    def _report(self, rows, watcher):
        """Look at the numbers of the last steps, of all processes."""
        found = self.processes.gather(torch.stack(rows).double()).cpu()
        loss = found[..., 0].mean(0)
        ess = torch.exp(2 * found[..., 1].logsumexp(0) - found[..., 2].logsumexp(0)) / self.settings.batch
        first = self.step - len(rows)
        bad = (~(loss.abs() < LIMIT)).nonzero()
        if len(bad):
            raise self._diverged(first + int(bad[0]) + 1)
        self.recent = (self.recent + [e for e in ess.tolist() if e == e])[-RECENT:]
        rates = [rate(self.settings, step) for step in range(first, self.step)]
        watcher.steps(first, {"loss": loss.tolist(), "ess": ess.tolist(), "learning_rate": rates})

    def _require_finite(self):
        if not all(bool(torch.isfinite(p).all()) for p in self.parameters.values()):
            raise self._diverged(self.step)

    def _diverged(self, step):
        ways = ["a smaller learning_rate", "warm_up"]
        ways += ["clip = 1.0"] if self.settings.clip is None else ["a smaller clip"]
        ways += ['precision = "double"'] if self.settings.precision == "single" else []
        return LqcdError(
            f"the loss is not finite, or astronomic, at step {step}: the training diverged; use {' or '.join(ways)}; "
            "checkpoints from before are kept"
        )

    def _count_seconds(self):
        now = time.process_time()
        self.core_seconds += float(self.processes.comm.allreduce(now - self._clock))
        self._clock = now


def initialised(description, target, seed):
    """The flow of a description with first parameters that depend on the seed alone."""
    with seeded(seed):
        return description.on(target)
