"""Sample a target, with or without a flow: histories, values with errors beside the exact ones, costs."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from functools import partial

import numpy as np

from ..config.learn import density_of
from ..errors import LqcdError, Terminated
from ..io.atomic import replacing
from ..io.collective import everywhere, on_root
from ..lattice import SerialCommunicator
from .collect import measurement_file, show_report, summary_of, versions
from .model import load_model
from .progress import Progress
from .states import NOTHING, StateFile, read_states, require_held
from .termination import noticed

RESULT = "result.json"
BLOCK = 16  # chains of a process begin at a multiple of it
PAUSE = 60.0  # seconds between checkpoints


def sample(run, directory, processes, say=print):
    """Sample what the run file says, from the last checkpoint on; returns the report (ml/samplers/report.py) on rank 0.
    Collective.

    Every process runs chains of its own, whose numbers do not depend on how many processes there are. Raises
    `Terminated` at a signal, after a checkpoint.
    """
    comm = processes.comm
    target, flow, card, density = everywhere(comm, lambda: _subject(run))
    flow = flow and flow.to(processes.device)
    sampler = everywhere(comm, lambda: _sampler(run, target, flow))
    share = processes.share(run.samples, "[sampler] samples")[1]
    sampler.batches(share)
    identity = {name: repr(getattr(run, name)) for name in ("model", "sampler", "random")}
    identity |= {"target": repr(density.tables), "flow": repr(run.flow), "keep": run.output.keep}
    identity["number of processes"] = processes.size
    directory.bind(run, identity, (processes.size,), density.shape or (), density.group or "")
    chain = _run(run, sampler, share, _precision(flow), directory.path, processes)
    return on_root(comm, partial(_finish, run, directory.path, target, flow, card, chain, say))


def _subject(run):
    """(target, flow, card, density) of a run file; the model's own where it names none."""
    if run.model is None:
        from ..ml.training.trainer import initialised

        target = run.density.target()
        return target, run.flow and initialised(run.flow, target, run.random.as_seed), {}, run.density
    flow, card = load_model(run.model, run.density)
    density = run.density or density_of(card["target"])
    return density.target(), flow, card, density


def _sampler(run, target, flow):
    sampler = run.sampler.on(target, flow)
    if run.output.keep and sampler.weighted:
        raise LqcdError(
            f"[output] keep: the states of {sampler.kind} have weights, they are not those of the target; leave it out"
        )
    return sampler


def _run(run, sampler, share, precision, path, processes):
    """The chain of all processes."""
    own = path / f"process_{processes.rank:04d}"
    shape = sampler.target.prior.shape
    stored = everywhere(processes.comm, lambda: _stored(own, path, shape))
    first = processes.rank * -(-sampler.width // BLOCK) * BLOCK
    history = sampler.begin(run.random.as_seed, first=first, device=processes.device, stored=stored[:2], **precision)
    with noticed() as came, _Recorder(run, sampler, history, share, path, own, stored, processes.rank == 0) as recorder:
        while history.batches < sampler.batches(share) and not came():
            recorder.made(history.advance())
        recorder.checkpoint()
        wish = processes.comm.allreduce(came() if history.batches < sampler.batches(share) else 0, "max")
        if wish:
            done = f"{recorder.done} of {share} samples"
            raise Terminated(wish, f"sampling ended after {done}, with a checkpoint; start it again to go on")
        recorder.publish()
    return _together(processes.comm.allgather(replace(history.chain(share), state=None, memory={})))


def _stored(own, path, shape):
    """(tensors, numbers, problems) of the last checkpoint of this process; nothing without."""
    from ..ml.training.state import read_newest

    return read_newest(own, lambda numbers: require_held(path, shape, numbers["kept"])) or ()


class _Recorder:
    """Listens to a chain: progress, checkpoints, and states that are kept."""

    def __init__(self, run, sampler, history, share, path, own, stored, root):
        self.history, self.own, self.kind, self.width = history, own, sampler.kind, sampler.width
        self.share = share
        self.progress = Progress(sampler.batches(share), history.batches, root)
        held = tuple(stored[1]["kept"]) if stored else NOTHING
        shape = sampler.target.prior.shape
        self.keeper = (
            StateFile(path, min(run.output.keep, share), shape, run.text, held) if root and run.output.keep else None
        )
        self.last = time.monotonic()
        for problem in stored[2] if stored else ():
            self.progress.say(f"passed over a damaged checkpoint: {problem}")
        if history.batches:
            self.progress.say(f"resuming after {self.done} of {share} samples")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.progress.close()
        if self.keeper:
            self.keeper.close()

    @property
    def done(self):
        """Samples of this process by now."""
        return min(self.history.batches * self.width, self.share)

    def made(self, batch):
        """A batch, or None for one that is left out."""
        if batch:
            self.progress.show(self.history.batches, {"": self.kind})
            if self.keeper:
                self.keeper.add((batch.x if batch.order is None else batch.x[batch.order]).cpu().numpy())
        if time.monotonic() - self.last > PAUSE:
            self.checkpoint()

    def checkpoint(self):
        from ..ml.training.state import write_checkpoint

        tensors, numbers = self.history.state()
        numbers["kept"] = self.keeper.sync() if self.keeper else NOTHING
        numbers["samples"] = self.done  # for lqcd-hpc status
        self.own.mkdir(exist_ok=True)
        write_checkpoint(self.own, self.history.events, tensors, numbers)
        self.last = time.monotonic()

    def publish(self):
        """What was kept, as a file."""
        if self.keeper:
            self.keeper.publish()


def _precision(flow):
    """That of the parameters; double where there are none."""
    kinds = {parameter.dtype for parameter in flow.parameters()} if flow is not None else set()
    return {"dtype": kinds.pop()} if len(kinds) == 1 else {}


def _together(parts):
    """The chains of all processes side by side."""

    def join(name):
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values)

    names = parts[0].observables
    return replace(
        parts[0],
        observables={name: np.concatenate([part.observables[name] for part in parts]) for name in names},
        core_seconds=sum(part.core_seconds for part in parts),
        **{name: join(name) for name in ("accepted", "log_weights", "delta_h")},
    )


