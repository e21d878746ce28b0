"""Quark propagators written to files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..description import description
from ..errors import LqcdError
from ..fields.launch import Kernel, in_
from ..io.collective import on_root
from ..io.sitefields import SiteArray, write_fields
from ..sources.columns import components
from .plaquette import Plaquette
from .quarks import Described, Quark, time_slices

NAME = "propagator"


@description
class Propagator:
    """S = D^-1 source for every spin and colour, written by runs to `folder`/propagator_STEP.h5 in their directory.

    The file (io/sitefields.py) holds the field "propagator" with site axes t, z, y, x, then source component
    s' Nc + a', spin and colour of the sink (colour alone for staggered quarks), and as metadata operator, source,
    solver, residual and plaquette. Read it with `io.sitefields.read_fields(path, lattice)`.

    Columns: time, norm (sum_x |S|^2 from the source on), residual, iterations. Raises `LqcdError` on lattices with
    replicas.
    """

    operator: Described
    solver: Described
    source: Described
    folder: str = "propagators"

    def __post_init__(self):
        if not re.fullmatch("[A-Za-z0-9_.-]+", self.folder) or set(self.folder) == {"."}:
            raise LqcdError(f"folder = {self.folder!r}: give a plain name, the folder lies in the run's directory")

    def on(self, U):
        """The measurement on the gauge field U."""
        if U.lattice.replicas > 1:
            raise LqcdError("propagator files hold one system, this lattice has several replicas: take spectrum")
        return Writer(self, U)


class Writer:
    """A `Propagator` description on a gauge field: calling it gives the columns, `at` writes the file as well."""

    def __init__(self, description, U):
        self.description, self.U = description, U
        self.quark = Quark(description.operator, description.solver, description.source, U)
        self._plaquette = Plaquette().on(U)
        size = components(self.quark.kind)
        self._square = Kernel("hadrons.h", "square", (size, size), (in_("S"),), sums=("norm",))

    def __call__(self):
        return self._columns(self.quark.propagator())

    def at(self, step, folder="."):
        """The columns, and the file of this step in a directory."""
        S = self.quark.propagator()
        place = Path(folder) / self.description.folder
        on_root(self.U.lattice.comm, lambda: place.mkdir(parents=True, exist_ok=True))
        values = S.field.to_numpy()
        values = values.reshape(S.field.copies, *self.U.lattice.local_shape[::-1], *S.field.kind.shape)
        path = place / f"{NAME}_{step:08d}.h5"
        write_fields(path, self.U.lattice, {NAME: SiteArray(values, 1)}, self._metadata(step, S))
        return self._columns(S)

    def _columns(self, S):
        norm = self.quark.from_source(time_slices(self._square, S=S.field)["norm"])
        return {"time": np.arange(len(norm)), "norm": norm, "residual": S.residual, "iterations": S.iterations}

    def _metadata(self, step, S):
        one = self.description
        texts = {"operator": repr(one.operator), "source": repr(one.source), "solver": repr(one.solver)}
        numbers = {"step": step, "residual": S.residual, "plaquette": float(self._plaquette()["plaquette"])}
        return texts | numbers | {"precision": S.field.precision}
