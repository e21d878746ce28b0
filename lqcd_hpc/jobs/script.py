"""Job scripts: the one template `job.sh.j2` with the data of a site and a link.

Whatever the template prints is quoted for the shell, unless it says `verbatim`; options for sbatch are escaped as
sbatch reads them.
"""

from __future__ import annotations

import re
import shlex
import signal
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ..errors import LqcdError
from ..version import __version__

UNFINISHED = 128 + signal.SIGUSR1  # the exit code of a run that SIGUSR1 has ended in order (errors.py)


class Verbatim(str):
    """Text that goes into a script as it is."""


@dataclass(frozen=True)
class Work:
    """What a job does: the verb, one argument and one output directory for each member, and its name."""

    name: str
    verb: str
    arguments: tuple[str, ...]
    directories: tuple[str, ...]


def render(site, request, resources, work, folder, at_once=None):
    """The job script of `work`; logs go to `folder`, `at_once` limits how many elements of an array run together.

    Raises `LqcdError` for a path that no script can hold.
    """
    for path in (*work.arguments, *work.directories, str(folder), str(Path.cwd())):
        _require_plain(path)
    options = [*_header(site, request, resources, work, folder, at_once), *site.queue.options, *request.options]
    return _template().render(
        site=site,
        header=[Verbatim(escaped(option)) for option in options],
        activate=_activate(site.environment.activate),
        cores=resources.cores_per_rank,
        several=len(work.arguments) > 1,
        work=work.arguments,
        directories=work.directories,
        stripes=_stripes(site.storage),
        launch=_launch(site, resources),
        program=[_python(site), "-m", "lqcd_hpc", work.verb],
        unfinished=UNFINISHED,
        version=__version__,
        verbatim=Verbatim,
        comment=lambda text: Verbatim(" ".join(str(text).split())),
    )


def escaped(text):
    r"""An option as sbatch reads it from a script: in double quotes where it has blanks, quotes or the like, with
    backslashes before the characters that mean something in there.

    >>> print(escaped("--comment=a b"))
    "--comment=a b"
    """
    if re.fullmatch(r"[\w@%+=:,./^-]+", text):
        return text
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _require_plain(path):
    if re.search(r"[\n\r\0\\]", path):
        raise LqcdError(f"{path!r}: job scripts cannot hold a path with a line break or a backslash; rename it")


def _header(site, request, resources, work, folder, at_once):
    """Options of sbatch; those of the site file and then of the command line follow them, and count."""
    queue, several = site.queue, len(work.arguments) > 1
    logs = str(folder).replace("%", "%%")
    yield f"--job-name={work.name}"
    yield f"--chdir={Path.cwd()}"
    yield f"--output={logs}/{'%A_%a' if several else '%j'}.log"
    yield "--open-mode=append"
    yield "--requeue"
    yield f"--nodes={resources.nodes}"
    yield f"--ntasks={resources.ranks}"
    yield f"--ntasks-per-node={resources.ranks_per_node}"
    yield f"--cpus-per-task={resources.cores_per_rank}"
    yield f"--time={resources.time}"
    yield f"--signal=B:USR1@{resources.before}"
    if several:
        yield f"--array=0-{len(work.arguments) - 1}" + (f"%{at_once}" if at_once else "")
    if resources.gpus_per_node:
        yield "--gres=gpu:" + (f"{site.node.gpu_type}:" if site.node.gpu_type else "") + str(resources.gpus_per_node)
    for name in ("partition", "account", "qos"):
        if value := getattr(request, name) or getattr(queue, name):
            yield f"--{name}={value}"
    if queue.constraint:
        yield f"--constraint={queue.constraint}"


def _launch(site, resources):
    """The launcher and its options."""
    launch, cores = site.launch, resources.cores_per_rank
    if launch.command == "mpirun":
        bound = launch.cpu_bind != "none"
        words = ["mpirun", "-n", resources.ranks, "--map-by"]
        words += [f"ppr:{resources.ranks_per_node}:node" + (f":PE={cores}" if bound else "")]
        words += ["--bind-to", "core" if bound else "none"]
        return [*words, *launch.options]
    words = ["srun", f"--mpi={launch.mpi}", "--kill-on-bad-exit=1", f"--cpus-per-task={cores}"]
    words += [f"--cpu-bind={launch.cpu_bind}"]
    if launch.gpu_bind and resources.gpus_per_node:
        words += [f"--gpu-bind={launch.gpu_bind}"]
    return [*words, *launch.options]


def _stripes(storage):
    count = "" if storage.stripe_count is None else f" -c {storage.stripe_count}"
    return count + (f" -S {shlex.quote(storage.stripe_size)}" if storage.stripe_size else "")


def _activate(environment):
    """The script that activates a virtual environment, which is named by its folder or by that script."""
    return environment and environment.removesuffix("/bin/activate").rstrip("/") + "/bin/activate"


def _python(site):
    """The Python of the site's environment; else the one that runs here."""
    return site.environment.python or ("python" if site.environment.activate else sys.executable)


def _template():
    from jinja2 import Environment, StrictUndefined

    made = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: value if isinstance(value, Verbatim) else shlex.quote(str(value)),
    )
    return made.from_string((files(__package__) / "job.sh.j2").read_text())