def _finish(run, path, target, flow, card, chain, say):
    """Histories, values and costs in files, and as a table."""
    from ..ml.samplers.report import report

    found = report(chain, _log_weights(run, target, flow), card.get("core_seconds", 0.0), card.get("training_ess"))
    exact = dict(getattr(target, "exact", None) or {})
    _write_histories(path, chain)
    content = found.to_dict() | {"exact": exact, "model": run.model, "versions": versions("torch")}
    with replacing(path / RESULT, SerialCommunicator()) as temporary:
        temporary.write_text(json.dumps(_finite(content), indent=1) + "\n")
    say(table(found, exact))
    say(f"values: {path / RESULT}")
    if run.output.report:
        show_report(path, say)
    return found


def _log_weights(run, target, flow):
    """log w on samples of the target, if the run file names some."""
    if run.data is None:
        return None
    if flow is None:
        raise LqcdError("[flow] data tells how well a flow covers the target: give a flow too")
    from ..ml.samplers.reweighting import log_weights

    precision = "single" if "float32" in str(_precision(flow)) else "double"
    return log_weights(target, flow, read_states(run.data, target, precision)).cpu().numpy()


def table(found, exact):
    """A report as text: one line per number, one per observable, beside what is known exactly."""
    lines = [found.sampler]
    known = [(name, value, remark) for name, value, remark in found.rows()]
    if "log_z" in exact and found.log_z:
        value, error = found.log_z
        pull = f", {abs(value - exact['log_z']) / error:.1f} sigma" if error > 0 else ""
        known = [(n, v, f"exact {exact['log_z']:.8g}{pull}" if n == "log Z" else r) for n, v, r in known]
    lines += [f"  {name:26s}{value:>22s}  {remark}".rstrip() for name, value, remark in known]
    head = ("observable", "value", "exact", "sigma", "tau_int", "core-s/independent", "with training")
    rows = [head]
    for name, value, tau_int, seconds, trained in found.observable_rows():
        rows.append(
            (name, value, *_beside(found.observables[name].estimate, exact.get(name)), tau_int, seconds, trained)
        )
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines += ["  " + "  ".join(f"{entry:>{width}s}" for entry, width in zip(row, widths)) for row in rows]
    return "\n".join([*lines, *(f"  WARNING {text}" for text in found.warnings)])


def _beside(estimate, exact):
    if exact is None:
        return "", ""
    return f"{exact:.8g}", f"{estimate.deviation(exact):.1f}" if estimate.error > 0 else ""


def _write_histories(path, chain):
    """measurements.h5 with one table: every observable along the chains."""
    with measurement_file(path, summary_of(path)) as file:
        group = file.create_group("samples")
        group.attrs["kind"] = "weighted" if chain.weighted else "samples"
        group["step"] = np.arange(1, chain.steps + 1)
        special = {"accepted": chain.accepted, "log_weight": chain.log_weights, "delta_h": chain.delta_h}
        for name, values in (chain.observables | special).items():
            if values is not None:
                group[name] = np.asarray(values, float).T if chain.chains > 1 else np.asarray(values[0], float)


def _finite(value):
    """The same with null in the place of numbers that are not finite."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
