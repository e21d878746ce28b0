"""Run files that generate ensembles, and that measure on files."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Literal

from pydantic import NonNegativeInt, PositiveInt

from ..description import description
from ..errors import LqcdError
from ..fields.kinds import colours
from .tables import as_table, checked, count_of, described, require


@description
class LatticeTable:
    """[lattice]: extents x, y, z, t; group (for gauge fields, not for scalars); how it is divided."""

    shape: list[PositiveInt]
    group: str | None = None
    ranks: list[PositiveInt] | None = None
    boundary: list[Literal["periodic", "open"]] | None = None
    replicas: PositiveInt = 1
    precision: Literal["double", "single"] = "double"
    threads: PositiveInt | None = None


@description
class StartTable:
    """[start]: where a chain begins."""

    kind: Literal["cold", "hot", "instanton", "file"]
    file: str | None = None


@description
class RandomTable:
    """[random]: the seed of the chain, and its number among chains of the same seed."""

    seed: NonNegativeInt
    stream: NonNegativeInt = 0

    @property
    def as_seed(self):
        """Both in one number, for what takes a seed alone: seed + f(stream) mod 2^32, f a permutation, f(0) = 0."""
        mixed = self.stream
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):  # the last steps of MurmurHash3
            mixed = (mixed ^ mixed >> shift) * factor % 2**32
        return (self.seed + mixed) % 2**32 if self.stream else self.seed


@description
class SourceTable:
    """[source]: configurations to measure on, as files or patterns such as ``confs/*.ildg``."""

    files: list[str]


@description
class OutputTable:
    """[output]: the directory; updates between checkpoints, and between stored configurations (0: none)."""

    directory: str
    checkpoint: PositiveInt = 10
    configurations: NonNegativeInt = 0
    format: Literal["ildg", "scidac", "nersc", "milc", "hdf5"] = "ildg"
    report: bool = True


@dataclasses.dataclass(frozen=True)
class Stage:
    """One [[update]] table: `count` updates of some kind, measured on unless `measure` is false."""

    kind: str
    count: int
    measure: bool
    update: Any


@dataclasses.dataclass(frozen=True)
class Observable:
    """One [measure.NAME] table: measured every `every` updates."""

    name: str
    kind: str
    every: int
    description: Any


@dataclasses.dataclass(frozen=True)
class RunFile:
    """A checked run file. `source` is set for runs that only measure; `start`, `random`, `action`, `stages`
    for the others."""

    text: str
    lattice: LatticeTable | None
    output: OutputTable
    observables: tuple[Observable, ...]
    source: SourceTable | None = None
    start: StartTable | None = None
    random: RandomTable | None = None
    action: Any = None
    stages: tuple[Stage, ...] = ()

    @property
    def field_kind(self):
        """The kind of field of an action of scalars; None for gauge fields, which follow the group."""
        return getattr(self.action, "field_kind", None)

    @property
    def updates(self):
        """Updates of all stages."""
        return sum(stage.count for stage in self.stages)


def parse_generate(text, tables):
    """The run file of an ensemble from its tables."""
    require(tables, ["output", "lattice", "start", "random", "action", "update"])
    if not isinstance(tables["update"], list):
        raise LqcdError("updates are a list of tables: write [[update]] with two brackets")
    run = RunFile(
        **_common(text, tables),
        start=_start(tables["start"]),
        random=checked(RandomTable, tables["random"], "random"),
        action=described("action", tables["action"], "action"),
        stages=tuple(_stage(k, table) for k, table in enumerate(tables["update"])),
    )
    return _consistent(run)


def parse_measure(text, tables):
    """The run file of measurements on files from its tables."""
    require(tables, ["output", "source"])
    return _consistent(RunFile(**_common(text, tables), source=checked(SourceTable, tables["source"], "source")))


def _consistent(run):
    """The run; raises `LqcdError` where scalars and gauge fields are mixed up."""
    for observable in run.observables:
        wanted = getattr(observable.description, "of", "gauge fields")
        if wanted != ("scalars" if run.field_kind else "gauge fields"):
            raise LqcdError(f"[measure.{observable.name}] kind = {observable.kind!r} is for {wanted}: leave it out")
    if run.field_kind:
        _for_scalars(run)
    elif run.lattice:
        require({"group"} if run.lattice.group else {}, ["group"], "lattice")
        colours(run.lattice.group)
    return run


def _for_scalars(run):
    if run.lattice.group:
        raise LqcdError(f"[lattice] group = {run.lattice.group!r}: the action is one of scalars, leave it out")
    if run.start.kind not in ("cold", "hot"):
        raise LqcdError(f"[start] kind = {run.start.kind!r} is for gauge fields: scalars start cold or hot")
    if run.output.configurations:
        raise LqcdError("[output] configurations: files hold gauge fields; leave the key out for scalars")


def _common(text, tables):
    return {
        "text": text,
        "lattice": checked(LatticeTable, tables["lattice"], "lattice") if "lattice" in tables else None,
        "output": checked(OutputTable, tables["output"], "output"),
        "observables": tuple(_observable(name, table) for name, table in tables.get("measure", {}).items()),
    }


def _start(table):
    start = checked(StartTable, table, "start")
    if (start.kind == "file") != (start.file is not None):
        raise LqcdError('[start] needs file = "..." with kind = "file", and only then')
    return start


def _stage(number, table):
    where = f"update number {number + 1}"
    table = dict(as_table(table, where))
    require(table, ["kind", "count"], where)
    count, measure = count_of(table, "count", where, "updates"), table.pop("measure", True)
    if not isinstance(measure, bool):
        raise LqcdError(f"[{where}] measure = {measure!r}: give true or false")
    return Stage(table["kind"], count, measure, described("update", table, where))


def _observable(name, table):
    where = f"measure.{name}"
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise LqcdError(f"[{where}]: names of measurements are letters, digits and _")
    table = dict(as_table(table, where))
    every = count_of(table, "every", where, "updates between measurements", 1)
    kind = table.setdefault("kind", name)
    return Observable(name, kind, every, described("measure", table, where))
