"""Measure on configuration files: a list or patterns, each file once, in order of their names."""

from __future__ import annotations

from pathlib import Path

from ..errors import LqcdError, Terminated
from ..fields.kinds import group_name
from ..io import inspect_header
from ..io.collective import on_root
from ..io.configuration import load
from ..lattice import Lattice
from . import journal
from .directory import identity_of
from .files import files_of
from .observe import observe
from .progress import Progress
from .termination import noticed

DONE = "configuration"


def measure_files(run, directory, comm):
    """Measure on all files that the journal does not hold yet. Raises `Terminated` at a signal, after a file."""
    with noticed() as came:
        _measure_files(run, directory, comm, came)


def _measure_files(run, directory, comm, came):
    files = on_root(comm, lambda: files_of(run.source.files))  # other nodes may see new files later
    shape = tuple(run.lattice.shape) if run.lattice else None
    header = on_root(comm, lambda: inspect_header(files[0], shape))
    table = run.lattice
    if table and table.group != header.group:
        raise LqcdError(f"{files[0]} holds {header.group}, the run file says {table.group}")
    options = (table.ranks, table.boundary, 1, comm, table.threads) if table else (None, None, 1, comm)
    lattice = Lattice(header.shape, *options)
    directory.bind(run, identity_of(run), lattice.ranks, lattice.shape, group_name(header.nc))
    done = on_root(comm, lambda: _done(directory.path))
    book = journal.Journal(directory.path / journal.NAME, comm.rank == 0, done["bytes"])
    files = done["files"] + [file for file in files if file not in done["files"]]  # numbers stay as an ensemble grows
    progress = Progress(len(files), len(done["files"]), comm.rank == 0)
    U = observables = None
    try:
        for number, file in enumerate(files, 1):
            if file in done["files"]:
                continue
            if wish := comm.allreduce(came(), "max"):
                raise Terminated(wish, f"the run ended before {file}; start it again to go on")
            V, _ = load(file, lattice)
            if U is None:
                U, observables = V, [(o.name, o.every, o.description.on(V)) for o in run.observables]
            U.assign(V)
            for name, every, measure in observables:
                if number % every == 0:
                    book.append(number, name, observe(measure, number, directory.path))
            book.append(number, DONE, {"file": file})
            book.sync()
            progress.show(number, {"file": Path(file).name})
    finally:
        progress.close()
        book.close()


def _done(path):
    """Files that were measured on completely, and the length of the journal up to the last of them."""
    files, length, position = [], 0, 0
    name = path / journal.NAME
    for record in journal.read(name) if name.exists() else []:
        position += len(journal.line(record))
        if record["name"] == DONE:
            files.append(record["values"]["file"])
            length = position
    return {"files": files, "bytes": length}
