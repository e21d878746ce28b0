"""A trained preconditioner as a value for flexible solvers."""

from __future__ import annotations

from ...description import description
from ...errors import LqcdError
from ...solvers.preconditioning import Preconditioner
from ..preconditioners.models import load, place_of
from ..training.state import read_model


class Trained(Preconditioner):
    """z = M r of a network, by kernels; prepared once per operator, and again when its gauge field has changed."""

    def __init__(self, network):
        self.network = network

    def on(self, A):
        """M for an operator, kept with its gauge field."""
        slot = A.U.shared(("trained", id(self), A.description, A.precision), dict)
        if slot.get("version") != A.U.version or slot["network"] is not self.network:
            slot |= {"network": self.network, "version": A.U.version}
            slot["kernels"] = InPrecision(A, self.network.kernels(A))
        return slot["kernels"]


class InPrecision:
    """M in the precision of A for vectors of any."""

    def __init__(self, A, kernels):
        self.A, self.kernels, self._own = A, kernels, {}

    def apply(self, r, z):
        """z = M r."""
        if r.precision == self.A.precision:
            self.kernels.apply(r, z)
            return
        if r.copies not in self._own:
            self._own[r.copies] = self.A.vector(r.copies), self.A.vector(r.copies)
        source, out = self._own[r.copies]
        source.assign(r)
        self.kernels.apply(source, out)
        z.assign(out)


@description
class Learned(Preconditioner):
    """A preconditioner that was trained by `lqcd-hpc train`, for FGMRES and GCR.

    model : directory of the model, or the name of one that comes with the package

    Raises `LqcdError` for a model of another group, dimension or gamma basis, and for operators that are not Wilson
    fermions on a gauge field.
    """

    model: str

    @property
    def training_seconds(self):
        """Core-seconds of the training, from the card."""
        return float(read_model(place_of(self.model))[1].get("core_seconds", 0.0))

    def on(self, A):
        """M for an operator, kept with its gauge field."""
        if not hasattr(A, "U") or not hasattr(getattr(A, "description", None), "diagonal"):
            raise LqcdError(f"a learned preconditioner is for Wilson fermions on all sites, not for {A!r}")
        return A.U.shared(("learned", self.model, A.description), lambda: Trained(load(self.model, A))).on(A)
