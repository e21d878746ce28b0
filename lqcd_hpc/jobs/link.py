"""The links of a chain: run files, and directories of results to be analysed, in the order of their dependence."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from .. import config
from ..errors import LqcdError
from ..lattice.decomposition import choose_grid
from .members import Member, members

ANALYSE = "analyse"


@dataclass(frozen=True)
class Link:
    """One job or array of jobs: its name, its verb, its members, the output directory that they share."""

    name: str
    verb: str
    members: tuple[Member, ...]
    base: str


def links_of(paths, changes, streams, ranks):
    """The links of a chain. A path is a run file, or the [output] directory of an earlier one: that is analysed, which
    writes its report.

    Raises `LqcdError` for what is wrong in a run file of a member, or cannot be divided among the ranks.
    """
    files = [path for path in paths if path.endswith(".toml")]
    if not files:
        raise LqcdError("give a run file (RUN.toml) to submit")
    for path in files:
        if files.count(path) > 1:
            raise LqcdError(f"{path} is there twice: a chain has each run file once")
    texts = {path: _read(path) for path in files}
    made = dict(zip(files, members(list(texts.values()), changes, streams)))
    for path in files:
        _require_runnable(path, made[path], ranks)
    _require_distinct([found[0].base for found in made.values()])
    links = []
    for path in paths:
        if path in made:
            links.append(Link(_name(path), "run", tuple(made[path]), made[path][0].base))
        else:
            links.append(_analysis(path, links))
    return links


def _require_distinct(bases):
    """Two links cannot write in one directory."""
    for base in bases:
        if bases.count(base) > 1:
            raise LqcdError(f"[output] directory = {base!r}: two run files of the chain have it; give each its own")


def _read(path):
    config.load(path)
    return Path(path).read_text()


def _name(path):
    return re.sub(r"[^\w.+-]+", "-", Path(path).stem) or "run"


def _analysis(path, links):
    """The link that writes the reports of an earlier link, member by member, or of results that are there."""
    for link in links:
        if os.path.normpath(link.base) == os.path.normpath(path):
            finished = tuple(replace(one, text="") for one in link.members)
            return Link(f"{link.name}-{ANALYSE}", "report", finished, link.base)
    if not Path(path).is_dir():
        raise LqcdError(f"{path} is neither a run file (.toml) nor the [output] directory of a run file before it")
    return Link(f"{_name(path)}-{ANALYSE}", "report", (Member("", path, path, {}),), path)


def _require_runnable(path, found, ranks):
    """Parse one run file for each point of the grid, and see whether its lattice can be divided."""
    points = {repr({k: v for k, v in one.labels.items() if k != "stream"}): one for one in found}
    for one in points.values():
        try:
            run = config.parse(one.text)
            if isinstance(run, config.RunFile) and run.lattice:
                _require_divisible(run.lattice, ranks)
        except LqcdError as error:
            labels = ", ".join(f"{key} = {value}" for key, value in one.labels.items())
            raise LqcdError(f"{path}{f' with {labels}' if labels else ''}: {error}") from None


def _require_divisible(lattice, ranks):
    if lattice.ranks is None:
        choose_grid(tuple(lattice.shape), ranks)
        return
    wanted = 1
    for extent in lattice.ranks:
        wanted *= extent
    if wanted != ranks:
        raise LqcdError(f"[lattice] ranks = {lattice.ranks} are {wanted}, the job has {ranks}: change one of them")
