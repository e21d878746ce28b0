"""The one place that knows all packages: from a run file to its results."""

from __future__ import annotations

from contextlib import contextmanager

from .. import config
from ..errors import LqcdError
from ..io.collective import on_root, os_message
from ..lattice import world
from ..lattice.communicator import require_whole_job
from .collect import finish
from .directory import RunDirectory
from .generate import generate
from .measure import measure_files
from .progress import tell


def execute(path, comm=None, say=tell, start=None, only=None):
    """Do what the run file says; returns the directory of its results. Collective.

    Resumes by itself from the last checkpoint, on any number of ranks. `start` is a model for a training to start from,
    `only` the class of run files that are wanted here. Raises `LqcdError` for a faulty run file and for whatever stops
    the run.
    """
    run = config.load(path, only)
    if isinstance(run, config.RunFile | config.CompareFile):
        comm = comm or world()
        require_whole_job(comm.size)
        return (_lattice_run if isinstance(run, config.RunFile) else _comparison)(path, run, comm, say)
    from ..ml.training.processes import processes

    with processes() as job, _directory(path, run, job.comm, say) as directory:
        require_whole_job(job.size)
        if isinstance(run, config.SampleFile):
            from .sample import sample

            sample(run, directory, job, say)
        elif isinstance(run, config.PreconditionerFile):
            from .train_preconditioner import train_preconditioner

            train_preconditioner(run, directory, job, say, start)
        elif run.search:
            from .search import search

            search(run, directory, job, say, start)
        else:
            from .train import train

            train(run, directory, job, say, start)
    return directory.path


def _lattice_run(path, run, comm, say):
    with _directory(path, run, comm, say) as directory:
        (measure_files if run.source else generate)(run, directory, comm)
        on_root(comm, lambda: finish(directory.path, run.output.report, say))
    return directory.path


def _comparison(path, run, comm, say):
    from .compare import compare

    with _directory(path, run, comm, say) as directory:
        compare(run, directory, comm, say)
    return directory.path


@contextmanager
def _directory(path, run, comm, say):
    """The directory of a run; what is refused before the run begins is refused in the name of the run file, and what
    the operating system refuses is told as one sentence."""
    directory = RunDirectory(run.output.directory, comm)
    on_root(comm, lambda: directory.note and say(directory.note))
    try:
        yield directory
    except LqcdError as error:
        if directory.bound:
            raise
        raise LqcdError(f"{path}: {error}") from None
    except OSError as error:
        where = "" if error.filename else f"{directory.path}: "
        raise LqcdError(f"{where}{os_message(error)}; start again then, the run goes on") from error
    finally:
        directory.release()
