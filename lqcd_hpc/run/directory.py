"""The directory of a run: locked while a job works in it, and bound to one run file."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import LqcdError
from ..io.atomic import replacing
from ..io.collective import on_root
from ..lattice import SerialCommunicator
from .collect import SUMMARY, summary_of, versions
from .lock import Lock, end_job


class RunDirectory:
    """Created, checked and locked by rank 0. Collective.

    Raises `LqcdError` if it cannot be written, if another job works in it, or if it holds another run.
    """

    def __init__(self, path, comm):
        self.path, self._comm, self.bound = Path(path), comm, False
        on_root(comm, self._lock)

    def _lock(self):
        self._new = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._held = Lock(self.path, lambda message: end_job(self._comm, message))
        except OSError as error:
            raise LqcdError(
                f"cannot write in {self.path}: {error.strerror}; choose another [output] directory"
            ) from None

    @property
    def note(self):
        """What there is to say about how the directory was found; None if nothing (on rank 0)."""
        return self._held.note

    def bind(self, run, identity, ranks, shape, group):
        """Write run.json, or check that the one there is of the same run."""
        on_root(self._comm, lambda: self._bind(run, identity, ranks, shape, group))
        self.bound = True

    def _bind(self, run, identity, ranks, shape, group):
        path = self.path / SUMMARY
        if path.exists():
            known = summary_of(self.path)["identity"]
            different = [key for key in {**known, **identity} if known.get(key) != identity.get(key)]
            if different:
                raise LqcdError(
                    f"{self.path} holds a run with another {', '.join(sorted(different))}: restore the run "
                    "file, or choose another [output] directory"
                )
        summary = {
            "identity": identity,
            "run_toml": run.text,
            "versions": versions(),
            "seed": run.random.seed if run.random else -1,
            "ranks": "x".join(map(str, ranks)),
            "lattice": {"shape": shape, "group": group},
        }
        with replacing(path, SerialCommunicator()) as temporary:
            temporary.write_text(json.dumps(summary, indent=1))

    def release(self):
        """Let other jobs work here; nothing is left of a run that was refused before it was bound."""
        if self._comm.rank:
            return
        refused = not (self.path / SUMMARY).exists()
        self._held.release(remove=refused)
        if refused and self._new and not any(self.path.iterdir()):
            self.path.rmdir()


def identity_of(run):
    """What must not change between the parts of a run: all but the process grid, the output, and how long it
    goes on."""
    if run.source:
        return {"measure": repr(run.observables), "lattice": repr(run.lattice and run.lattice.shape)}
    grid_free = {k: v for k, v in vars(run.lattice).items() if k not in ("ranks", "threads") and not k.startswith("_")}
    stages = [(s.kind, s.measure, repr(s.update)) for s in run.stages]
    counts = [s.count for s in run.stages[:-1]]
    return {
        "lattice": repr(grid_free),
        "start": repr(run.start),
        "random": repr(run.random),
        "action": repr(run.action),
        "update": repr((stages, counts)),
        "measure": repr(run.observables),
    }
