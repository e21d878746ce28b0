"""Molecular dynamics of a field and its momenta: kicks, drifts and energies by kernels."""

from __future__ import annotations

from ..errors import LqcdError
from ..fields.launch import Kernel, Sequence, in_, inout, prepare
from .integrators import GRADIENT
from .motion import motion_of


class Dynamics:
    """Momenta P for the field of an action, and their equations of motion (motion.py).

    Links: dU/dt = i P U, dP/dt = -T^a d^a S; H = tr P^2 + S (U(1): p^2/2 + S). Scalars and spins: dphi/dt = P,
    dP/dt = -dS/dphi, on the sphere for spins; H = P.P/2 + S.
    """

    def __init__(self, action):
        self.action, self.field = action, action.field
        self.motion = motion_of(self.field)
        self.P = self.field.like(self.motion.momenta)
        self._momenta = _on(self.motion.draw, self.field, self.P)
        self._kinetic = _on(self.motion.energy, self.P)
        self._displaced = None
        self._plans = {}

    def refresh(self, rng):
        """Draw new momenta from exp(-kinetic energy)."""
        self._momenta(key=rng.key())

    def kinetic_energy(self):
        """tr P^2 summed over links (U(1): p^2/2), P.P/2 over sites for scalars and spins; one number (an array over
        replicas if there are several).
        """
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
        """Launches of P <- keep P + weight gradient with these numbers bound to them."""
        if key not in self._plans:
            first = action.gradient_launches(P)
            self._plans[key] = [launch.again() for launch in first]
            self._plans[key][-1].set(weight=weight, keep=keep)
        return self._plans[key]

    def _drift(self, amount, _):
        return [self._moved(self.field, self.P, amount)]

    def _moved(self, field, P, amount):
        key = ("U", id(field), amount)
        if key not in self._plans:
            self._plans[key] = _on(self.motion.drift, field, P).set(eps=amount)
        return self._plans[key]

    def _gradient_kick(self, amount, eps):
        """Force at exp(i eps^2/24 F) U (scalars: phi + eps^2/24 F), on a second field."""
        if self.field.kind.law == "unit":
            raise LqcdError("force-gradient steps are for links and scalars: choose another integrator for spins")
        if self._displaced is None:
            V = self.field.like()
            self._displaced = V, self.P.like(), self.action.description.on(V)
        V, F, moved = self._displaced
        factor = self.action.force_factor
        force = self._bound(self.action, ("G", eps), F, GRADIENT * eps * eps * factor, keep=0.0)
        kick = self._bound(moved, ("GP", amount), self.P, amount * factor)
        return [*force, copy_launch(self.field, V), self._moved(V, F, 1.0), *kick]


def _on(kernel, *fields):
    """The launch of a kernel on fields in the order of its arguments."""
    return prepare(kernel, **dict(zip((arg.name for arg in kernel.args), fields)))


def copy_launch(source, target):
    """target <- source as a launch."""
    kernel = Kernel("fill.h", "copy", (source.reals, source.kind.buffers), (in_("source"), inout("target")))
    return prepare(kernel, source=source, target=target)
