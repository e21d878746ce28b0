"""Generate an ensemble: stages of updates with measurements, checkpoints and stored configurations in between."""

from __future__ import annotations

import time

import numpy as np

from ..errors import LqcdError, Terminated
from ..fields import gauge, scalar
from ..fields.finite import require_finite
from ..fields.gauge import link_trace
from ..fields.random import Random
from ..io.collective import on_root
from ..io.configuration import load, save
from ..lattice import Lattice
from ..measurements.plaquette import Plaquette
from ..sampling import checkpoint
from .directory import identity_of
from .journal import NAME, Journal, require_whole
from .observe import observe
from .progress import Progress
from .termination import noticed


def generate(run, directory, comm):
    """Run all stages from the last checkpoint on.

    Raises `Terminated` at a signal, after a checkpoint; `LqcdError` if the field is no longer finite.
    """
    table = run.lattice
    lattice = Lattice(table.shape, table.ranks, table.boundary, table.replicas, comm, table.threads)
    if run.output.configurations and lattice.replicas > 1:
        raise LqcdError(
            "[output] configurations: files hold one system, this lattice has several replicas; leave the key out"
        )
    rng = Random(run.random.seed, run.random.stream)
    U = _start(run, lattice, rng)
    observables = [(o, o.description.on(U)) for o in run.observables]
    updates = [stage.update.on(run.action.on(U)) for stage in run.stages]
    directory.bind(run, identity_of(run), lattice.ranks, lattice.shape, table.group or U.kind.name)
    Chain(run, directory, U, rng, observables, updates).advance()


def _start(run, lattice, rng):
    group, precision, kind = run.lattice.group, run.lattice.precision, run.field_kind
    if kind:
        cold = run.start.kind == "cold"
        return scalar.cold(lattice, kind, precision) if cold else scalar.hot(lattice, rng, kind, precision)
    if run.start.kind == "cold":
        return gauge.cold(lattice, group, precision)
    if run.start.kind == "hot":
        return gauge.hot(lattice, rng, group, precision)
    if run.start.kind == "instanton":
        return gauge.instanton(lattice, group, precision=precision)
    U, header = load(run.start.file, lattice, precision=precision)
    if header.group != group:
        raise LqcdError(f"{run.start.file} holds {header.group}, the run file says {group}")
    return gauge.close_open_ends(U)


def _watched(run, U):
    """What is noted after every update, as a function: the plaquette, or the action per site of scalars."""
    if run.field_kind:
        action = run.action.on(U)
        return lambda: {"action_density": action.value() / U.lattice.volume}
    plaquette = Plaquette().on(U)
    return lambda: {"plaquette": plaquette()["plaquette"]}


