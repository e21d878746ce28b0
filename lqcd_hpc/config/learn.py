"""Run files that train flows, search among trainings, and sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, PositiveInt

from ..description import description
from ..errors import LqcdError
from ..ml.training.settings import Training
from .generate import RandomTable
from .tables import as_table, checked, count_of, described, refuse_unknown, require


@description
class VolumeTable:
    """[lattice] of a density: extents x, y, ..., and the group of gauge links."""

    shape: list[PositiveInt]
    group: str | None = None


@description
class LearnOutput:
    """[output]: the directory; training steps between checkpoints; whether to write event files for tensorboard."""

    directory: str
    checkpoint: PositiveInt = 500
    report: bool = True
    tensorboard: bool = False


@description
class SampleOutput:
    """[output]: the directory, and how many states of each chain are kept in samples.h5 (0: none)."""

    directory: str
    keep: int = Field(default=0, ge=0)
    report: bool = True


@description
class Range:
    """Values of a key that a search tries: from `low` to `high` (whole numbers if both are), or one of `choices`."""

    low: float | int | None = None
    high: float | int | None = None
    log: bool = False
    choices: list[Any] | None = None

    def __post_init__(self):
        interval = self.low is not None and self.high is not None
        if interval == (self.choices is not None) or (self.low is None) != (self.high is None):
            raise LqcdError("a range of [search] has low = ... and high = ..., or choices = [...]")
        if interval and not (self.low <= self.high and (self.low > 0 or not self.log)):
            raise LqcdError(
                f"a range of [search] from {self.low} to {self.high}: low comes first, and log needs low > 0"
            )


@description
class Search:
    """[search]: `trials` trainings with the keys of `ranges` ("flow.net.width", "train.batch") varied by optuna."""

    trials: PositiveInt
    ranges: dict[str, Range]
    objective: Literal["ess", "loss"] = "ess"


@dataclass(frozen=True)
class Density:
    """What makes a target: an action on a lattice, or a density of its own; `tables` as they were written."""

    tables: dict
    description: Any
    shape: tuple[int, ...] | None = None
    group: str | None = None

    def target(self):
        """Its torch form."""
        from ..ml.targets import target

        if self.shape is None:
            return self.description.on() if hasattr(self.description, "on") else self.description
        return target(self.description, self.shape, self.group)


@dataclass(frozen=True)
class TrainFile:
    """A checked run file that trains, or searches among trainings if `search` is set."""

    text: str
    tables: dict
    density: Density
    flow: Any
    train: Training
    random: RandomTable
    output: LearnOutput
    search: Search | None = None


@dataclass(frozen=True)
class SampleFile:
    """A checked run file that samples; without `density` the target is that of the model, without `model` no flow is
    used or it is `flow` as it is made; `data` are samples of the target on which the flow is judged."""

    text: str
    density: Density | None
    model: str | None
    data: str | None
    flow: Any
    sampler: Any
    kind: str
    samples: int
    random: RandomTable
    output: SampleOutput


def parse_train(text, tables):
    """A training's run file from its tables."""
    require(tables, ["flow", "train", "random", "output"])
    return TrainFile(
        text=text,
        tables=tables,
        density=density_of(tables),
        flow=described("flow", tables["flow"], "flow"),
        train=checked(Training, tables["train"], "train"),
        random=checked(RandomTable, tables["random"], "random"),
        output=checked(LearnOutput, tables["output"], "output"),
        search=_search(tables),
    )


def parse_sample(text, tables):
    """A sampling's run file from its tables."""
    require(tables, ["sampler", "random", "output"])
    flow = dict(as_table(tables.get("flow", {}), "flow"))
    model, data = flow.pop("model", None), flow.pop("data", None)
    if model is not None:
        refuse_unknown(flow, set(), '[flow] with a model = "..."')
        if not isinstance(model, str):
            raise LqcdError(f"[flow] model = {model!r}: give the directory of a trained model")
    sampler = dict(as_table(tables["sampler"], "sampler"))
    samples = count_of(sampler, "samples", "sampler", "samples of all chains")
    given = {"lattice", "action", "target"} & set(tables)
    if model is None and not given:
        raise LqcdError('nothing to sample: give [lattice] and [action], or [target], or [flow] with model = "..."')
    return SampleFile(
        text=text,
        density=density_of(tables) if given else None,
        model=model,
        data=data,
        flow=described("flow", flow, "flow") if flow else None,
        sampler=described("sampler", sampler, "sampler"),
        kind=sampler["kind"],
        samples=samples,
        random=checked(RandomTable, tables["random"], "random"),
        output=checked(SampleOutput, tables["output"], "output"),
    )


def density_of(tables):
    """The density of a run file, or of a model's card."""
    kept = {name: tables[name] for name in ("lattice", "action", "target") if name in tables}
    if "target" in tables:
        if len(kept) > 1:
            raise LqcdError("[target] is a density of its own: leave [lattice] and [action] out, or [target]")
        return Density(kept, described("target", tables["target"], "target"))
    require(tables, ["lattice", "action"])
    lattice = checked(VolumeTable, tables["lattice"], "lattice")
    return Density(kept, described("action", tables["action"], "action"), tuple(lattice.shape), lattice.group)


def _search(tables):
    if "search" not in tables:
        return None
    search = checked(Search, tables["search"], "search")
    for key in search.ranges:
        if key.split(".")[0] not in ("flow", "train"):
            raise LqcdError(
                f"[search] ranges: {key!r} is neither a key of [flow] nor of [train], such as 'flow.layers'"
            )
        varied(tables, {key: None})
    return search


def varied(tables, values):
    """A copy of the tables of a run file with the values of dotted keys replaced; tables on the way must exist.

    >>> varied({"train": {"steps": 5}}, {"train.steps": 6, "train.batch": 2})
    {'train': {'steps': 6, 'batch': 2}}
    """
    made = dict(tables)
    for key, value in values.items():
        *path, last = key.split(".")
        place = made
        for name in path:
            if not isinstance(place.get(name), dict):
                raise LqcdError(f"[search] ranges: {key!r}: there is no table {name!r} to put it in")
            place[name] = dict(place[name])
            place = place[name]
        place[last] = value
    return made
