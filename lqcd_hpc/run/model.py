"""Trained flows as models: a directory with the weights and a card that says what they are."""

from __future__ import annotations

from ..config import described
from ..config.learn import density_of
from ..errors import LqcdError
from .collect import versions


def load_model(path, density=None):
    """(flow, card) of a model: the directory `model` that a training leaves, or the directory of its run.

    With a `density` (config/learn.py) the flow is made for that target and takes the parameters of the model by name
    and shape: another volume or coupling. Raises `LqcdError` if the model is damaged or does not fit.

    >>> load_model("no-such-run")
    Traceback (most recent call last):
        ...
    lqcd_hpc.errors.LqcdError: ...
    """
    from ..ml.training.state import read_model
    from ..ml.training.transfer import restore, transfer

    tensors, card = read_model(path)
    if not {"target", "flow"} <= set(card):
        raise LqcdError(f"{path} is a model of something else: the card of a flow has the tables target and flow")
    known = density_of(card["target"])
    flow = described("flow", card["flow"], "flow of the model").on((density or known).target())
    if not tensors:
        return flow, card
    flow = flow.to(next(t.dtype for t in tensors.values() if t.is_floating_point()))
    if density is None or density.tables == known.tables:
        restore(flow, tensors, path)
    else:
        transfer(flow, tensors, path)
    return flow, card


def card_of(run, trainer, processes):
    """What a model is: everything that is needed to build it again, and how good it is."""
    last = trainer.evaluations[-1]
    return {
        "target": run.density.tables,
        "flow": run.tables["flow"],
        "train": run.tables["train"],
        "seed": run.random.seed,
        "steps": trainer.step,
        "ess": last["ess"],
        "loss": last["loss"],
        "log_z": [last["log_z"], last["log_z_error"]],
        "acceptance": last["acceptance"],
        "training_ess": trainer.recent and sum(trainer.recent) / len(trainer.recent),
        "history": trainer.evaluations,
        "warnings": trainer.warnings(),
        "core_seconds": trainer.core_seconds,
        "processes": processes.size,
        "parameters": sum(p.numel() for p in trainer.parameters.values()),
        "versions": versions("torch", "safetensors"),
    }


def start_from(flow, path):
    """Give a flow the parameters of a model."""
    from ..ml.training.state import read_model
    from ..ml.training.transfer import transfer

    tensors, _ = read_model(path)
    transfer(flow, tensors, path)
