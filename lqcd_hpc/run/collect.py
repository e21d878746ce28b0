"""From the journal of a run to its measurement file measurements.h5."""

from __future__ import annotations

import io
import json
import platform
import time
import tomllib
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import numpy as np

from ..errors import LqcdError
from ..io.atomic import replacing
from ..lattice import SerialCommunicator
from ..version import __version__
from . import journal

NAME = "measurements.h5"
SUMMARY = "run.json"


def versions(*libraries):
    """Versions of what produced the numbers."""
    more = {name: metadata.version(name) for name in libraries}
    return more | {
        "lqcd_hpc": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
    }


def collect(directory):
    """Write measurements.h5 from the journal in a run's directory; returns its path.

    One group per measurement with its `kind`, the datasets `step` and one per column; file attributes hold the run
    file, versions, seed, process grid and lattice. Raises `LqcdError` if the directory holds no run.
    """
    directory = Path(directory)
    summary = summary_of(directory)
    try:
        records = journal.read(directory / journal.NAME)
    except OSError as error:
        raise LqcdError(f"{directory} holds no run ({error.filename}: {error.strerror})") from None
    kinds, seconds = _kinds(summary["run_toml"]), _seconds(directory)
    with measurement_file(directory, summary) as file:
        for name, rows in _tables(records).items():
            group = file.create_group(name)
            group.attrs["kind"] = kinds.get(name, name)
            _write_table(group, rows, seconds if name == "update" else {})
    return directory / NAME


def summary_of(directory):
    """What run.json says. Raises `LqcdError` if there is none, or if it is damaged."""
    path = Path(directory) / SUMMARY
    try:
        found = json.loads(path.read_text())
    except OSError as error:
        raise LqcdError(f"{directory} holds no run ({error.filename}: {error.strerror})") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or set(found) < {"identity", "run_toml", "versions", "seed", "ranks", "lattice"}:
        raise LqcdError(f"{path} is damaged: remove it, and start the run again with its run file to write it anew")
    return found


@contextmanager
def measurement_file(directory, summary):
    """A new measurements.h5 with the attributes of a run's summary; it appears under its name when it is whole.

    It is made in memory, so that a full disk meets one plain write.
    """
    import h5py

    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        file.attrs["run_toml"] = summary["run_toml"]
        file.attrs["versions"] = json.dumps(summary["versions"])
        file.attrs["seed"] = summary["seed"]
        file.attrs["ranks"] = summary["ranks"]
        file.attrs["lattice"] = json.dumps(summary["lattice"])
        file.attrs["created"] = time.strftime("%Y-%m-%d %H:%M:%S")
        yield file
    with replacing(directory / NAME, SerialCommunicator()) as temporary:
        temporary.write_bytes(image.getbuffer())


def _kinds(run_toml):
    """The kind of every measurement of a run file."""
    tables = tomllib.loads(run_toml).get("measure", {})
    return {name: table.get("kind", name) for name, table in tables.items()}


def _tables(records):
    tables = {}
    for record in records:
        tables.setdefault(record["name"], []).append(record)
    return tables


def _write_table(group, rows, seconds):
    group["step"] = np.array([row["step"] for row in rows])
    for column in dict.fromkeys(key for row in rows for key in row["values"]):
        if column == "time":
            group["time"] = np.array(rows[0]["values"]["time"])
            continue
        values = [row["values"].get(column) for row in rows]
        if isinstance(values[0], str):
            group[column] = [value or "" for value in values]
        else:
            values = [np.array(np.nan if v is None else v, float) for v in values]
            group[column] = np.stack(np.broadcast_arrays(*values))
    if seconds:
        group["seconds"] = np.array([seconds.get(row["step"], np.nan) for row in rows])


def _seconds(directory):
    """Wall time of updates by step; not part of the journal, whose bits must not depend on the machine's speed."""
    try:
        pairs = [line.split() for line in (directory / "seconds.txt").read_text().splitlines()]
        return {int(step): float(seconds) for step, seconds in pairs}
    except (OSError, ValueError):
        return {}


def finish(directory, report, say):
    """measurements.h5 from the journal, and the report if it is wanted."""
    say(f"measurements: {collect(directory)}")
    if report:
        show_report(directory, say)


def show_report(directory, say):
    """The report of measurements.h5."""
    from ..analysis.report import write_report

    say(f"report: {write_report(directory)}")
