"""Run files that train preconditioners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import NonNegativeInt, PositiveInt

from ..description import description
from ..errors import LqcdError
from ..ml.training.settings import Inversion
from .generate import LatticeTable, RandomTable
from .learn import LearnOutput
from .tables import checked, described, require


@description
class ConfigurationsTable:
    """[configurations]: gauge fields from `files` (or patterns), or `count` independent ones that are made by so many
    `updates` of a heatbath with `overrelaxation` from hot starts, by [lattice] and [action]."""

    files: list[str] | None = None
    count: PositiveInt | None = None
    updates: PositiveInt | None = None
    overrelaxation: NonNegativeInt = 4


@dataclass(frozen=True)
class PreconditionerFile:
    """A checked run file that trains a preconditioner."""

    text: str
    tables: dict
    preconditioner: Any
    operator: Any
    lattice: LatticeTable | None
    action: Any
    configurations: ConfigurationsTable
    train: Inversion
    random: RandomTable
    output: LearnOutput
    search = None


def parse_preconditioner(text, tables):
    """The run file of a preconditioner's training from its tables."""
    require(tables, ["preconditioner", "operator", "configurations", "train", "random", "output"])
    configurations = checked(ConfigurationsTable, tables["configurations"], "configurations")
    made = configurations.count is not None and configurations.updates is not None
    if made == (configurations.files is not None) or (configurations.count is None) != (configurations.updates is None):
        raise LqcdError("[configurations] has files = [...], or count = ... and updates = ... to make them")
    if made:
        require(tables, ["lattice", "action"])
    elif "action" in tables:
        raise LqcdError("[action] is for configurations that are made: leave it out with [configurations] files")
    lattice = checked(LatticeTable, tables["lattice"], "lattice") if "lattice" in tables else None
    if lattice and lattice.replicas > 1:
        raise LqcdError("[lattice] replicas: a preconditioner learns on one system at a time, leave the key out")
    if lattice and not lattice.group:
        require({}, ["group"], "lattice")
    operator = described("operator", tables["operator"], "operator")
    if not hasattr(operator, "diagonal"):
        raise LqcdError(f"[operator] kind = {tables['operator']['kind']!r}: preconditioners are for Wilson fermions")
    return PreconditionerFile(
        text=text,
        tables=tables,
        preconditioner=described("network", tables["preconditioner"], "preconditioner"),
        operator=operator,
        lattice=lattice,
        action=described("action", tables["action"], "action") if made else None,
        configurations=configurations,
        train=checked(Inversion, tables["train"], "train"),
        random=checked(RandomTable, tables["random"], "random"),
        output=checked(LearnOutput, tables["output"], "output"),
    )
