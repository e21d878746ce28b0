"""Train a flow: checkpoints and a journal of losses on the way, a model with its card at the end."""

from __future__ import annotations

from pathlib import Path

from ..errors import LqcdError
from ..io.collective import everywhere, on_root
from .collect import finish
from .journal import NAME, Journal, require_whole
from .model import card_of, start_from
from .progress import Progress
from .termination import noticed

MODEL = "model"


def train(run, directory, processes, say=print, start=None):
    """Train from the last checkpoint on; returns the last evaluation. Collective.

    `start` is a model whose parameters the flow begins with. Raises `LqcdError` for what does not fit, and if the loss
    is no longer finite; `Terminated` at a signal, after a checkpoint.
    """
    comm = processes.comm
    trainer = _trainer(run, processes, start)
    directory.bind(run, _identity(run, start), (processes.size,), run.density.shape or (), run.density.group or "")
    metadata = resumed(trainer, directory.path)
    with noticed() as came, Recorder(run, directory.path, trainer, metadata, comm, came) as recorder:
        trainer.run(recorder)
    last = trainer.evaluations[-1]
    on_root(comm, lambda: _finish(run, directory.path, trainer, processes, say))
    return last


def _identity(run, start):
    """What must not change between the parts of a training; it may go on for longer unless its schedule is bound to
    its end."""
    kept = {
        key: value for key, value in run.tables["train"].items() if key not in ("evaluate", "samples", "target_ess")
    }
    if run.train.schedule != "cosine":
        kept.pop("steps", None)
    found = {name: repr(run.tables[name]) for name in ("flow", "random")}
    return found | {"train": repr(kept), "target": repr(run.density.tables), "model to start from": str(start)}


def _trainer(run, processes, start):
    """The trainer before its first step; what cannot be trained is refused here, before anything is written."""
    from ..ml.training.trainer import Trainer, initialised

    target = run.density.target()
    flow = initialised(run.flow, target, run.random.as_seed)
    if start or run.train.start:
        everywhere(processes.comm, lambda: start_from(flow, start or run.train.start))
    data = everywhere(processes.comm, lambda: _data(run, target))
    return Trainer(flow, target, run.train, run.random.as_seed, processes, data, run.output.checkpoint)


def resumed(trainer, path):
    """Take the trainer to its last checkpoint; the metadata of that (none: step 0)."""
    from ..ml.training.state import read_newest

    comm = trainer.processes.comm
    found = everywhere(comm, lambda: read_newest(path, lambda m: require_whole(path / NAME, m["journal_bytes"])))
    steps = comm.allgather(found and found[1]["step"])
    if len(set(steps)) > 1:
        raise LqcdError(f"the processes read checkpoints of different steps {steps} in {path}: start again")
    if found is None:
        return {"journal_bytes": 0, "problems": []}
    tensors, metadata, problems = found
    trainer.resume(tensors, metadata)
    return metadata | {"problems": problems}


def _data(run, target):
    """Samples of the target from the file of a sampling run."""
    if run.train.data is None:
        return None
    from .states import read_states

    return read_states(run.train.data, target, run.train.precision)


class Recorder:
    """Listens to a trainer: journal, progress, event files, checkpoints. Writes on rank 0."""

    def __init__(self, run, path, trainer, metadata, comm, wants_end):
        self.path, self.comm, self.wants_end = path, comm, wants_end
        self.journal = on_root(comm, lambda: self._open(metadata["journal_bytes"])) or Journal(None, False)
        self.progress = Progress(run.train.steps, trainer.step, comm.rank == 0)
        self.events = _events(path, trainer.step) if run.output.tensorboard and comm.rank == 0 else None
        self.live = {}
        for problem in metadata["problems"]:
            self.progress.say(f"passed over a damaged checkpoint: {problem}")
        if trainer.step:
            self.progress.say(f"resuming after {trainer.step} of {run.train.steps} steps")
            if trainer.evaluations:
                self.live = _live(trainer.evaluations[-1])

    def _open(self, length):
        self._journal = Journal(self.path / NAME, True, length)

    def __enter__(self):
        if self.comm.rank == 0:
            self.journal = self._journal
        return self

    def __exit__(self, *error):
        self.progress.close()
        self.journal.close()
        if self.events:
            self.events.close()

    def steps(self, first, columns):
        if self.comm.rank:
            return
        for number in range(len(columns["loss"])):
            row = {name: values[number] for name, values in columns.items()}
            self.journal.append(first + number + 1, "train", row)
            if self.events:
                for name, value in row.items():
                    self.events.add_scalar(f"train/{name}", value, first + number + 1)
        shown = {"loss": f"{columns['loss'][-1]:.7g}"}
        if "ess" in columns:
            shown["ESS of batch"] = f"{columns['ess'][-1]:.3f}"
        shown |= self.live
        self.progress.show(first + len(columns["loss"]), shown)

    def evaluated(self, step, values):
        self.live = _live(values)
        if self.comm.rank == 0:
            row = {name: value for name, value in values.items() if name != "step"}
            self.journal.append(step, "evaluation", row)
            if self.events:
                for name, value in row.items():
                    self.events.add_scalar(f"evaluation/{name}", value, step)

    def checkpoint(self, trainer):
        from ..ml.training.state import write_checkpoint

        def write():
            tensors, metadata = trainer.state()
            metadata["journal_bytes"] = self.journal.sync()
            write_checkpoint(self.path, trainer.step, tensors, metadata)

        on_root(self.comm, write)


def _live(values):
    if "ess" in values:
        return {"ESS": f"{values['ess']:.4f}", "log Z": f"{values['log_z']:.7g}"}
    return {"held out": f"{values['loss']:.5g}"}


def _events(path, step):
    try:
        from ..ml.training.events import writer
    except ImportError as error:
        raise LqcdError(f"[output] tensorboard = true needs {error.name}: pip install tensorboard") from None
    return writer(path / "events", step)


def _finish(run, path, trainer, processes, say):
    """The model, its card, and the pages for people."""
    from ..ml.training.state import write_model

    card = card_of(run, trainer, processes)
    tensors = {name.removeprefix("flow."): t for name, t in trainer.state()[0].items() if name.startswith("flow.")}
    write_model(Path(path) / MODEL, tensors, card)
    say(
        f"ESS {card['ess']:.4g}, acceptance {card['acceptance']:.4g}, log Z {card['log_z'][0]:.6g} +- "
        f"{card['log_z'][1]:.2g} after {card['steps']} steps, {card['core_seconds']:.4g} core-seconds"
    )
    for warning in card["warnings"]:
        say(f"WARNING {warning}")
    say(f"model: {Path(path) / MODEL}")
    finish(path, run.output.report, say)
