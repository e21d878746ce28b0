"""Stout smearing (Morningstar and Peardon, hep-lat/0311018)."""

from __future__ import annotations

from .gradient_flow import GradientFlow


class Stout:
    """U' = exp(-rho TA(U staple)) U, `steps` times: Euler steps eps = rho of the Wilson flow.

    make_action : gives the action whose loops define the staple, on a gauge field (the Wilson action for usual stout)
    """

    def __init__(self, make_action, rho, steps=1):
        self._make_action, self.rho, self.steps = make_action, rho, steps

    def forward(self, U):
        """The smeared field; U stays as it is."""
        V = U.copy()
        GradientFlow(self._make_action(V), self.rho, "euler").advance(self.steps)
        return V
