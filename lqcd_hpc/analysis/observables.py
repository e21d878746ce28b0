"""The table of observables of a run: every measured column and what is derived from it, with errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import LqcdError
from .correlators import KINDS, channels, plateau
from .errors import Estimate, derived, estimate, susceptibility
from .flow_scales import flow_scale_t0, flow_scale_w0

TRAINING = ("train", "evaluation", "trial")
OF_THE_SAMPLER = ("accepted", "log_weight", "delta_h")
SYMBOLS = {
    "plaquette": "⟨P⟩",
    "plaquette_ss": "⟨P⟩ spatial",
    "plaquette_st": "⟨P⟩ temporal",
}


@dataclass(frozen=True)
class Row:
    """One line of the table: an estimate, or the reason why there is none."""

    group: str
    symbol: str
    estimate: Estimate | None = None
    note: str = ""
    every: float = 1.0

    @property
    def value(self):
        """Value and error in short notation, a dash if there is none."""
        return str(self.estimate) if self.estimate else "—"

    @property
    def tau_int(self):
        """tau_int in units of the distance between measurements, with its error."""
        one = self.estimate
        return f"{one.tau_int:.2f} ± {one.tau_int_error:.2f}" if one else "—"

    @property
    def tau_int_updates(self):
        """tau_int in updates."""
        return f"{self.estimate.tau_int * self.every:.3g}" if self.estimate else "—"

    @property
    def samples(self):
        """Number of measurements and how many updates lie between them."""
        if not self.estimate:
            return "—"
        return f"{self.estimate.samples}" + (f", every {self.every:g}" if self.every > 1 else "")


def observable_rows(measurements, first_step=0):
    """The rows of all measurements, from `first_step` on; `measurements` as read by `measurement_file`."""
    rows = []
    for group, table in measurements.tables.items():
        table = table.after(first_step)
        every = spacing(table.step)
        for symbol, calculate in _quantities(group, table, measurements):
            rows.append(row(group, symbol, calculate, every))
    return rows


def row(group, symbol, calculate, every=1.0):
    """The row of one quantity; a history that is too short or constant becomes a note."""
    try:
        one = calculate()
    except LqcdError as problem:
        return Row(group, symbol, note=str(problem).split(":")[0], every=every)
    note = "" if one.reliable else f"only {one.samples / (2 * one.tau_int):.0f} independent samples: error uncertain"
    return Row(group, symbol, one, note, every)


def spacing(step):
    """The usual distance between neighbouring steps."""
    return float(np.median(np.diff(step))) if len(step) > 1 else 1.0


def as_history(column):
    """A column (n,) as a history, a column with replicas (n, R) as R histories."""
    return column if column.ndim == 1 else column.T


def _quantities(group, table, measurements):
    kind = table.kind or group
    if kind == "update":
        return _update(table)
    if kind == "flow":
        return _flow(table, measurements.volume)
    if kind == "topology":
        return _topology(table, measurements.volume)
    if kind in KINDS:
        return _masses(table)
    if kind == "condensate":
        return _condensate(table)
    if kind == "weighted":
        return _weighted(table)
    if kind in TRAINING:
        return ()
    return _plain(group, table, measurements)


def _plain(group, table, measurements):
    for name, column in table.numbers().items():
        if table.kind == "samples" and name in OF_THE_SAMPLER:
            continue
        symbol = SYMBOLS.get(name, name.replace("_", " "))
        if not np.iscomplexobj(column):
            yield symbol, lambda c=column, s=symbol: estimate(as_history(c), s)
        elif group == "polyakov":
            yield from _complex("L", column, _suffix(name))
            yield from _loop_susceptibility(column, measurements, _suffix(name))
        else:
            yield from _complex(symbol, column, "")


def _weighted(table):
    """sum w O/sum w."""
    columns = table.numbers()
    log_w = as_history(columns["log_weight"])
    w = np.exp(log_w - log_w.max())
    for name, column in columns.items():
        if name not in OF_THE_SAMPLER:
            symbol = SYMBOLS.get(name, name.replace("_", " "))
            yield symbol, lambda c=column, s=symbol: derived(lambda a, b: a / b, w * as_history(c), w, name=s)


def _complex(letter, column, suffix):
    history = as_history(column)
    yield f"Re⟨{letter}⟩{suffix}", lambda: estimate(history.real, "real part")
    yield f"Im⟨{letter}⟩{suffix}", lambda: estimate(history.imag, "imaginary part")
    yield f"⟨|{letter}|⟩{suffix}", lambda: estimate(abs(history), "modulus")


def _loop_susceptibility(column, measurements, suffix):
    if measurements.shape:
        space = measurements.volume // measurements.shape[-1]
        history = abs(as_history(column))
        yield f"V₃ (⟨|L|²⟩ − ⟨|L|⟩²){suffix}", lambda: susceptibility(history, space)


def _suffix(name):
    return "" if name == "polyakov" else f" ({name.replace('_', ' ')})"


def _masses(table):
    for one in channels(table):
        found = plateau(one.correlator, one.form, one.symbol)
        if found is not None:
            yield f"a m({one.symbol}), t = {found.first} .. {found.last}", lambda f=found: f.mass


def _condensate(table):
    column = table.columns["condensate"]
    yield "Tr D⁻¹/V", lambda: estimate(as_history(column), "condensate")


def _update(table):
    plaquette = table.numbers().get("plaquette")
    if plaquette is not None and plaquette.ndim == 1:
        yield "⟨P⟩ after each update", lambda: estimate(plaquette[np.isfinite(plaquette)], "plaquette")


def _topology(table, volume):
    for name, column in table.numbers().items():
        if "charge" in name or name in ("q", "Q"):
            yield from _charge(name, as_history(column), volume)
        elif column.ndim <= 2 and not np.iscomplexobj(column):
            yield f"{name.replace('_', ' ')}", lambda c=column, n=name: estimate(as_history(c), n)


def _charge(name, history, volume, where=""):
    where = where or ("" if name == "charge" else f" ({name.replace('_', ' ')})")
    yield f"⟨Q⟩{where}", lambda: estimate(history, "charge")
    yield f"⟨Q²⟩{where}", lambda: susceptibility(history, 1.0, 0.0, "charge squared")
    yield f"χ = ⟨Q²⟩/V{where}", lambda: susceptibility(history, 1.0 / volume, 0.0)


def _flow(table, volume):
    time, columns = table.time, table.numbers()
    if time is None:
        return
    energy, charge = columns.get("energy"), columns.get("charge")
    if energy is not None and energy.ndim == 2:
        yield "t₀/a²", lambda: flow_scale_t0(time, energy).time
        yield "√t₀/a", lambda: flow_scale_t0(time, energy).scale
        yield "w₀/a", lambda: flow_scale_w0(time, energy).scale
    if charge is not None and charge.ndim == 2:
        yield from _charge("charge", charge[:, -1], volume, f" at t = {time[-1]:g}")
        if energy is not None and energy.ndim == 2:
            yield (
                "t₀² χ",
                lambda: derived(
                    lambda t0, square: t0**2 * square / volume,
                    flow_scale_t0(time, energy).history,
                    charge[:, -1] ** 2,
                ),
            )
