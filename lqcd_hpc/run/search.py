"""Search among trainings: optuna varies keys of a run file, every trial is a training of its own in `trials/NNN`.

The journal is the memory of the search: one that was killed tells optuna the trials that the journal holds, and goes on
with the training that was under way.
"""

from __future__ import annotations

import json
from math import isfinite

from ..config.learn import parse_train, varied
from ..errors import LqcdError, MachineError
from ..io.atomic import replacing
from ..io.collective import on_root
from ..lattice import SerialCommunicator
from .collect import finish
from .directory import RunDirectory
from .journal import NAME, Journal, line, read
from .train import MODEL, train

BEST = "best.json"


def search(run, directory, processes, say=print, start=None):
    """Train with `trials` choices of the keys in `ranges`; returns the record of the best. Collective.

    Raises `LqcdError` if no training came to an end.
    """
    comm, path, wanted = processes.comm, directory.path, run.search
    directory.bind(run, _identity(run), (processes.size,), run.density.shape or (), run.density.group or "")
    known = on_root(comm, lambda: _known(path / NAME))
    length = sum(len(line(record)) for record in known)
    book = Journal(path / NAME, True, length) if comm.rank == 0 else Journal(None, False)
    try:
        for number in range(len(known) + 1, wanted.trials + 1):
            choice = on_root(comm, lambda n=number: _suggest(run, known, n))
            folder = path / "trials" / f"{number:03d}"
            values = _trial(run, choice, folder, processes, start)
            record = {"step": number, "name": "trial", "values": values | choice}
            known.append(record)
            on_root(comm, lambda r=record: _note(book, r))
            if comm.rank == 0:
                _tell(say, number, wanted, values, choice)
    finally:
        book.close()
    return on_root(comm, lambda: _finish(run, path, known, say))


def _identity(run):
    found = {name: repr(run.tables[name]) for name in ("flow", "train", "random")}
    ranges = {"search": repr(run.search.ranges), "objective": run.search.objective}
    return found | ranges | {"target": repr(run.density.tables)}


def _known(path):
    return read(path) if path.exists() else []


def _note(book, record):
    book.append(record["step"], record["name"], record["values"])
    book.sync()


def _suggest(run, known, number):
    """The choice of a trial, which depends on the seed and on the trials before it alone."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    direction = "maximize" if run.search.objective == "ess" else "minimize"
    sampler = optuna.samplers.TPESampler(seed=(run.random.as_seed + number) % 2**32)
    study = optuna.create_study(direction=direction, sampler=sampler)
    spaces = {key: _distribution(one, optuna.distributions) for key, one in run.search.ranges.items()}
    for record in known:
        values = record["values"]
        failed = values[run.search.objective] is None
        study.add_trial(
            optuna.trial.create_trial(
                params={key: values[key] for key in spaces},
                distributions=spaces,
                value=None if failed else values[run.search.objective],
                state=optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE,
            )
        )
    return study.ask(spaces).params


def _distribution(one, kinds):
    if one.choices is not None:
        return kinds.CategoricalDistribution([json.dumps(choice) for choice in one.choices])
    if isinstance(one.low, int) and isinstance(one.high, int):
        return kinds.IntDistribution(one.low, one.high, log=one.log)
    return kinds.FloatDistribution(one.low, one.high, log=one.log)


def _written(run, choice):
    """A choice as values of a run file: choices from a list are kept as JSON."""
    return {key: json.loads(v) if run.search.ranges[key].choices else v for key, v in choice.items()}


def _trial(run, choice, folder, processes, start):
    """ess and loss of a training with these choices; None for both where it diverged or cannot be made."""
    tables = {name: table for name, table in run.tables.items() if name != "search"}
    tables = varied(tables, _written(run, choice))
    tables["output"] = tables["output"] | {"directory": str(folder), "report": False}
    directory = RunDirectory(folder, processes.comm)
    try:
        one = parse_train(run.text, tables)
        last = train(one, directory, processes, _quiet, start)
        return {"ess": last["ess"], "loss": last["loss"] if isfinite(last["loss"]) else None, "problem": ""}
    except MachineError:  # says nothing about the choice
        raise
    except LqcdError as error:
        return {"ess": None, "loss": None, "problem": str(error)}
    finally:
        directory.release()


def _quiet(text):
    """Say nothing."""


def _tell(say, number, wanted, values, choice):
    keys = "  ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in choice.items()
    )
    result = f"ESS {values['ess']:.4f}  loss {values['loss']:.5g}" if not values["problem"] else values["problem"]
    say(f"trial {number}/{wanted.trials}  {keys}  {result}")


def _finish(run, path, known, say):
    """best.json, measurements.h5 and the report."""
    objective = run.search.objective
    good = [record for record in known if record["values"][objective] is not None]
    if not good:
        raise LqcdError(f"no trial of the search gave a number; the last one: {known[-1]['values']['problem']}")
    sign = 1 if objective == "ess" else -1
    best = max(good, key=lambda record: sign * record["values"][objective])
    choice = {key: best["values"][key] for key in run.search.ranges}
    model = path / "trials" / f"{best['step']:03d}" / MODEL
    content = {"trial": best["step"], objective: best["values"][objective], "model": str(model)}
    content["choice"] = _written(run, choice)
    with replacing(path / BEST, SerialCommunicator()) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")
    value = f"{objective} {best['values'][objective]:.5g}"
    say(f"best of {len(known)} trials: number {best['step']}, {value}, {content['choice']}")
    say(f"model: {model}")
    finish(path, run.output.report, say)
    return best
