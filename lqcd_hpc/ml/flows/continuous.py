"""Continuous flows of scalar fields (2207.00283)."""

from __future__ import annotations

from pydantic import PositiveInt

from ...description import description
from ...errors import LqcdError
from ..flow import Flow
from ..layers.continuous import Continuous as Motion
from .scalar_fields import components, require_scalars


@description
class Continuous:
    """The field moves by dphi(x)/dt = sum_r sum_f W_f(r, t) h_f(phi(x + r)), h = phi and sin(w_f phi), for unit time.

    steps : of fourth-order Runge-Kutta
    frequencies : number of w_f, learned from 1, 2, 3, ...
    times : number of polynomials in t that make up W
    reach : the largest |r| per direction (all displacements without it); with it the parameters fit any lattice

    It commutes with all symmetries of the lattice and with phi -> -phi. Where steps are too few, training profits from
    the error of the determinant, which shows as a log Z that grows without bound: judge a trained flow with twice the
    steps. Memory grows with steps (batch): it keeps four sets of features per step for its gradients.

    >>> from lqcd_hpc.ml.targets.scalar import ScalarTarget
    >>> target = ScalarTarget(None, (6, 6), hopping=2.0, quadratic=0.0, quartic=7.0)
    >>> sum(p.numel() for p in Continuous(steps=10, frequencies=5, times=4).on(target).parameters())
    245
    """

    steps: PositiveInt
    frequencies: PositiveInt
    times: PositiveInt
    reach: PositiveInt | None = None

    def on(self, target):
        """The flow to a scalar target of one component; raises `LqcdError` for other variables."""
        require_scalars(target, "continuous")
        if components(target) > 1:
            raise LqcdError('flow kind = "continuous" moves one number per site: this target has several')
        return Flow(target.prior, [Motion(target.shape, self.steps, self.frequencies, self.times, self.reach)])
