"""Checkpoints of a Markov chain: the field, the random numbers, and where the journal stood."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import LqcdError
from ..fields.random import Random
from ..io.sitefields import SiteArray, read_fields, write_fields

KEEP = 2
_NAME = re.compile(r"checkpoint_(\d{8})\.h5")


def write(directory, step, U, rng, journal_bytes, run):
    """Write the checkpoint after `step` updates, and remove all but the newest two. Collective.

    The file appears under its name only when it is whole, synced and read back.
    """
    leading = int(U.kind.directions) + (U.lattice.replicas > 1)
    metadata = {"step": step, "journal_bytes": journal_bytes, "run": run, **rng.state}
    write_fields(
        Path(directory) / f"checkpoint_{step:08d}.h5",
        U.lattice,
        {U.kind.name: SiteArray(U.to_numpy(), leading)},
        metadata,
    )
    if U.lattice.comm.rank == 0:
        for _, old in found(directory)[:-KEEP]:
            old.unlink(missing_ok=True)


def read_newest(directory, U):
    """Fill U from the newest checkpoint that is whole; returns its metadata and a `Random`, or None without any.

    Returns also the messages about damaged ones that were passed over. Raises `LqcdError` if all are damaged.
    Collective.
    """
    comm = U.lattice.comm
    candidates = comm.bcast(found(directory)[::-1] if comm.rank == 0 else None)
    problems = []
    for _, path in candidates:
        try:
            fields, metadata = read_fields(path, U.lattice, [U.kind.name])
        except LqcdError as error:
            problems.append(str(error))
            continue
        U.from_numpy(fields[U.kind.name].values)
        return metadata, Random(metadata["seed"], metadata["stream"], metadata["event"]), problems
    if problems:
        raise LqcdError(f"no checkpoint in {directory} can be read: {'; '.join(problems)}; remove them to start anew")
    return None


def found(directory):
    """(step, path) of the checkpoints in a directory, oldest first."""
    paths = Path(directory).glob("checkpoint_*.h5")
    return sorted((int(match[1]), path) for path in paths if (match := _NAME.fullmatch(path.name)))
