"""One self-contained HTML page per run: what was run, values with errors, pictures."""

from __future__ import annotations

import os
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import numpy as np

from .errors import format_value
from .measurement_file import read_measurements
from .observables import observable_rows
from .pictures import run_pictures
from .plots import encode
from .sampling_quality import duration, hmc_rows, timing_rows
from .thermalisation import thermalisation_cut

MARKS = (("plaquette", "⟨P⟩"), ("flow", "√t₀/a"), ("flow", "w₀/a"))


def write_report(directory, out="report.html", thermalisation=None):
    """Writes the report of the run in `directory` and returns its path.

    `out` is relative to the directory unless absolute; `thermalisation` is the first step to be used, by
    default found from the plaquette history (`thermalisation_cut`). Pictures are embedded: the file needs
    nothing beside it. Raises `LqcdError` if there is no readable `measurements.h5`.

    >>> write_report("no-such-run")
    Traceback (most recent call last):
        ...
    lqcd_hpc.errors.LqcdError: no-such-run does not exist: give the directory of a run that has written measurements
    """
    measurements = read_measurements(directory)
    target = Path(directory if Path(directory).is_dir() else Path(directory).parent) / out
    first_step = find_first_step(measurements) if thermalisation is None else thermalisation
    page = _environment().get_template("report.html.j2").render(**_content(measurements, first_step, target))
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_text(page, encoding="utf-8")
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def values(directory, thermalisation=None):
    """The table of observables of the run in `directory`, one dict per row.

    Keys: `measurement`, `quantity`, `value`, `error`, `tau_int` (in distances of two measurements), `samples`, and as
    people read them `text`, `tau_int_text`, `note`.

    Numbers are None where a history is too short or constant; `note` then says why.
    """
    measurements = read_measurements(directory)
    first_step = find_first_step(measurements) if thermalisation is None else thermalisation
    return [_as_dict(row) for row in observable_rows(measurements, first_step)]


def _as_dict(row):
    one = row.estimate
    numbers = (one.mean, one.error, one.tau_int, one.samples) if one else (None,) * 4
    return {
        "measurement": row.group,
        "quantity": row.symbol,
        **dict(zip(("value", "error", "tau_int", "samples"), numbers)),
        "text": row.value,
        "tau_int_text": row.tau_int,
        "note": row.note,
    }


def write_pictures(directory, format="png", thermalisation=None):
    """Writes the pictures of the report into `directory`, as SECTION-1.png, SECTION-2.png, ...; returns their paths."""
    measurements = read_measurements(directory)
    first_step = find_first_step(measurements) if thermalisation is None else thermalisation
    written = []
    for picture in run_pictures(measurements, first_step):
        section = picture.section.lower().replace(" ", "-")
        number = sum(path.name.startswith(f"{section}-") for path in written) + 1
        written.append(Path(directory).absolute() / f"{section}-{number}.{format}")
        written[-1].write_bytes(encode(picture.figure, format))
    return written


def find_first_step(measurements):
    """The step where the plaquette (of the updates, else as measured), or the action of scalars, is thermalised; 0 if
    nothing tells.
    """
    for group, name in (("update", "plaquette"), ("update", "action_density"), ("plaquette", "plaquette")):
        table = measurements.tables.get(group)
        history = table.columns.get(name) if table else None
        if history is not None and history.dtype.kind == "f":
            history = history.mean(axis=tuple(range(1, history.ndim))) if history.ndim > 1 else history
            good = np.flatnonzero(np.isfinite(history))
            cut = thermalisation_cut(history[good])
            return int(table.step[good[cut]]) if cut else 0
    return 0


def _content(measurements, first_step, target):
    rows = observable_rows(measurements, first_step)
    update = measurements.tables.get("update")
    hmc = hmc_rows(update.after(first_step)) if update else []
    return {
        "title": target.absolute().parent.name,
        "measurements": measurements,
        "first_step": first_step,
        "rows": rows,
        "marks": _headline(measurements, rows, update, hmc),
        "hmc": hmc,
        "timing": timing_rows(update) if update else [],
        "pictures": [
            {"section": one.section, "caption": one.caption, "uri": _data_uri(one.figure)}
            for one in run_pictures(measurements, first_step)
        ],
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _headline(measurements, rows, update, hmc):
    """The few numbers at the top of the page: (name, value)."""
    marks = []
    if update:
        marks.append(("updates", str(len(update.step))))
        seconds = update.columns.get("seconds")
        if seconds is not None and np.isfinite(seconds).any():
            marks.append(("time in updates", duration(np.nansum(seconds))))
    if fresh := measurements.tables.get("evaluation"):
        marks.append(("steps", str(fresh.step[-1])))
        if "ess" in fresh.columns:
            marks.append(("effective sample size", f"{fresh.columns['ess'][-1]:.4g}"))
            marks.append(("log Z", format_value(fresh.columns["log_z"][-1], fresh.columns["log_z_error"][-1])))
        else:
            marks.append(("loss on fresh vectors", f"{fresh.columns['loss'][-1]:.4g}"))
    known = {(row.group, row.symbol): row.value for row in rows if row.estimate}
    marks += [(symbol, known[group, symbol]) for group, symbol in MARKS if (group, symbol) in known]
    return marks + [(name, value) for name, value, _ in hmc if name == "acceptance"]


def _data_uri(figure):
    return "data:image/svg+xml;base64," + b64encode(encode(figure, "svg")).decode()


def _environment():
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
