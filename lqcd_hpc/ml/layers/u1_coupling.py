"""A gauge-equivariant coupling of U(1) links in two dimensions (2003.06413)."""

from __future__ import annotations

import torch

from ..targets.gauge import wrap
from .plaquette_masks import Stripes

CHANNELS = 6  # cosines and sines of three loops


class U1Coupling(torch.nn.Module):
    """New angles of the active plaquettes, by maps of the circle that know the loops without active links.

    P' = g(P; net(loops)), theta' = theta + P' - P, log det = sum over active plaquettes of log g'. The loops are the
    two frozen plaquettes ahead, and P + P_passive, the 1 x 2 loop around the active link. Only active rows are
    computed: the network works on the lattice of active links.

    stripes : the active rows; net : a network of 6 inputs on their lattice; circle_map : one of layers/circle.py
    """

    def __init__(self, stripes: Stripes, net, circle_map):
        super().__init__()
        self.stripes, self.net, self.circle_map = stripes, net, circle_map

    def forward(self, theta):
        return self._move(theta, self.circle_map.forward)

    def inverse(self, theta):
        return self._move(theta, self.circle_map.inverse)

    def _move(self, theta, function):
        links = theta.permute(1, 2, 3, 0)  # samples last: rows of sites are contiguous
        passive, active, ahead, further = self._plaquettes(links).unbind(1)
        loops = torch.stack([passive + active, ahead, further])
        raw = self.net.rows(torch.cat([torch.cos(loops), torch.sin(loops)]).flatten(1, 2)).unflatten(
            1, active.shape[:2]
        )
        moved, log_slope = function(wrap(active), raw)
        links = self.stripes.replace(links, wrap(self.stripes.active(links) + moved - active))
        return links.permute(3, 0, 1, 2), log_slope.sum((0, 1))

    def _plaquettes(self, links):
        """P(x) = theta_mu(x) + theta_nu(x + mu) - theta_mu(x + nu) - theta_nu(x), (blocks, 4, along, batch)."""
        mu = self.stripes.mu
        along, across = self.stripes.upright(links[mu]), self.stripes.upright(links[1 - mu])
        return self.stripes.blocks(along - along.roll(-1, 0) + across.roll(-1, 1) - across)
