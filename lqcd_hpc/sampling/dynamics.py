"""Molecular dynamics of links and momenta: kicks, drifts and energies by kernels."""

from __future__ import annotations

from functools import cache

from ..fields import kinds
from ..fields.launch import Kernel, Sequence, in_, inout, prepare
from ..smearing.gradient_flow import exponential_kernel
from .integrators import GRADIENT


class Dynamics:
    """Momenta P for the gauge field of an action, and their equations of motion.

    dU/dt = i P U, dP/dt = -T^a d^a S; H = tr P^2 + S (U(1): p^2/2 + S).
    """

    def __init__(self, action):
        self.action, self.U = action, action.U
        nc, ndim = self.U.kind.nc, self.U.lattice.ndim
        self.P = self.U.like(kinds.algebra(nc, ndim))
        self._momenta = prepare(_gaussian(nc, ndim), U=self.U, P=self.P)
        self._kinetic = prepare(_kinetic(nc, ndim), P=self.P)
        self._displaced = None
        self._plans = {}

    def refresh(self, rng):
        """Draw new momenta from exp(-tr P^2)."""
        self._momenta(key=rng.key())

    def kinetic_energy(self):
        """tr P^2 summed over links (U(1): p^2/2), one number (an array over replicas if there are several)."""
        return self._kinetic()["energy"]

    def integrate(self, scheme, length, steps):
        """Follow the equations of motion for a time `length` (negative: backwards) in so many steps."""
        key = (scheme.name, length, steps)
        if key not in self._plans:
            launches = []
            for name, amount in scheme.trajectory(length, steps):
                launches += {"P": self._kick, "U": self._drift, "G": self._gradient_kick}[name](amount, length / steps)
            self._plans[key] = Sequence(launches)
        self._plans[key]()

    def _kick(self, amount, _):
        return self._bound(self.action, ("P", amount), self.P, amount * self.action.force_factor)

    def _bound(self, action, key, P, weight, keep=1.0):
        """Launches of P <- keep P + weight TA(U staple)/i with these numbers bound to them."""
        if key not in self._plans:
            first = action.gradient_launches(P)
            self._plans[key] = [launch.again() for launch in first]
            self._plans[key][-1].set(weight=weight, keep=keep)
        return self._plans[key]

    def _drift(self, amount, _):
        return [self._exponential(self.U, self.P, amount)]

    def _exponential(self, U, P, amount):
        key = ("U", id(U), amount)
        if key not in self._plans:
            kernel = exponential_kernel(U.kind.nc, U.lattice.ndim)
            self._plans[key] = prepare(kernel, U=U, P=P).set(eps=amount)
        return self._plans[key]

    def _gradient_kick(self, amount, eps):
        """Force at exp(i eps^2/24 F) U, on a second field."""
        if self._displaced is None:
            V = self.U.like()
            self._displaced = V, self.P.like(), self.action.description.on(V)
        V, F, moved = self._displaced
        factor = self.action.force_factor
        force = self._bound(self.action, ("G", eps), F, GRADIENT * eps * eps * factor, keep=0.0)
        kick = self._bound(moved, ("GP", amount), self.P, amount * factor)
        return [*force, copy_launch(self.U, V), self._exponential(V, F, 1.0), *kick]


def copy_launch(source, target):
    """target <- source as a launch."""
    kernel = Kernel("fill.h", "copy", (source.reals, source.kind.buffers), (in_("source"), inout("target")))
    return prepare(kernel, source=source, target=target)


@cache
def _gaussian(nc, ndim):
    return Kernel("fill.h", "gaussian_momenta", (nc, ndim), (in_("U"), inout("P")), scalars=(("key", "RandomKey"),))


@cache
def _kinetic(nc, ndim):
    return Kernel("fill.h", "kinetic_energy", (nc, ndim), (in_("P"),), sums=("energy",))
