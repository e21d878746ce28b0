"""The state of runs and of the jobs that work on them: one row for each, from journals, records and the queue."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import LqcdError
from ..run.collect import SUMMARY
from . import slurm
from .progress import Progress, is_running, progress
from .submit import FOLDER, RECORD

DEPTH = 4  # folders below the one that is asked for
LATER = 60  # seconds between what a job writes in its run and in its log
OVER = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "DEADLINE", "BOOT_FAIL"}


@dataclass(frozen=True)
class Row:
    """A run: where it is, the job that works or worked on it, its state, where that runs or why it waits."""

    run: str
    job: str | None
    name: str | None
    state: str
    where: str
    log: str | None
    progress: Progress

    def document(self):
        """As a dict for JSON."""
        known = asdict(self.progress)
        name, value = known.pop("watched") or (None, None)
        return asdict(self) | {"progress": known | {"left": self.progress.left, "watched": name, "value": value}}


def status(directories):
    """The rows of all runs in or below some directories, in order of their names.

    Raises `LqcdError` for what is no directory, and if there is no run at all.
    """
    places = [Path(one) for one in directories]
    for place in places:
        if not place.is_dir():
            raise LqcdError(f"{place} is not a directory: give the output directory of a run, or one above it")
    members = {}
    for record in sorted(_records(places), key=lambda record: (record["submitted"], int(record["job"]))):
        for index, member in enumerate(record["members"]):
            run = Path(member["directory"])
            if member["run_file"] and any(run.is_relative_to(place.absolute()) for place in places):
                members[run] = (record, index)
    runs = {path.parent.absolute() for path in _below(places, SUMMARY)} | set(members)
    if not runs:
        raise LqcdError(f"there is no run in or below {', '.join(map(str, places))}")
    states = slurm.states(sorted({record["job"] for record, _ in members.values()}))
    return [_row(run, *members.get(run, (None, 0)), states) for run in sorted(runs)]


def _below(places, name):
    """Files of a name in some directories and a few folders below them, each once."""
    found = {}
    for place in places:
        for depth in range(DEPTH + 1):
            for path in place.glob("*/" * depth + name):
                found[path.resolve()] = path
    return found.values()


def _records(places):
    """The records of submissions below some directories, and of the arrays that these are members of."""
    above = {parent for place in places for parent in list(place.absolute().parents)[:3]}
    near = [path for place in above for path in place.glob(f"{FOLDER}/*/{RECORD}")]
    for path in {path.resolve() for path in [*_below(places, f"{FOLDER}/*/{RECORD}"), *near]}:
        with suppress(OSError, ValueError):
            yield json.loads(path.read_text()) | {"folder": str(path.parent)}


def _row(run, record, index, states):
    if record is None:
        found = _progress(run, None)
        return Row(_shown(run), None, None, _local(run, found), "", None, found)
    member, job = record["members"][index], record["job"]
    element = f"{job}_{index}" if record["array"] else job
    found = _progress(run, Path(record["folder"]) / member["run_file"])
    state, where = states.get(element) or states.get(job) or ("", "")
    log = f"{record['folder']}/{element}.log"
    return Row(_shown(run), element, record["name"], _state(run, found, state, Path(log)), where, log, found)


def _state(run, found, known, log):
    """One word: what the queue says as long as the job is not over, else what its run says. A job that failed has, even
    if all steps are made, unless something was written after its last word."""
    if known and known not in OVER:
        return known.lower()
    local, failed = _local(run, found), known and known != "COMPLETED"
    since = bool(found.written and log.exists() and found.written > log.stat().st_mtime + LATER)
    if local == "running" or (local == "done" and (not failed or since)):
        return local
    return known.lower() if failed else local


def _local(run, found):
    if found.complete:
        return "done"
    if is_running(run):
        return "running"
    return "stopped" if found.written else "unknown"


def _progress(run, file):
    try:
        return progress(run, file and file.read_text())
    except (LqcdError, OSError, ValueError, KeyError, TypeError) as error:
        return Progress("unknown", problem=str(error))


def _shown(run):
    """A path as short as it can be said from here."""
    here = Path.cwd()
    return str(run.relative_to(here)) if run.is_relative_to(here) else str(run)
