"""Chooses the pictures that a run gets from what it measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ..errors import LqcdError
from . import plots
from .autocorrelation import autocorrelation_function
from .correlators import KINDS, channels, effective_masses, mean_correlator, plateau
from .errors import estimate, susceptibility
from .flow_scales import flow_scale_t0, flow_scale_w0

STACKED = 6
TOGETHER = 3


@dataclass(frozen=True)
class Picture:
    """A figure with the section of the report it belongs to and what it shows."""

    section: str
    caption: str
    figure: Figure


def run_pictures(measurements, first_step=0):
    """All pictures of a run, in the order of the report; `first_step` ends the thermalisation."""
    found = []
    known = {"update": _update, "polyakov": _polyakov, "topology": _topology, "flow": _flow, "condensate": _condensate}
    known |= dict.fromkeys(KINDS, _correlators)
    known |= {"train": _training, "evaluation": _drawn_elsewhere}
    for group, table in measurements.tables.items():
        draw = known.get(table.kind or group, _generic)
        found += draw(group, table, measurements, first_step)
    return found + _memory(measurements, first_step)


def _update(group, table, measurements, first_step):
    columns = table.numbers()
    found = []
    for name in ("plaquette", "action_density"):
        history = columns.get(name)
        if history is not None and history.ndim == 1 and np.isfinite(history).sum() > 1:
            good, label = np.isfinite(history), f"{name.replace('_', ' ')} after each update"
            found.append(_scalar("Updates", label, table.step[good], history[good], first_step))
    delta_h = columns.get("delta_h")
    if delta_h is not None and delta_h.ndim == 1 and np.isfinite(delta_h).any():
        picture = plots.hmc_history(table.step, delta_h, columns.get("accepted"), first_step)
        found.append(Picture("Updates", "energy violation and acceptance of the HMC", picture))
    return found


def _polyakov(group, table, measurements, first_step):
    found = []
    for name, column in table.numbers().items():
        label = "Polyakov loop" if name == "polyakov" else name.replace("_", " ")
        if np.iscomplexobj(column):
            later = table.after(first_step).columns[name]
            later = later if len(later) else column
            found.append(
                _scalar("Polyakov loop", f"modulus of the {label}", table.step, abs(column), first_step, r"$|L|$")
            )
            picture = plots.polyakov_scatter(later, measurements.group or "SU(3)")
            found.append(Picture("Polyakov loop", f"{label} in the complex plane, arrows along the centre", picture))
        else:
            found.append(_scalar("Polyakov loop", label, table.step, column, first_step))
    return found


def _topology(group, table, measurements, first_step):
    found = []
    for name, column in table.numbers().items():
        if "charge" in name and column.ndim == 1:
            found.append(_charge("Topology", f"topological {name.replace('_', ' ')}", table.step, column, first_step))
        elif not np.iscomplexobj(column):
            found.append(_scalar("Topology", name.replace("_", " "), table.step, column, first_step))
    return found


def _flow(group, table, measurements, first_step):
    columns, later = table.numbers(), table.after(first_step)
    later = later if len(later.step) else table
    found = []
    if table.time is None:
        return _generic(group, table, measurements, first_step)
    if _is_curve(table, "energy"):
        energy = later.columns["energy"]
        scales = [_tolerant(lambda find=find: find(table.time, energy)) for find in (flow_scale_t0, flow_scale_w0)]
        picture = _tolerant(lambda: plots.flow_energy(table.time, energy, *scales))
        if picture is not None:
            found.append(Picture("Gradient flow", "energy along the flow and the scales t₀, w₀", picture))
    if _is_curve(table, "charge"):
        picture = plots.flow_charge(table.time, later.columns["charge"])
        found.append(Picture("Gradient flow", "topological charge along the flow, one line per configuration", picture))
        if "topology" not in measurements.tables:
            final = columns["charge"][:, -1]
            caption = f"topological charge at flow time {table.time[-1]:g}"
            found.append(_charge("Gradient flow", caption, table.step, final, first_step))
    return found


def _correlators(group, table, measurements, first_step):
    later = table.after(first_step)
    found = [_drawn(one) for one in channels(later if len(later.step) else table)]
    section = _title(group)
    return [
        Picture(
            section,
            f"correlators and effective masses of {', '.join(one['symbol'] for one in part)}",
            plots.correlators(part),
        )
        for part in (found[i : i + TOGETHER] for i in range(0, len(found), TOGETHER))
    ]


def _drawn(channel):
    """What the picture of a correlator shows."""
    mean, error = mean_correlator(channel)
    masses = effective_masses(channel.correlator, channel.form)
    mass = plateau(channel.correlator, channel.form)
    return {"symbol": channel.symbol, "mean": mean, "error": error, "masses": masses, "plateau": mass}


def _condensate(group, table, measurements, first_step):
    column = table.columns["condensate"]
    return [_scalar(_title(group), "Tr D⁻¹/V", table.step, column, first_step, r"$\mathrm{Tr}\,D^{-1}/V$")]


def _training(group, table, measurements, first_step):
    columns, fresh = table.columns, measurements.tables.get("evaluation")
    if "ess" not in columns:
        held_out = (fresh.step, fresh.columns["loss"]) if fresh else None
        picture = plots.loss_curve(table.step, columns["loss"], held_out)
        return [Picture("Training", "loss along the training", picture)]
    evaluations = (fresh.step, fresh.columns["ess"]) if fresh else None
    picture = plots.training_curve(table.step, columns["loss"], columns["ess"], evaluations)
    return [Picture("Training", "loss and effective sample size along the training", picture)]


def _drawn_elsewhere(group, table, measurements, first_step):
    return []


def _title(group):
    return group.replace("_", " ").capitalize()


def _generic(group, table, measurements, first_step):
    columns = {}
    for name, column in table.numbers().items():
        label = name.replace("_", " ")
        if np.iscomplexobj(column):
            columns |= {f"Re {label}": column.real, f"Im {label}": column.imag}
        else:
            columns[label] = column
    section = _title(group)
    if len(columns) == 1:
        label, column = next(iter(columns.items()))
        return [_scalar(section, label, table.step, column, first_step)]
    labels = list(columns)
    parts = [labels[i : i + STACKED] for i in range(0, len(labels), STACKED)]
    return [
        Picture(
            section,
            ", ".join(part),
            plots.histories(table.step, {label: columns[label] for label in part}, first_step),
        )
        for part in parts
    ]


def _memory(measurements, first_step):
    """Autocorrelation functions of the quantities that tell most about a gauge run."""
    wanted = {}
    for group, name, label in (
        ("update", "plaquette", "plaquette, after each update"),
        ("plaquette", "plaquette", "plaquette, as measured"),
        ("update", "action_density", "action per site"),
        ("scalar", "m2", "M²/V"),
        ("polyakov", "polyakov", "|L|"),
        ("topology", "charge", "Q²"),
    ):
        table = measurements.tables.get(group)
        column = table.after(first_step).columns.get(name) if table else None
        if column is None or column.ndim != 1 or (label == "plaquette, as measured" and len(wanted)):
            continue
        history = column**2 if name == "charge" else abs(column)
        found = _tolerant(lambda h=history: autocorrelation_function(h[np.isfinite(h)]))
        if found is not None:
            wanted[label] = found
    if not wanted:
        return []
    return [
        Picture(
            "Autocorrelation",
            "autocorrelation functions with their summation window",
            plots.autocorrelation(wanted),
        )
    ]


def _scalar(section, caption, step, column, first_step, label=""):
    kept = column[step >= first_step]
    history = kept if kept.ndim == 1 else kept.T
    one = _tolerant(lambda: estimate(history))
    cut = first_step if (step < first_step).any() else None
    return Picture(section, caption, plots.history(step, column, label or caption.split(" after")[0], one, cut))


def _charge(section, caption, step, charge, first_step):
    one = _tolerant(lambda: susceptibility(charge[step >= first_step], 1.0, 0.0))
    cut = first_step if (step < first_step).any() else None
    return Picture(section, caption, plots.charge_history(step, charge, one, cut))


def _is_curve(table, name):
    column = table.numbers().get(name)
    return column is not None and column.ndim == 2 and column.shape[1] == len(table.time)


def _tolerant(calculate):
    try:
        return calculate()
    except LqcdError:
        return None
