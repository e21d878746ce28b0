"""Runs: `execute(path)` does what a run file says, and goes on from where an earlier job stopped.

`generate.py` makes ensembles, `measure.py` measures on files, `journal.py` keeps what was measured, `collect.py` makes
measurements.h5 of it, `observe.py` calls a measurement, `directory.py` guards the output directory, `progress.py`
shows where the run is."""

from .execute import execute

__all__ = ["execute"]
