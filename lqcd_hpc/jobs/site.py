"""What a machine is like: nodes, queue, launcher, environment, disk. One TOML file per site, every key checked."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, StringConstraints

from ..config.tables import checked, nearest, refuse_unknown, require
from ..description import description
from ..errors import LqcdError
from .duration import Duration

Word = Annotated[str, StringConstraints(pattern=r"^[\w.,:@%+=/&|*()\[\]-]+$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\n\r\x00]*$")]
Option = Annotated[str, StringConstraints(pattern=r"^-[^\n\r\x00]*$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


@description
class Node:
    """[node]: cores and GPUs of a node, and how many ranks it gets if the command line does not say."""

    cores: PositiveInt
    ranks: PositiveInt
    gpus: NonNegativeInt = 0
    gpu_type: Word | None = None


@description
class Queue:
    """[queue]: the time limit if the command line gives none, partition and account, and further options of sbatch."""

    time: Duration = "24:00:00"
    partition: Word | None = None
    account: Word | None = None
    qos: Word | None = None
    constraint: Word | None = None
    options: list[Option] = Field(default_factory=list)


@description
class Launch:
    """[launch]: `srun` with the PMI that the MPI library speaks, or Open MPI's `mpirun`; how ranks are bound."""

    command: Literal["srun", "mpirun"] = "srun"
    mpi: Literal["pmix", "pmi2", "cray_shasta", "none"] = "pmix"
    cpu_bind: Word = "cores"
    gpu_bind: Word | None = None
    options: list[Option] = Field(default_factory=list)


@description
class Environment:
    """[environment]: modules to load, lines of shell, a virtual environment, the Python in it, variables.

    Without `activate` and `python` jobs use the Python that submits them.
    """

    modules: list[Word] = Field(default_factory=list)
    setup: list[Line] = Field(default_factory=list)
    activate: Line | None = None
    python: Line | None = None
    variables: dict[Name, Line] = Field(default_factory=dict)


@description
class Storage:
    """[storage]: how Lustre spreads the files of a run over its servers."""

    stripe_count: int | None = Field(default=None, ge=-1)
    stripe_size: Word | None = None


@description
class Checkpoint:
    """[checkpoint]: seconds before the time limit at which a job writes a checkpoint and queues again."""

    before: PositiveInt = 300


@description
class Site:
    """A machine: its name, one line about it, and its tables."""

    name: str
    about: Line
    node: Node
    queue: Queue
    launch: Launch
    environment: Environment
    storage: Storage
    checkpoint: Checkpoint


TABLES = {"node": Node, "queue": Queue, "launch": Launch, "environment": Environment}
TABLES |= {"storage": Storage, "checkpoint": Checkpoint}


def names():
    """The sites that come with the package.

    >>> "cpu" in names() and "gpu" in names()
    True
    """
    return sorted(one.name.removesuffix(".toml") for one in _folder().iterdir() if one.name.endswith(".toml"))


def load_site(name):
    """The site of a name that comes with the package, or of a TOML file of one's own.

    >>> load_site("cpu").launch.command
    'srun'

    Raises `LqcdError` for an unknown name or key (with the nearest spelling) and for what is of a wrong type.
    """
    own = name.endswith(".toml") or "/" in name
    if not own and name not in names():
        raise LqcdError(f"there is no site {name!r}{nearest(name, names())}, or give a file of your own, ./{name}.toml")
    source = Path(name) if own else _folder() / f"{name}.toml"
    try:
        tables = tomllib.loads(source.read_text())
    except OSError as error:
        raise LqcdError(f"cannot read the site file {name}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LqcdError(f"the site file {name} is not TOML: {error}") from None
    try:
        return _site(Path(name).stem, tables)
    except LqcdError as error:
        raise LqcdError(f"site file {name}: {error}") from None


def _site(name, tables):
    refuse_unknown(tables, {"about", *TABLES}, "the site file")
    require(tables, ["node"])
    made = {table: checked(cls, tables.get(table, {}), table) for table, cls in TABLES.items()}
    about = checked(_About, {"about": tables.get("about", name)}, "site").about
    if made["node"].ranks > made["node"].cores:
        raise LqcdError(f"[node] ranks = {made['node'].ranks}: a node has {made['node'].cores} cores only")
    return Site(name=name, about=about, **made)


@description
class _About:
    about: Line


def _folder():
    return resources.files(__package__) / "sites"
