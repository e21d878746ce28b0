"""Train a preconditioner: gauge fields read or made, checkpoints and a journal on the way, a model with its card."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd
from pathlib import Path
from typing import Any

from ..errors import LqcdError
from ..fields import gauge
from ..fields.kinds import group_name
from ..fields.random import Random
from ..io import inspect_header
from ..io.collective import everywhere, on_root
from ..io.configuration import load
from ..lattice import Lattice
from ..measurements.plaquette import Plaquette
from ..sampling.heatbath import Heatbath
from .collect import finish, versions
from .files import files_of
from .termination import noticed
from .train import MODEL, Recorder, resumed

SOLVE = {"tol": 1e-6, "restart": 30, "max_iterations": 500}  # what the card tells of the use of a model


def train_preconditioner(run, directory, processes, say=print, start=None):
    """Train from the last checkpoint on; returns the last evaluation. Collective.

    `start` is a model whose parameters the network begins with. Raises `LqcdError` for what does not fit, and if the
    loss is no longer finite; `Terminated` at a signal, after a checkpoint.
    """
    comm, made = processes.comm, prepared(run, processes, start)
    trainer, U = made.trainer, made.fields[0]
    directory.bind(run, _identity(run, start), (comm.size,), U.lattice.shape, group_name(U.kind.nc))
    metadata = resumed(trainer, directory.path)
    with noticed() as came, Recorder(run, directory.path, trainer, metadata, comm, came) as recorder:
        trainer.run(recorder)
    solved = _solved(run, U, trainer.network)
    plaquette = Plaquette().on(U)()["plaquette"]
    on_root(comm, lambda: _finish(run, directory.path, made, processes, say, solved, plaquette))
    return trainer.evaluations[-1]


@dataclass(frozen=True)
class Prepared:
    """A training before its first step: the trainer, the gauge fields of this process's group, the names of all, and
    the operator on the first of the fields."""

    trainer: Any
    fields: list
    names: list
    operator: Any


def prepared(run, processes, start=None):
    """What cannot be trained is refused here, before anything is written. Collective."""
    from ..ml.noise import seeded
    from ..ml.preconditioners.models import start_from
    from ..ml.training.inversion import InversionTrainer

    comm, settings = processes.comm, run.train
    groups = gcd(settings.groups, comm.size)
    if comm.size > 1 and not hasattr(comm, "split"):
        raise LqcdError("a lattice is divided among processes of MPI: start with mpirun or srun instead")
    group = comm.rank * groups // comm.size
    own = comm.split(group, comm.rank) if comm.size > 1 else comm
    files = on_root(comm, lambda: _files(run))
    fields, names = everywhere(comm, lambda: _gauge_fields(run, files, own, groups, group))
    operators = [run.operator.on(U).to(settings.precision) for U in fields]
    with seeded(run.random.as_seed):
        network = run.preconditioner.on(operators[0])
    if hasattr(network, "identity") and network.identity(operators[0]) and len(names) > 1:
        raise LqcdError(
            f"[preconditioner]: a coarse model belongs to one gauge field, and there are {len(names)} configurations"
        )
    if start or settings.start:
        everywhere(comm, lambda: start_from(network, start or settings.start, operators[0]))
    settings, every = replace(settings, groups=groups), run.output.checkpoint
    trainer = InversionTrainer(network, operators, settings, run.random.as_seed, processes, group, every)
    return Prepared(trainer, fields, names, operators[0])


def _identity(run, start):
    """What must not change between the parts of a training."""
    kept = {k: v for k, v in run.tables["train"].items() if k not in ("evaluate", "groups")}
    if run.train.schedule != "cosine":
        kept.pop("steps", None)
    names = ("preconditioner", "operator", "configurations", "random", "action")
    found = {name: repr(run.tables.get(name)) for name in names}
    return found | {"train": repr(kept), "model to start from": str(start)}


def _files(run):
    """The stored configurations of a training; none if it makes its own."""
    patterns = run.configurations.files
    return None if patterns is None else files_of(patterns, "configurations")


def _gauge_fields(run, files, comm, groups, group):
    """The gauge fields of this group of processes, and the names of all."""
    table, asked = run.lattice, run.configurations
    grid = (table.ranks, table.boundary, 1, comm, table.threads) if table else (None, None, 1, comm)
    if files is None:
        names = [f"{asked.updates} updates, stream {k}" for k in range(asked.count)]
        lattice = Lattice(table.shape, *grid)
        fields = [_made(run, lattice, k) for k in _share(names, groups, group)]
        return fields, names
    header = on_root(comm, lambda: inspect_header(files[0], tuple(table.shape) if table else None))
    if table and table.group != header.group:
        raise LqcdError(f"{files[0]} holds {header.group}, the run file says {table.group}")
    lattice = Lattice(header.shape, *grid)
    return [load(files[k], lattice)[0] for k in _share(files, groups, group)], files


def _share(names, groups, group):
    if len(names) % groups:
        raise LqcdError(f"{len(names)} configurations cannot be divided among groups = {groups} of processes")
    return range(group, len(names), groups)


def _made(run, lattice, number):
    """A gauge field from a hot start, by the heatbath of its own stream."""
    rng = Random(run.random.as_seed, number)
    U = gauge.hot(lattice, rng, run.lattice.group)
    heatbath = Heatbath(run.action.on(U), run.configurations.overrelaxation)
    for _ in range(run.configurations.updates):
        heatbath.update(rng)
    return U


def _solved(run, U, network):
    """Iterations of FGMRES on the first gauge field to 1e-6, without and with the preconditioner."""
    from ..fields.noise import draw_signs
    from ..ml.solvers.learned import Trained
    from ..solvers.fgmres import FGMRES
    from ..solvers.solution import NotConverged

    D = run.operator.on(U)
    b, found = D.vector(), {}
    draw_signs(b, Random(run.random.as_seed, 2).key())
    learned = {"preconditioner": Trained(network), "preconditioner_precision": "single"}
    for name, keys in (("without", {}), ("with", learned)):
        try:
            found[name] = FGMRES(**SOLVE, **keys)(D, b).iterations
        except NotConverged:
            found[name] = None
    return found


def _finish(run, path, made, processes, say, solved, plaquette):
    """The model, its card, and the pages for people."""
    from ..ml.preconditioners.models import architecture
    from ..ml.training.state import write_model

    trainer = made.trainer
    card = architecture(run.tables["preconditioner"], made.fields[0]) | {
        "operator": run.tables["operator"],
        "train": run.tables["train"],
        "seed": run.random.seed,
        "configurations": made.names,
        "plaquette": plaquette,
        "steps": trainer.step,
        "loss": trainer.evaluations[-1]["loss"],
        "history": trainer.evaluations,
        "iterations": solved,
        "warnings": trainer.warnings(),
        "core_seconds": trainer.core_seconds,
        "processes": processes.size,
        "parameters": sum(p.numel() for p in trainer.parameters.values()),
        "versions": versions("torch", "safetensors"),
    }
    if hasattr(trainer.network, "identity") and (owner := trainer.network.identity(made.operator)):
        card["belongs_to"] = owner
    prefix = f"{trainer.named}."
    tensors = {k.removeprefix(prefix): t for k, t in trainer.state()[0].items() if k.startswith(prefix)}
    write_model(Path(path) / MODEL, tensors, card)
    shown = {name: count or f"more than {SOLVE['max_iterations']}" for name, count in solved.items()}
    say(f"loss {card['loss']:.4g} after {card['steps']} steps, {card['core_seconds']:.4g} core-seconds")
    say(f"FGMRES to {SOLVE['tol']:g}: {shown['without']} iterations, with this preconditioner {shown['with']}")
    for warning in card["warnings"]:
        say(f"WARNING {warning}")
    say(f"model: {Path(path) / MODEL}")
    finish(path, run.output.report, say)
