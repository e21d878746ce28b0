"""Run files: TOML to descriptions, every key checked.

A `kind` names a file in the folder of its role (`action` -> actions/, `update` -> sampling/, `measure` ->
measurements/); the description class of that file holds its keys. A table within a table is looked up in the role that
its key names (`operator` -> operators/, `solver` -> solvers/, `source` -> sources/), or else in that of the outer one
(`inner` of a solver).
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Literal

from pydantic import NonNegativeInt, PositiveInt, ValidationError

from .description import description
from .errors import LqcdError
from .fields.kinds import colours

FOLDERS = {"action": "actions", "update": "sampling", "measure": "measurements"}
FOLDERS |= {"operator": "operators", "solver": "solvers", "source": "sources"}


@description
class LatticeTable:
    """[lattice]: extents x, y, z, t; group; how it is divided."""

    shape: list[PositiveInt]
    group: str
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
    def updates(self):
        """Updates of all stages."""
        return sum(stage.count for stage in self.stages)


def load(path):
    """Read and check a run file.

    Raises `LqcdError` for what is missing, unknown (with the nearest spelling) or of a wrong type.
    """
    try:
        text = Path(path).read_text()
        return parse(text)
    except OSError as error:
        raise LqcdError(f"cannot read the run file {path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise LqcdError(f"{path} is not TOML: {error}") from None
    except LqcdError as error:
        raise LqcdError(f"{path}: {error}") from None


def parse(text):
    """The checked run file of a TOML text."""
    tables = tomllib.loads(text)
    generating = {"lattice", "start", "random", "action", "update", "measure", "output"}
    measuring = {"lattice", "source", "measure", "output"}
    measure_only = "source" in tables
    _refuse_unknown(tables, measuring if measure_only else generating, "the run file", generating | measuring)
    _require(tables, ["output"] + (["source"] if measure_only else ["lattice", "start", "random", "action", "update"]))
    lattice = _table(LatticeTable, tables["lattice"], "lattice") if "lattice" in tables else None
    if lattice:
        colours(lattice.group)
    common = {
        "text": text,
        "lattice": lattice,
        "output": _table(OutputTable, tables["output"], "output"),
        "observables": tuple(_observable(name, table) for name, table in tables.get("measure", {}).items()),
    }
    if measure_only:
        return RunFile(**common, source=_table(SourceTable, tables["source"], "source"))
    if not isinstance(tables["update"], list):
        raise LqcdError("updates are a list of tables: write [[update]] with two brackets")
    return RunFile(
        **common,
        start=_start(tables["start"]),
        random=_table(RandomTable, tables["random"], "random"),
        action=described("action", tables["action"], "action"),
        stages=tuple(_stage(k, table) for k, table in enumerate(tables["update"])),
    )


def _start(table):
    start = _table(StartTable, table, "start")
    if (start.kind == "file") != (start.file is not None):
        raise LqcdError('[start] needs file = "..." with kind = "file", and only then')
    return start


def _stage(number, table):
    where = f"update number {number + 1}"
    table = dict(_as_table(table, where))
    _require(table, ["kind", "count"], where)
    count, measure = table.pop("count"), table.pop("measure", True)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise LqcdError(f"[{where}] count = {count!r}: give the number of updates, 1 or more")
    if not isinstance(measure, bool):
        raise LqcdError(f"[{where}] measure = {measure!r}: give true or false")
    return Stage(table["kind"], count, measure, described("update", table, where))


def _observable(name, table):
    where = f"measure.{name}"
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise LqcdError(f"[{where}]: names of measurements are letters, digits and _")
    table = dict(_as_table(table, where))
    every = table.pop("every", 1)
    if not isinstance(every, int) or isinstance(every, bool) or every < 1:
        raise LqcdError(f"[{where}] every = {every!r}: give the number of updates between measurements, 1 or more")
    kind = table.setdefault("kind", name)
    return Observable(name, kind, every, described("measure", table, where))


def described(role, table, where):
    """The description of a table with a `kind`: the class that the file of that kind defines."""
    table = dict(_as_table(table, where))
    _require(table, ["kind"], where)
    kind = table.pop("kind")
    cls = _class_of(role, kind, where)
    return _table(cls, _with_inner_descriptions(cls, role, table, where), where)


def _with_inner_descriptions(cls, role, table, where):
    """The table with the description of every inner table that has a `kind`."""
    names = {field.name for field in dataclasses.fields(cls)}
    inner = {key: key if key in FOLDERS else role for key, value in table.items() if _has_kind(value) and key in names}
    return table | {key: described(inner[key], table[key], f"{where}.{key}") for key in inner}


def _has_kind(value):
    return isinstance(value, dict) and "kind" in value


def kinds(role):
    """The kinds of a role: the files of its folder that define a description."""
    package = import_module(f"{__package__}.{FOLDERS[role]}")
    names = [m.name for m in iter_modules(package.__path__)]
    return sorted(name for name in names if _description_in(import_module(f"{package.__name__}.{name}")))


def _class_of(role, kind, where):
    folder = f"{__package__}.{FOLDERS[role]}"
    if not (isinstance(kind, str) and re.fullmatch(r"[a-z0-9_]+", kind) and find_spec(f"{folder}.{kind}")):
        raise LqcdError(f"[{where}] kind = {kind!r} is unknown{_nearest(str(kind), kinds(role))}")
    found = _description_in(import_module(f"{folder}.{kind}"))
    if not found:
        raise LqcdError(f"[{where}] kind = {kind!r} is unknown{_nearest(kind, kinds(role))}")
    return found


def _description_in(module):
    """The description class that a module defines (one with `on`, or a solver that can be called), or None."""
    for value in vars(module).values():
        own = isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "__pydantic_fields__")
        if own and (hasattr(value, "on") or "__call__" in vars(value)):
            return value
    return None


def _table(cls, table, where):
    """An instance of a description from a table; one clear message for all that is wrong with it."""
    table = _as_table(table, where)
    names = [field.name for field in dataclasses.fields(cls)]
    _refuse_unknown(table, set(names), f"[{where}]")
    try:
        return cls(**table)
    except ValidationError as error:
        problems = [_problem(entry, where, table) for entry in error.errors()]
        raise LqcdError("; ".join(problems)) from None


def _problem(entry, where, table):
    place = ".".join(str(part) for part in entry["loc"])
    if entry["type"].startswith("missing"):
        return f"[{where}] lacks {place}: there is no default for it, write {place} = ..."
    return f"[{where}] {place} = {entry['input']!r}: {entry['msg'][0].lower()}{entry['msg'][1:]}"


def _as_table(table, where):
    if not isinstance(table, dict):
        raise LqcdError(f"[{where}] must be a table of keys and values, not {table!r}")
    return table


def _require(table, names, where=None):
    for name in names:
        if name not in table:
            if where:
                raise LqcdError(f"[{where}] lacks {name}: there is no default for it, write {name} = ...")
            written = "[[update]]" if name == "update" else f"[{name}]"
            raise LqcdError(f"the table {written} is missing")


def _refuse_unknown(table, allowed, where, everything=()):
    for key in table:
        if key not in allowed:
            if key in everything:
                raise LqcdError(
                    f"[{key}] does not go together with the other tables: [source] files are only measured on"
                )
            raise LqcdError(f"{where} has the unknown key {key!r}{_nearest(key, allowed)}")


def _nearest(name, allowed):
    close = difflib.get_close_matches(name, allowed, 1, 0.6)
    return f"; did you mean {close[0]!r}?" if close else f"; choose one of {', '.join(sorted(allowed))}"
