"""Reads the measurement file of a run (`measurements.h5`) into plain numpy tables."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from ..errors import LqcdError

ORDER = ("update", "plaquette", "polyakov", "topology", "flow")


@dataclass(frozen=True)
class Table:
    """One measurement: `step` (n,) and named columns (n, ...).

    A pair name_re, name_im is one complex column `name`. A second axis of a column holds replicas, except
    where `time` is given: there it is the flow time, or the time of a correlator. `kind` is that of the measurement.
    """

    step: np.ndarray
    columns: dict
    time: np.ndarray | None = None
    kind: str = ""

    def after(self, step):
        """The rows from this step on."""
        kept = self.step >= step
        columns = {name: column[kept] for name, column in self.columns.items()}
        return Table(self.step[kept], columns, self.time, self.kind)

    def numbers(self):
        """The columns that hold numbers."""
        return {name: column for name, column in self.columns.items() if column.dtype.kind in "fciub"}


@dataclass(frozen=True)
class Measurements:
    """Everything a measurement file holds; what the file lacks is empty, unknown tables come last."""

    run_toml: str = ""
    versions: dict = field(default_factory=dict)
    seed: int | None = None
    ranks: str = ""
    shape: tuple = ()
    group: str = ""
    created: str = ""
    tables: dict = field(default_factory=dict)

    @property
    def volume(self):
        """Number of lattice sites, 1 if the file does not tell the shape."""
        return int(np.prod(self.shape)) if self.shape else 1


def read_measurements(path):
    """The measurement file at `path` (or `measurements.h5` in that directory) as `Measurements`.

    Raises `LqcdError` if there is no such file or it is not HDF5.

    >>> read_measurements("no-such-run")
    Traceback (most recent call last):
        ...
    lqcd_hpc.errors.LqcdError: no-such-run does not exist: give the directory of a run that has written measurements
    """
    path = Path(path)
    path = path / "measurements.h5" if path.is_dir() else path
    if not path.is_file():
        raise LqcdError(f"{path} does not exist: give the directory of a run that has written measurements")
    try:
        with h5py.File(path, "r") as file:
            return _measurements(file)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as problem:
        raise LqcdError(f"{path} cannot be read as HDF5 ({problem}): run again or restore the file") from problem


def _measurements(file):
    lattice = _json(file.attrs.get("lattice"))
    seed = file.attrs.get("seed")
    groups = sorted((name for name in file if isinstance(_own(file, name), h5py.Group)), key=_order)
    tables = {name: _table(name, file[name]) for name in groups}
    return Measurements(
        run_toml=_text(file.attrs.get("run_toml")),
        versions=_json(file.attrs.get("versions")),
        seed=None if seed is None else int(seed),
        ranks=_text(file.attrs.get("ranks")),
        shape=tuple(lattice.get("shape", ())),
        group=str(lattice.get("group", "")),
        created=_text(file.attrs.get("created")),
        tables={name: table for name, table in tables.items() if table is not None},
    )


def _own(group, name):
    """A group or dataset that lies in this very file, and claims no more than it has."""
    item = group.get(name) if isinstance(group.get(name, getlink=True), h5py.HardLink) else None
    size = os.path.getsize(group.file.filename)
    if item is None or isinstance(item, h5py.Dataset) and (item.external or item.is_virtual or item.nbytes > size):
        raise LqcdError(f"{group.file.filename}: {name!r} is damaged, or its numbers lie elsewhere: restore the file")
    return item


def _order(name):
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _table(name, group):
    items = {key: _own(group, key) for key in group}
    data = {key: _column(item) for key, item in items.items() if isinstance(item, h5py.Dataset) and item.ndim}
    time = data.pop("time", None)
    step = data.pop("step", None)
    if step is None:
        if not data:
            return None
        step = np.arange(min(map(len, data.values())))
    columns = {key: column for key, column in data.items() if len(column) == len(step)}
    kind = _text(group.attrs.get("kind")) or name
    return Table(step, _joined(name, columns), time, kind) if len(step) and columns else None


def _joined(group, columns):
    """Pairs name_re, name_im (or re, im) become complex columns."""
    joined = {}
    for name, column in columns.items():
        stem, part = name.rpartition("_")[0], name.rpartition("_")[2]
        prefix = f"{stem}_" if stem else ""
        if part in ("re", "im") and {f"{prefix}re", f"{prefix}im"} <= set(columns):
            joined[stem or group] = columns[f"{prefix}re"] + 1j * columns[f"{prefix}im"]
        else:
            joined[name] = column
    return joined


def _column(dataset):
    if h5py.check_string_dtype(dataset.dtype) or dataset.dtype.kind == "S":
        return np.array([_text(value) for value in dataset[()].ravel()])
    return dataset[()]


def _text(value):
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def _json(value):
    try:
        found = json.loads(_text(value) or "{}")
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