class Chain:
    """A Markov chain in its directory."""

    def __init__(self, run, directory, U, rng, observables, updates):
        self.run, self.path, self.U, self.rng = run, directory.path, U, rng
        self.observables, self.updates = observables, updates
        self.comm = U.lattice.comm
        self.step, length, problems = 0, 0, []
        if resumed := checkpoint.read_newest(self.path, U, self._require_journal):
            metadata, self.rng, problems = resumed
            self.step, length = metadata["step"], metadata["journal_bytes"]
        self.kept = self.step
        on_root(self.comm, lambda: self._open(length))
        self._watched = _watched(run, U)
        self.progress = Progress(run.updates, self.step, self.comm.rank == 0)
        for problem in problems:
            self.progress.say(f"passed over a damaged checkpoint: {problem}")
        if self.step:
            self.progress.say(f"resuming after {self.step} of {run.updates} updates")

    def _require_journal(self, metadata):
        require_whole(self.path / NAME, metadata["journal_bytes"])

    def _open(self, length):
        self.journal = Journal(self.path / NAME, True, length)

    def advance(self):
        """Go on to the end of the last stage."""
        if self.comm.rank:
            self.journal = Journal(None, False)
        try:
            if self.step == 0:
                self._save_checkpoint()
            with noticed() as came:
                self._all_stages(came)
            if self.step % self.run.output.checkpoint:
                self._save_checkpoint()
        finally:
            self.progress.close()
            self.journal.close()

    def _all_stages(self, came):
        first = 0
        for stage, update in zip(self.run.stages, self.updates):
            for _ in range(max(self.step, first), first + stage.count):
                self._one(stage, update)
                wish = self.comm.allreduce(came(), "max")
                if wish and self.step < self.run.updates:
                    self._end(wish)
            first += stage.count

    def _end(self, wish):
        """End in order before the last update."""
        if self.step % self.run.output.checkpoint:
            self._save_checkpoint()
        kept = f"the run ended after {self.step} of {self.run.updates} updates, with a checkpoint"
        raise Terminated(wish, f"{kept}; start it again to go on")

    def _one(self, stage, update):
        begin = time.perf_counter()
        report = self._updated(stage, update)
        self.step += 1
        values = {"kind": stage.kind} | dict(vars(report))
        values["accepted"] = (
            np.asarray(values["accepted"], int) if self.U.lattice.replicas > 1 else int(values["accepted"])
        )
        watched = self._watched()
        self._require_finite(stage, watched)
        values |= watched
        seconds = time.perf_counter() - begin
        if self.comm.rank == 0:
            self._note(stage, values, seconds)
        if stage.measure:
            self._measure()
        every = self.run.output.configurations
        if every and stage.measure and self.step % every == 0:
            self._save_configuration()
        if self.step % self.run.output.checkpoint == 0:
            self._save_checkpoint()
        self.progress.show(self.step, _live(stage, values, watched))

    def _updated(self, stage, update):
        """The report of an update."""
        try:
            return update.update(self.rng)
        except LqcdError as error:
            require_finite(self.U, self._where(stage, self.step + 1))
            raise LqcdError(f"{self._where(stage, self.step + 1)}: {error}") from None

    def _require_finite(self, stage, watched):
        """What is watched after every update shows each value of the field that is not a number."""
        if not all(np.isfinite(value).all() for value in watched.values()):
            require_finite(self.U, self._where(stage, self.step))
            raise LqcdError(f"{self._where(stage, self.step)}: {watched} is not finite")

    def _where(self, stage, number):
        return f"update {number} ({stage.kind}), after the last checkpoint at update {self.kept}"

    def _note(self, stage, values, seconds):
        self.journal.append(self.step, "update", values)
        with open(self.path / "seconds.txt", "a") as file:
            file.write(f"{self.step} {seconds:.6f}\n")

    def _measure(self):
        for observable, measure in self.observables:
            if self.step % observable.every == 0:
                self.journal.append(self.step, observable.name, observe(measure, self.step, self.path))

    def _save_configuration(self):
        folder = self.path / "configurations"
        on_root(self.comm, lambda: folder.mkdir(exist_ok=True))
        suffix = {"hdf5": "h5"}.get(self.run.output.format, self.run.output.format)
        metadata = {"plaquette": float(self._watched()["plaquette"]), "link_trace": float(link_trace(self.U))}
        save(folder / f"conf_{self.step:08d}.{suffix}", self.U, self.run.output.format, metadata=metadata)

    def _save_checkpoint(self):
        length = on_root(self.comm, self.journal.sync)
        checkpoint.write(self.path, self.step, self.U, self.rng, length, self.run.text)
        self.kept = self.step


def _live(stage, values, watched):
    """The numbers of an update that the progress line shows."""
    shown = {"": stage.kind} | {name.replace("_", " "): f"{np.mean(value):.6f}" for name, value in watched.items()}
    if "delta_h" in values:
        shown["dH"] = f"{np.mean(values['delta_h']):+.4f}"
        shown["accepted"] = f"{np.mean(values['accepted']):.2g}"
    if "acceptance" in values:
        shown["accepted"] = f"{np.mean(values['acceptance']):.2g}"
    return shown
