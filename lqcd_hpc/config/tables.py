"""From a table of a run file to a description: kinds are files, keys are fields, every mistake gets its sentence."""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

from pydantic import ValidationError

from ..errors import LqcdError

FOLDERS = {"action": "actions", "update": "sampling", "measure": "measurements"}
FOLDERS |= {"operator": "operators", "solver": "solvers", "source": "sources"}
FOLDERS |= {"flow": "ml.flows", "net": "ml.nets", "sampler": "ml.samplers", "target": "ml.targets"}
FOLDERS |= {"network": "ml.preconditioners"}
LEARNED = {"solver": "ml.solvers"}  # where a role is looked up besides
_PACKAGE = __name__.split(".")[0]


def described(role, table, where):
    """The description of a table with a `kind`: the class that the file of that kind defines."""
    table = dict(as_table(table, where))
    require(table, ["kind"], where)
    kind = table.pop("kind")
    cls = _class_of(role, kind, where)
    return checked(cls, _with_inner_descriptions(cls, role, table, where), where)


def _with_inner_descriptions(cls, role, table, where):
    """The table with the description of every inner table that has a `kind`, and of every list of such tables."""
    names = {field.name for field in dataclasses.fields(cls)}
    found = {}
    for key, value in table.items():
        inner = key if key in FOLDERS else role
        if key in names and _has_kind(value):
            found[key] = described(inner, value, f"{where}.{key}")
        elif key in names and isinstance(value, list) and value and all(map(_has_kind, value)):
            found[key] = [described(inner, one, f"{where}.{key} number {n}") for n, one in enumerate(value, 1)]
    return table | found


def _has_kind(value):
    return isinstance(value, dict) and "kind" in value


def kinds(role):
    """The kinds of a role: the files of its folder that define a description."""
    package = folder(FOLDERS[role])
    names = [m.name for m in iter_modules(package.__path__)]
    return sorted(name for name in names if _description_in(_module(f"{package.__name__}.{name}"), role))


def folder(name):
    """The package of a folder, such as "actions" or "ml.flows", with the folder of that name in every place of
    $LQCD_PATH: files of one's own are found as those of the package are, which come first.
    """
    package = import_module(f"{_PACKAGE}.{name}")
    for place in filter(None, os.environ.get("LQCD_PATH", "").split(os.pathsep)):
        own = str(Path(place, *name.split(".")).absolute())
        if os.path.isdir(own) and own not in package.__path__:
            package.__path__.append(own)
    return package


def _class_of(role, kind, where):
    found = None
    named = isinstance(kind, str) and re.fullmatch(r"[a-z0-9_]+", kind)
    for place in filter(None, (FOLDERS[role], LEARNED.get(role))):
        if named and not found and find_spec(f"{folder(place).__name__}.{kind}"):
            found = _description_in(_module(f"{_PACKAGE}.{place}.{kind}"), role)
    if not found:
        raise LqcdError(f"[{where}] kind = {kind!r} is unknown{nearest(str(kind), kinds(role))}")
    return found


def _module(name):
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(_PACKAGE):
            raise
        raise LqcdError(f"{name} needs the library {error.name}: pip install 'lqcd_hpc[ml]'") from None


def _description_in(module, role):
    """The description class that a module defines, or None.

    It has `on`; a solver can be called instead, and a density of its own has its `action`.
    """
    contract = {"on", "action"} if role == "target" else {"on"}
    for value in vars(module).values():
        own = isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "__pydantic_fields__")
        if own and (any(hasattr(value, name) for name in contract) or "__call__" in vars(value)):
            return value
    return None


def checked(cls, table, where):
    """An instance of a description from a table; one clear message for all that is wrong with it."""
    table = as_table(table, where)
    names = [field.name for field in dataclasses.fields(cls)]
    refuse_unknown(table, set(names), f"[{where}]")
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


def as_table(table, where):
    """The table itself, if it is one."""
    if not isinstance(table, dict):
        raise LqcdError(f"[{where}] must be a table of keys and values, not {table!r}")
    return table


def require(table, names, where=None):
    """Refuse a table (or, without `where`, a run file) that lacks one of these names."""
    for name in names:
        if name not in table:
            if where:
                raise LqcdError(f"[{where}] lacks {name}: there is no default for it, write {name} = ...")
            written = "[[update]]" if name == "update" else f"[{name}]"
            raise LqcdError(f"the table {written} is missing")


def count_of(table, key, where, what, default=None):
    """Take a positive whole number out of a table."""
    count = table.pop(key, default)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise LqcdError(f"[{where}] {key} = {count!r}: give the number of {what}, 1 or more")
    return count


def refuse_unknown(table, allowed, where):
    """Refuse keys that are not allowed, with the nearest spelling."""
    for key in table:
        if key not in allowed:
            raise LqcdError(f"{where} has the unknown key {key!r}{nearest(key, allowed)}")


def nearest(name, allowed):
    """The end of a message about an unknown name: the nearest of those that are allowed, or all of them."""
    close = difflib.get_close_matches(name, allowed, 1, 0.6)
    return f"; did you mean {close[0]!r}?" if close else f"; choose one of {', '.join(sorted(allowed))}"
