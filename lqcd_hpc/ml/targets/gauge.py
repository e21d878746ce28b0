"""Gauge actions of closed loops in torch: U(1) as angles, SU(Nc) as matrices."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...errors import LqcdError
from ...fields.kinds import colours
from ..priors import Haar, UniformAngles
from .exact2d import exact_values
from .lattice import LatticeTarget, neighbour


def gauge_target(description, shape, group):
    """The torch form of a description with `beta` and `loops(ndim)`."""
    if group is None:
        raise LqcdError(f'{description} is an action of gauge links: name the group, "U(1)", "SU(2)", "SU(3)" ...')
    cls = AngleTarget if colours(group) == 1 else MatrixTarget
    return cls(description, shape, group)


@dataclass(frozen=True)
class _GaugeTarget(LatticeTarget):
    description: object
    shape: tuple[int, ...]
    group: str

    @property
    def beta(self):
        return self.description.beta

    @property
    def exact(self):
        """What is known exactly (exact2d.py); empty for most actions."""
        return exact_values(self)

    def action(self, links):
        """S = beta sum_loops c sum_x (1 - Re tr W(x)/Nc), (batch,)."""
        terms = [
            c * (1 - self.loop(links, path)).flatten(1).sum(1) for path, c in self.description.loops(len(self.shape))
        ]
        return self.beta * sum(terms)

    def observables(self, links):
        """plaquette (its mean), and in two dimensions of U(1) the topological charge and its square per volume."""
        d = len(self.shape)
        planes = [(mu, nu) for nu in range(d) for mu in range(nu)]
        mean = sum(self.loop(links, (mu + 1, nu + 1, -mu - 1, -nu - 1)).flatten(1).mean(1) for mu, nu in planes)
        return {"plaquette": mean / len(planes)}


class AngleTarget(_GaugeTarget):
    """U(1): angles theta_mu(x), (batch, mu, t, z, y, x)."""

    @property
    def prior(self):
        return UniformAngles((len(self.shape), *self.sites))

    def loop(self, theta, path):
        """cos of the sum of angles along a closed path that begins at x, (batch, t, z, y, x)."""
        return torch.cos(loop_angle(theta, path))

    def observables(self, theta):
        """plaquette; in two dimensions also q = Q and chi_q = Q^2/V with Q = sum wrap(theta_P)/2 pi."""
        found = super().observables(theta)
        if len(self.shape) == 2:
            charge = torch.round(wrap(loop_angle(theta, (1, 2, -1, -2))).flatten(1).sum(1) / (2 * torch.pi))
            found |= {"q": charge, "chi_q": charge**2 / self.volume}
        return found


class MatrixTarget(_GaugeTarget):
    """SU(Nc): matrices U_mu(x), (batch, mu, t, z, y, x, Nc, Nc)."""

    @property
    def prior(self):
        nc = colours(self.group)
        return Haar((len(self.shape), *self.sites, nc, nc))

    def loop(self, links, path):
        """Re tr/Nc of the product along a closed path that begins at x, (batch, t, z, y, x)."""
        product = path_product(links, path)
        return torch.diagonal(product.real, dim1=-2, dim2=-1).sum(-1) / colours(self.group)


def wrap(angle):
    """The angle in [-pi, pi)."""
    return torch.remainder(angle + torch.pi, 2 * torch.pi) - torch.pi


def loop_angle(theta, path):
    """The sum of U(1) angles (batch, mu, ...) along a path of steps +-1, +-2, ... that begins at x."""
    total, place = 0, [0] * (theta.dim() - 2)
    for step in path:
        mu = abs(step) - 1
        if step < 0:
            place[mu] -= 1
        angle = _shifted(theta[:, mu], place, 0)
        total = total + angle if step > 0 else total - angle
        if step > 0:
            place[mu] += 1
    return total


def path_product(links, path):
    """The product of links (batch, mu, ..., Nc, Nc) along a path of steps +-1, +-2, ... that begins at x."""
    product, place = None, [0] * (links.dim() - 4)
    for step in path:
        mu = abs(step) - 1
        if step < 0:
            place[mu] -= 1
        link = _shifted(links[:, mu], place, 2)
        link = link if step > 0 else link.mH
        product = link if product is None else product @ link
        if step > 0:
            place[mu] += 1
    return product


def _shifted(field, place, trailing):
    for mu, step in enumerate(place):
        if step:
            field = neighbour(field, mu, trailing, step)
    return field
