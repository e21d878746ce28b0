"""Gaussian flows: the free field and its learned relatives, by fast Fourier transform."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveFloat

from ...description import description
from ...errors import LqcdError
from ..flow import Flow
from ..layers.gaussian import Fixed, Massive, Modes, Spectrum
from ..targets.scalar import kinetic_spectrum
from .scalar_fields import require_scalars


@description
class Gaussian:
    """phi(k) = z(k)/sqrt K(k), alone or as the first part of a sequence.

    spectrum = "free" : K is that of the quadratic part of the target, fixed; exact where it is all (lambda = 0)
    spectrum = "massive" : K = e^a (khat^2 + e^b) with a, b learned; they carry over to any lattice
    spectrum = "modes" : a learned number for every value of khat^2
    mass2 : where m^2 of "massive" and "modes" begins

    >>> from lqcd_hpc.ml.targets.scalar import ScalarTarget
    >>> from lqcd_hpc.ml.noise import Noise
    >>> free = ScalarTarget(None, (4, 4), hopping=1.0, quadratic=2.5, quartic=0.0)
    >>> phi, log_q = Gaussian(spectrum="free").on(free).sample(100, Noise(seed=1, event=0))
    >>> bool((-free.action(phi) - log_q).std() < 1e-12)
    True
    """

    spectrum: Literal["free", "massive", "modes"]
    mass2: PositiveFloat = 1.0

    def on(self, target):
        """The flow to a scalar target; raises `LqcdError` for other variables, and where "free" is not positive."""
        require_scalars(target, "gaussian")
        kinetic = kinetic_spectrum(target.shape)
        if self.spectrum == "free":
            return Flow(target.prior, [Spectrum(Fixed(self._free(target, kinetic)))])
        learned = Massive if self.spectrum == "massive" else Modes
        return Flow(target.prior, [Spectrum(learned(kinetic, target.hopping, self.mass2))])

    @staticmethod
    def _free(target, kinetic):
        """S = sum_x [-hopping sum_mu phi phi_mu + quadratic phi^2] = (1/2) sum_k K |phi(k)|^2 / V."""
        spectrum = target.hopping * kinetic + 2 * target.quadratic - 2 * len(target.shape) * target.hopping
        if float(spectrum.min()) <= 0:
            raise LqcdError(
                f"the quadratic part of the action is not positive (lowest mode {float(spectrum.min()):.3g}): "
                'there is no free field to start from, use spectrum = "massive"'
            )
        return spectrum
