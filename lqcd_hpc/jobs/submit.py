"""Submit run files: one job, an array, or a chain, each with a record beside its output that `status` reads.

What a submission leaves in `OUTPUT/jobs/NUMBER/`: `job.sh`, the run files of all members, their logs,
`submission.json`.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..errors import LqcdError
from ..version import __version__
from . import slurm
from .link import links_of
from .request import resources
from .script import Work, render

FOLDER, RECORD, SCRIPT = "jobs", "submission.json", "job.sh"


@dataclass(frozen=True)
class Planned:
    """A link with its script and the folder that it will be in."""

    link: object
    folder: Path
    script: str

    @property
    def run_files(self):
        """(name, text) of the run files of all members; none for an analysis."""
        return [(f"{n:04d}.toml", one.text) for n, one in enumerate(self.link.members) if one.text]


def plan(paths, site, request, changes=None, streams=None, at_once=None):
    """The links of a chain with their scripts; nothing is written yet.

    Raises `LqcdError` for whatever is wrong with the run files, the site or the request.
    """
    got = resources(site, request)
    planned = []
    for link in links_of(paths, changes or {}, streams, got.ranks):
        folder = _folder(Path(link.base).absolute() / FOLDER, [one.folder for one in planned])
        directories = tuple(one.directory for one in link.members)
        if link.verb == "report":
            work, needs = Work(link.name, link.verb, directories, directories), _one_core(site, request)
        else:
            names = tuple(str(folder / f"{n:04d}.toml") for n in range(len(link.members)))
            work, needs = Work(link.name, link.verb, names, directories), got
        planned.append(Planned(link, folder, render(site, request, needs, work, folder, at_once)))
    return planned


def submit(planned, site, after=()):
    """Hand a chain to SLURM; returns the records, one for each link.

    A link starts when the one before it has ended well, the elements of an array each after their own; if it fails,
    what comes after it is cancelled. Raises `LqcdError` if a file cannot be written or SLURM refuses a link; the links
    before it are then cancelled and nothing is left. If SLURM does not answer, the files of that link stay: it may run.
    """
    if not slurm.present():
        raise LqcdError("there is no sbatch here: submit on a machine with SLURM, or see the script with --dry-run")
    records, made = [], []
    try:
        for number, one in enumerate(planned):
            dependency = _dependency(records, planned, number, after)
            one.folder.mkdir(parents=True)
            made.append(one.folder)
            _write_files(one)
            records.append(_record(one, site, slurm.submit(one.folder / SCRIPT, dependency), dependency))
            (one.folder / RECORD).write_text(json.dumps(records[-1], indent=1) + "\n")
    except BaseException as error:
        slurm.cancel([record["job"] for record in records])
        unknown = made.pop() if made and isinstance(error, slurm.NoAnswer) else None
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        if unknown:
            raise LqcdError(f"{error} The job of {unknown} may be queued: look at squeue, and cancel it") from None
        if isinstance(error, FileExistsError) and Path(error.filename).is_dir():
            raise LqcdError(f"another submission took {error.filename} at this moment: submit again") from None
        if isinstance(error, OSError):
            raise LqcdError(
                f"cannot write {error.filename}: {error.strerror}; choose another [output] directory"
            ) from None
        raise
    return records


def _one_core(site, request):
    """The resources of an analysis: one core of one node, no GPU."""
    one = resources(site, replace(request, nodes=1, ntasks_per_node=1, cpus_per_task=1))
    return replace(one, gpus_per_node=0)


def _dependency(records, planned, number, after):
    """What sbatch is told: `aftercorr` between arrays of one length, else `afterok`."""
    if not records:
        return "afterok:" + ":".join(after) if after else None
    both = [len(planned[n].link.members) for n in (number - 1, number)]
    kind = "aftercorr" if both[0] == both[1] > 1 else "afterok"
    return f"{kind}:{records[-1]['job']}"


def _folder(parent, planned):
    """The first free name below `parent`: 001, 002, ..."""
    there = [*parent.glob("[0-9]*"), *(one for one in planned if one.parent == parent)]
    known = [int(one.name) for one in there if re.fullmatch(r"\d+", one.name)]
    return parent / f"{max(known, default=0) + 1:03d}"


def _write_files(planned):
    for name, text in planned.run_files:
        (planned.folder / name).write_text(text)
    (planned.folder / SCRIPT).write_text(planned.script)
    (planned.folder / SCRIPT).chmod(0o755)


def _record(planned, site, job, dependency):
    link = planned.link
    files = [name for name, _ in planned.run_files] or [None] * len(link.members)
    return {
        "job": job,
        "name": link.name,
        "verb": link.verb,
        "site": site.name,
        "dependency": dependency,
        "submitted": datetime.now().isoformat(timespec="seconds"),
        "version": __version__,
        "script": str(planned.folder / SCRIPT),
        "array": len(link.members) > 1,
        "members": [
            {"run_file": file, "directory": str(Path(one.directory).absolute()), **one.labels}
            for file, one in zip(files, link.members)
        ],
    }
