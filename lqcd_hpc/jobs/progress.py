"""How far one run is, from what lies in its directory; nothing is written or locked, so that jobs are not disturbed."""

from __future__ import annotations

import json
import re
import time
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..config import KINDS
from ..config.compare import RHS
from ..errors import LqcdError
from ..run import journal, lock
from ..run.collect import SUMMARY
from ..run.files import files_of
from ..run.sample import RESULT

SECONDS = "seconds.txt"
LONGEST = 2**24  # bytes of a header
_CHECKPOINT = re.compile(r"checkpoint_(\d{8})\.\w+")


@dataclass(frozen=True)
class Progress:
    """`done` of `goal` steps, seconds for each, what is watched, when something was written last; None: not known.

    `watched` is (name, value with its error) of the plaquette, or of what a run of another kind has in its place.
    """

    kind: str
    done: int | None = None
    goal: int | None = None
    seconds: float | None = None
    acceptance: float | None = None
    watched: tuple[str, str] | None = None
    written: float | None = None
    problem: str | None = None

    @property
    def left(self):
        """Seconds to the goal."""
        known = None not in (self.done, self.goal, self.seconds)
        return max(self.goal - self.done, 0) * self.seconds if known else None

    @property
    def complete(self):
        """Whether the goal is reached."""
        return None not in (self.done, self.goal) and self.done >= self.goal


def progress(directory, text=None):
    """The progress of the run in a directory; `text` is its run file, by default the one that the run was started with.

    Raises `LqcdError` if there is neither.
    """
    directory = Path(directory)
    tables = tomllib.loads(_run_file(directory) if text is None else text)
    kind = next((name for name in KINDS if name in tables), "update")
    problem, records = None, []
    try:
        records = journal.read(directory / journal.NAME)
    except LqcdError as error:
        problem = str(error)
    except OSError:
        pass
    found = {"update": _generated, "source": _measured, "compare": _compared, "sampler": _sampled}.get(kind, _trained)
    numbers = found(directory, tables, records)
    return Progress(kind, **({"seconds": _pace(directory)} | numbers), written=_written(directory), problem=problem)


def is_running(directory):
    """Whether a job holds the lock of a run: it has a record there, which beats."""
    path = Path(directory) / lock.NAME
    try:
        return bool(path.read_bytes().strip(b" \0")) and time.time() - path.stat().st_mtime < lock.PATIENCE
    except OSError:
        return False


def _run_file(directory):
    try:
        return json.loads((directory / SUMMARY).read_text())["run_toml"]
    except (OSError, ValueError, KeyError):
        raise LqcdError(f"{directory} holds no run") from None


def _generated(directory, tables, records):
    stages = tables["update"]
    first = sum(stage["count"] for stage in stages if not stage.get("measure", True))
    rows = [record["values"] for record in records if record["name"] == "update"]
    times = _seconds(directory)
    measured = rows[first:] or rows
    found = {"goal": sum(stage["count"] for stage in stages), "done": times[-1][0] if times else len(rows)}
    if times:
        recent = sorted(seconds for _, seconds in times[-50:])
        found["seconds"] = max(recent[len(recent) // 2], _pace(directory) or 0.0)
    rates = [row.get("acceptance", row.get("accepted")) for row in measured if row["kind"] != "heatbath"]
    found["acceptance"] = _mean(rates)
    for name in ("plaquette", "action_density"):
        values = [row[name] for row in measured if name in row]
        if values:
            found["watched"] = (name, _with_error(values))
    return found


def _measured(directory, tables, records):
    done = sum(record["name"] == "configuration" for record in records)
    with suppress(LqcdError):
        return {"done": done, "goal": len(files_of(tables["source"]["files"]))}
    return {"done": done}


def _compared(directory, tables, records):
    table, files = tables["compare"], tables["source"]["files"]
    solves = sum(len(solver.get("rhs", table.get("rhs", RHS))) for solver in tables["solver"]) * len(table["masses"])
    with suppress(LqcdError):
        return {"done": len(records), "goal": len(files_of(files)) * solves}
    return {"done": len(records)}


def _trained(directory, tables, records):
    steps = [record["step"] for record in records if record["name"] == "train"]
    known = [record["values"] for record in records if record["name"] == "evaluation"]
    found = {"done": max([*steps, *_steps(directory), 0]), "goal": tables.get("train", {}).get("steps")}
    if "search" in tables:
        found |= {"done": len(records), "goal": tables["search"].get("trials")}
    if known:
        name = "ess" if "ess" in known[-1] else "loss"
        found["watched"] = (name, f"{known[-1][name]:.4g}")
    return found


def _sampled(directory, tables, records):
    goal = tables["sampler"].get("samples")
    try:
        result = json.loads((directory / RESULT).read_text())
    except (OSError, ValueError):
        return {"goal": goal, "done": sum(map(_samples, directory.glob("process_*")))}
    return {"goal": goal, "done": goal, "acceptance": result.get("acceptance")}


def _samples(directory):
    """Samples in the newest checkpoint of a process."""
    for newest in sorted((path for path, _ in _checkpoints(directory)), reverse=True)[:1]:
        with suppress(OSError, ValueError, KeyError, TypeError), open(newest, "rb") as file:
            header = file.read(min(int.from_bytes(file.read(8), "little"), LONGEST))  # of safetensors
            return int(json.loads(json.loads(header)["__metadata__"]["lqcd_hpc"])["samples"])
    return 0


def _seconds(directory):
    """(step, seconds) of all updates."""
    with suppress(OSError, ValueError):
        lines = (directory / SECONDS).read_text().splitlines()
        return [(int(step), float(seconds)) for step, seconds in (line.split() for line in lines)]
    return []


def _pace(directory):
    """Seconds per step between the newest two checkpoints, all that is done in between included; None where the run was
    started in between."""
    times = sorted((int(match[1]), path.stat().st_mtime) for path, match in _checkpoints(directory))[-2:]
    summary = directory / SUMMARY
    if len(times) < 2 or not summary.exists() or summary.stat().st_mtime > times[0][1]:
        return None
    return max(times[1][1] - times[0][1], 0.0) / (times[1][0] - times[0][0])


def _steps(directory):
    return [int(match[1]) for _, match in _checkpoints(directory)]


def _checkpoints(directory):
    found = [(path, _CHECKPOINT.fullmatch(path.name)) for path in directory.glob("checkpoint_*")]
    return [(path, match) for path, match in found if match]


def _written(directory):
    """When the run wrote last."""
    names = [directory / name for name in (journal.NAME, SECONDS, RESULT)]
    times = [path.stat().st_mtime for path in [*names, *(path for path, _ in _checkpoints(directory))] if path.exists()]
    return max(times, default=None)


def _mean(values):
    import numpy as np

    return float(np.mean(values)) if values else None


def _with_error(values):
    """The mean with its error, as 0.593678(24); the mean alone where the history is too short."""
    import numpy as np

    from ..analysis.errors import estimate

    with suppress(LqcdError):
        if len(values) >= 20:
            return str(estimate(np.array(values, float).T))
    return f"{_mean(values):.6f}"
