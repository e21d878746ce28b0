"""Checkpoints of a Markov chain: the field, the random numbers, and where the journal stood."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from ..errors import LqcdError
from ..fields.finite import require_finite
from ..fields.random import Random
from ..io.collective import on_root
from ..io.sitefields import SiteArray, read_fields, write_fields

KEEP = 2
_NAME = re.compile(r"checkpoint_(\d{8})\.h5")


def write(directory, step, U, rng, journal_bytes, run):
    """Write the checkpoint after `step` updates, and remove all but this and the newest before it. Collective.

    The file appears under its name only when it is whole, synced and read back. Later ones, which were passed over when
    the chain went back behind them, go too. Raises `LqcdError`, with nothing written, if U is not finite.
    """
    require_finite(U)
    leading = int(U.kind.directions) + (U.lattice.replicas > 1)
    metadata = {"step": step, "journal_bytes": journal_bytes, "run": run, **rng.state}
    write_fields(
        Path(directory) / f"checkpoint_{step:08d}.h5",
        U.lattice,
        {U.kind.name: SiteArray(U.to_numpy(), leading)},
        metadata,
    )
    if U.lattice.comm.rank == 0:
        steps = [one for one, _ in found(directory) if one <= step][-KEEP:]
        for one, old in found(directory):
            if one not in steps:
                old.unlink(missing_ok=True)


def read_newest(directory, U, check=lambda metadata: None):
    """Fill U from the newest checkpoint that is whole; returns its metadata and a `Random`, or None without any.

    `check(metadata)` raises `LqcdError` on rank 0 where what belongs to a checkpoint is damaged. Returns also the
    messages about those that were passed over. Raises `LqcdError`, and leaves all files alone, if none can be used.
    Collective.
    """
    comm = U.lattice.comm
    candidates = comm.bcast(found(directory)[::-1] if comm.rank == 0 else None)
    problems = []
    for _, path in candidates:
        try:
            fields, metadata = read_fields(path, U.lattice, [U.kind.name])
            on_root(comm, partial(check, metadata))
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
