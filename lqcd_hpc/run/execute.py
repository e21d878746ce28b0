"""The one place that knows all packages: from a run file to its results."""

from __future__ import annotations

from .. import config
from ..io.collective import on_root
from ..lattice import world
from .collect import collect
from .directory import RunDirectory
from .generate import generate
from .measure import measure_files


def execute(path, comm=None, say=print):
    """Do what the run file says; returns the directory of its results. Collective.

    Resumes by itself from the last checkpoint, on any number of ranks. Raises `LqcdError` for a faulty run file and for
    whatever stops the run.
    """
    comm = comm or world()
    run = config.load(path)
    directory = RunDirectory(run.output.directory, comm)
    try:
        (measure_files if run.source else generate)(run, directory, comm)
        on_root(comm, lambda: _finish(run, directory.path, say))
    finally:
        directory.release()
    return directory.path


def _finish(run, path, say):
    """measurements.h5 and the report."""
    file = collect(path)
    say(f"measurements: {file}")
    if run.output.report:
        from ..analysis.report import write_report

        say(f"report: {write_report(path)}")
