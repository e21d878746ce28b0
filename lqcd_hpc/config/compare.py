"""Run files that set solvers side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, PositiveInt

from ..description import description
from ..errors import LqcdError
from .generate import LatticeTable, OutputTable, RandomTable, SourceTable
from .tables import as_table, checked, described, require

RHS = (1, 12)  # right-hand sides at once, where a run file names none


@description
class CompareTable:
    """[compare]: bare masses; the solver that the others are measured by; right-hand sides at once; timed solves.

    critical : the mass to which the masses tend, for the picture
    """

    masses: Annotated[list[float], Field(min_length=1)]
    reference: str
    rhs: Annotated[list[PositiveInt], Field(min_length=1)] = Field(default=list(RHS))
    repeats: PositiveInt = 3
    critical: float | None = None


@dataclass(frozen=True)
class Contender:
    """One [[solver]] table: its name, a description for every mass, and the right-hand sides that it is given."""

    name: str
    solvers: tuple[Any, ...]
    rhs: tuple[int, ...]


@dataclass(frozen=True)
class CompareFile:
    """A checked run file that compares; `operators` has a description for every mass."""

    text: str
    tables: dict
    compare: CompareTable
    source: SourceTable
    operators: tuple[Any, ...]
    contenders: tuple[Contender, ...]
    random: RandomTable
    output: OutputTable
    lattice: LatticeTable | None = None


def parse_compare(text, tables):
    """The run file of a comparison from its tables."""
    require(tables, ["compare", "source", "operator", "solver", "random", "output"])
    compare = checked(CompareTable, tables["compare"], "compare")
    _distinct("[compare] masses", compare.masses)
    _distinct("[compare] rhs", compare.rhs)
    contenders = _contenders(tables["solver"], compare)
    names = [one.name for one in contenders]
    _distinct("[[solver]] names", names)
    if compare.reference not in names:
        raise LqcdError(f"[compare] reference = {compare.reference!r}: name one of the solvers, {', '.join(names)}")
    return CompareFile(
        text=text,
        tables=tables,
        compare=compare,
        source=checked(SourceTable, tables["source"], "source"),
        operators=_operators(tables["operator"], compare.masses),
        contenders=contenders,
        random=checked(RandomTable, tables["random"], "random"),
        output=checked(OutputTable, tables["output"], "output"),
        lattice=checked(LatticeTable, tables["lattice"], "lattice") if "lattice" in tables else None,
    )


def _operators(table, masses):
    table = as_table(table, "operator")
    for key in ("mass", "kappa"):
        if key in table:
            raise LqcdError(f"[operator] {key}: a comparison takes its masses from [compare] masses; leave it out")
    return tuple(described("operator", table | {"mass": mass}, "operator") for mass in masses)


def _contenders(tables, compare):
    if not isinstance(tables, list):
        raise LqcdError("solvers are a list of tables: write [[solver]] with two brackets")
    return tuple(_contender(as_table(one, f"solver number {n}"), n, compare) for n, one in enumerate(tables, 1))


def _contender(table, number, compare):
    require(table, ["name"], f"solver number {number}")
    name, rhs = table["name"], table.get("rhs", compare.rhs)
    if not isinstance(name, str) or not name.strip():
        raise LqcdError(f"[solver number {number}] name = {name!r}: give a text, it heads the solver's rows")
    if not isinstance(rhs, list) or not rhs or any(n not in compare.rhs for n in rhs):
        raise LqcdError(f"[solver {name!r}] rhs = {rhs!r}: choose some of [compare] rhs = {compare.rhs}")
    table = {key: value for key, value in table.items() if key not in ("name", "rhs")}
    made = (described("solver", _at_mass(table, mass), f"solver {name!r}") for mass in compare.masses)
    return Contender(name, tuple(made), tuple(rhs))


def _at_mass(value, mass):
    """The table with {mass} in its texts replaced: models that are trained for every mass have it in their path."""
    if isinstance(value, dict):
        return {key: _at_mass(one, mass) for key, one in value.items()}
    return value.replace("{mass}", f"{mass:g}") if isinstance(value, str) else value


def _distinct(what, values):
    for value in values:
        if values.count(value) > 1:
            raise LqcdError(f"{what}: {value!r} is there twice")
