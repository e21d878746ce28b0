"""The training loop: Adam in one or many processes, watched, with checkpoints, resumable to the bit."""

from __future__ import annotations

import time

import torch

from ...errors import LqcdError, Terminated
from .processes import Processes
from .schedules import rate
from .transfer import restore

REPORT = 25  # steps whose numbers stay on the device before they are looked at
LIMIT = 1e30  # a loss beyond it will not come back


class Watcher:
    """What a training tells; this one does not listen."""

    def steps(self, first, columns):
        """Numbers of steps first + 1, first + 2, ...: lists loss, learning_rate, and what else the training has."""

    def evaluated(self, step, values):
        """An evaluation after `step` steps."""

    def checkpoint(self, trainer):
        """The state after `trainer.step` steps is finite and may be stored."""

    def wants_end(self):
        """The number of the signal at which the training shall end, with a checkpoint after this step (0: none); one
        process that has one is enough."""
        return 0


class Loop:
    """Trains a module in place; a subclass says what a step and an evaluation are.

    module : its parameters are trained; `named` what it is called in checkpoints and messages
    settings : an `Optimisation`
    checkpoint : steps between calls of `watcher.checkpoint`

    A subclass gives `one()`, a step whose numbers stay where they are (a tensor, the loss first); `columns(rows)`,
    lists from the numbers of some steps; `evaluate()`, a dict. Raises `LqcdError` (from `run`) if the loss is no longer
    finite.
    """

    named = "model"

    def __init__(self, module, settings, seed, processes=None, checkpoint=500):
        self.module, self.settings, self.seed = module, settings, seed
        self.processes, self.every = processes or Processes(), checkpoint
        self.parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}
        if not self.parameters:
            raise LqcdError(f"the {self.named} has no parameters: there is nothing to train")
        real = not any(p.is_complex() for p in self.parameters.values())
        self.adam = torch.optim.Adam(self.parameters.values(), lr=settings.learning_rate, fused=real)
        self.step, self.core_seconds, self.evaluations, self.recent = 0, 0.0, [], []
        self._clock = time.process_time()

    @property
    def reached(self):
        """Whether the training is as good as was asked for."""
        return False

    @property
    def finished(self):
        """Whether all steps are done, or what was asked for is reached."""
        return self.step >= self.settings.steps or self.reached

    def run(self, watcher=None):
        """Train to the end; returns the last evaluation. Collective. Raises `Terminated` if the watcher asks for it."""
        watcher, settings = watcher or Watcher(), self.settings
        rows = []
        while not self.finished:
            rows.append(self.one())
            self.step += 1
            evaluation = self.step % settings.evaluate == 0 or self.step == settings.steps
            end = self.processes.largest(watcher.wants_end())
            checkpoint = end > 0 or self.step % self.every == 0
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
                kept = f"the training ended after {self.step} of {settings.steps} steps, with a checkpoint"
                raise Terminated(end, f"{kept}; start it again to go on")
        return self.evaluations[-1]

    def set_rate(self):
        """The learning rate of this step."""
        for group in self.adam.param_groups:
            group["lr"] = rate(self.settings, self.step)

    def update(self):
        """A step of Adam along the gradients that are there."""
        if self.settings.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters.values(), self.settings.clip, foreach=True)
        self.adam.step()
        self.adam.zero_grad()

    def state(self):
        """(tensors, metadata) of everything that the next step depends on."""
        tensors = {f"{self.named}.{name}": tensor for name, tensor in self.module.state_dict().items()}
        for name, parameter in self.parameters.items():
            for key, tensor in self.adam.state[parameter].items():
                tensors[f"adam.{key}.{name}"] = tensor
        metadata = {"step": self.step, "core_seconds": self.core_seconds}
        return tensors, metadata | {"evaluations": self.evaluations, "recent": self.recent}

    def resume(self, tensors, metadata):
        """Go back to a state."""
        prefix = f"{self.named}."
        kept = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
        restore(self.module, kept, "of the checkpoint")
        for name, parameter in self.parameters.items():
            keys = [key for key in tensors if key.startswith("adam.") and key.split(".", 2)[2] == name]
            state = {key.split(".", 2)[1]: tensors[key] for key in keys}
            device = self.processes.device
            self.adam.state[parameter] = {key: tensor.to(device) for key, tensor in state.items()}
        self.step, self.core_seconds = metadata["step"], metadata["core_seconds"]
        self.evaluations, self.recent = metadata["evaluations"], metadata["recent"]

    def _report(self, rows, watcher):
        """Look at the numbers of the last steps."""
        columns = self.columns(rows)
        first = self.step - len(rows)
        bad = [number for number, loss in enumerate(columns["loss"]) if not abs(loss) < LIMIT]
        if bad:
            raise self._diverged(first + bad[0] + 1)
        rates = [rate(self.settings, step) for step in range(first, self.step)]
        watcher.steps(first, columns | {"learning_rate": rates})

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
