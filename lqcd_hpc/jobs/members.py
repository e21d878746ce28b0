"""The members of an ensemble of runs: streams of one run file, and a grid of values for some of its keys.

Each member has a run file of its own, a directory of its own under the [output] directory of the run file, and a stream
of random numbers of its own. Paths into the output of a link of the same chain follow the member.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import PurePath
from typing import Any

from ..config.tables import nearest
from ..config.written import toml_text
from ..errors import LqcdError


@dataclass(frozen=True)
class Member:
    """One run: the text of its run file, its output directory, the one that all members share, and what makes it differ
    from the others."""

    text: str
    directory: str
    base: str
    labels: dict[str, Any]


def settings(words):
    """The values of `--set KEY=VALUE[,VALUE ...]`; values are TOML, or bare words.

    >>> settings(["beta=5.8,6.0", "lattice.shape=[8,8,8,8]", "action.kind=wilson"])
    {'beta': [5.8, 6.0], 'lattice.shape': [[8, 8, 8, 8]], 'action.kind': ['wilson']}

    Raises `LqcdError` for what has no key or no value, and for a key that comes twice.
    """
    found = {}
    for word in words:
        key, equals, text = word.partition("=")
        key = key.strip()
        if not key or not equals or not text.strip():
            raise LqcdError(f"--set {word}: write KEY=VALUE or KEY=VALUE,VALUE, as action.beta=5.8,6.0")
        if key in found:
            raise LqcdError(f"--set {key} comes twice: write its values in one, separated by commas")
        found[key] = _values(text)
    return found


def _values(text):
    try:
        return tomllib.loads(f"values = [{text}]")["values"]
    except tomllib.TOMLDecodeError:
        return [one.strip() for one in text.split(",")]


def members(texts, changes, streams):
    """For every link of a chain (run-file texts in order) the list of its members, all lists of the same length.

    `changes` is what `settings` gives; keys with one value change the run files, keys with several make a grid.
    `streams` is the number of streams of every point of the grid, None for one without a directory of its own. Member n
    takes the stream n further than the one that its run file names.

    Raises `LqcdError` for a key that no run file has.
    """
    links = [tomllib.loads(text) for text in texts]
    places = {key: [_place(tables, key) for tables in links] for key in changes}
    for key, found in places.items():
        if not any(found):
            known = {name if "." in key else name.rpartition(".")[2] for tables in links for name in _leaves(tables)}
            raise LqcdError(f"--set {key}: no run file has this key{nearest(key, known)}")
    if not changes and streams is None:
        folders = [tables["output"]["directory"] for tables in links]
        return [[Member(text, folder, folder, {})] for text, folder in zip(texts, folders)]
    return _grid(links, changes, places, streams)


def _grid(links, changes, places, streams):
    once = {key: values[0] for key, values in changes.items() if len(values) == 1}
    grid = {key: values for key, values in changes.items() if key not in once}
    bases = [_changed(tables, once, places, link)["output"]["directory"] for link, tables in enumerate(links)]
    made = [[] for _ in links]
    for number, (*values, stream) in enumerate(product(*grid.values(), range(streams or 1))):
        labels = dict(zip(grid, values)) | ({"stream": stream} if streams is not None else {})
        folder = PurePath(*(_label(key, value) for key, value in labels.items()))
        directories = [str(PurePath(base) / folder) for base in bases]
        moved = dict(zip((tables["output"]["directory"] for tables in links), directories))
        for link, tables in enumerate(links):
            one = _changed(_following(tables, moved), once | dict(zip(grid, values)), places, link)
            one = _with(one, ("output", "directory"), directories[link])
            if "random" in one:
                one = _with(one, ("random", "stream"), one["random"].get("stream", 0) + number)
            made[link].append(Member(toml_text(one), directories[link], bases[link], labels))
    _require_distinct([one.directory for one in made[0]])
    return made


def _require_distinct(directories):
    """Values that are the same, or look so in the name of a directory, would share one."""
    twice = next((one for one, count in Counter(directories).items() if count > 1), None)
    if twice:
        raise LqcdError(f"--set: two points of the grid would write in {twice}; give each value once")


def _changed(tables, values, places, link):
    """The tables of a link with the values of those keys that it has."""
    for key, value in values.items():
        if places[key][link]:
            tables = _with(tables, places[key][link], value)
    return tables


def _label(key, value):
    """The folder of a value: beta_5.8, stream_003."""
    if key == "stream":
        return f"stream_{value:03d}"
    word = re.sub(r"[^\w.+-]+", "-", str(value)).strip("-.")
    return f"{key.rpartition('.')[2]}_{word}"


def _place(tables, key):
    """Where a dotted key is, or goes, in the tables of a run file; a bare one is looked for in all tables. None where
    there is no such table."""
    path = tuple(int(part) - 1 if part.isdigit() else part for part in key.split("."))
    if -1 in path:
        raise LqcdError(f"--set {key}: tables of a list are counted from 1, as update.1.count")
    if len(path) > 1:
        try:
            holder = tables
            for part in path[:-1]:
                holder = holder[part]
        except (KeyError, IndexError, TypeError):
            return None
        return path if isinstance(holder, dict) else None
    found = [name for name, table in tables.items() if isinstance(table, dict) and key in table]
    if len(found) > 1:
        raise LqcdError(f"--set {key}: it is in {' and '.join(f'[{n}]' for n in found)}; write {found[0]}.{key}")
    return (found[0], key) if found else None


def _leaves(tables):
    for name, table in tables.items():
        if isinstance(table, dict):
            yield from (f"{name}.{key}" for key in table)
        elif isinstance(table, list):
            yield from (f"{name}.{n}.{key}" for n, one in enumerate(table, 1) if isinstance(one, dict) for key in one)


def _with(tables, path, value):
    """A copy of nested tables and lists with one value replaced."""
    if not path:
        return value
    first, *rest = path
    if isinstance(tables, list):
        return [_with(one, rest, value) if n == first else one for n, one in enumerate(tables)]
    return tables | {first: _with(tables.get(first), rest, value)}


def _following(value, moved):
    """The same with every path that is, or lies in, a directory that moved, moved along."""
    if isinstance(value, dict):
        return {key: _following(one, moved) for key, one in value.items()}
    if isinstance(value, list):
        return [_following(one, moved) for one in value]
    if isinstance(value, str):
        for old in sorted(moved, key=len, reverse=True):
            if value == old or value.startswith(old.rstrip("/") + "/"):
                return moved[old] + value[len(old.rstrip("/")) :]
    return value
