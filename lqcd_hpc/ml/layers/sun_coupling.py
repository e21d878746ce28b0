"""Couplings that move eigenvalues of SU(N) matrices: of plaquettes, equivariant under gauge transformations
(2008.05456), and of a single matrix."""

from __future__ import annotations

from math import pi

import torch

from .plaquette_masks import Stripes
from .spectral import SpectralMap


class SpectralCoupling(torch.nn.Module):
    """A spectral map whose splines come from networks that see a context and the coordinates already moved.

    `network(j, inputs, outputs)` makes the network of coordinate j of the Weyl alcove, with its number of inputs.
    """

    def __init__(self, nc, bins, channels, network):
        super().__init__()
        self.map = SpectralMap(nc, bins)
        self.nets = torch.nn.ModuleList(network(j, channels + j, self.map.outputs) for j in range(self.map.coordinates))

    def forward(self, u, context):
        """(U', log det) of matrices (sites, batch, N, N) in a context (channels, sites, batch)."""
        return self.map.forward(u, self._splines(context))

    def inverse(self, u, context):
        """(U, log det) of U' = forward(U)."""
        return self.map.inverse(u, self._splines(context))

    def _splines(self, context):
        return lambda j, moved: self.nets[j].rows(torch.cat([context, *(torch.cos(pi * m)[None] for m in moved)]))


class SingleMatrix(torch.nn.Module):
    """A spectral map of single matrices (batch, N, N), with splines that are the same for all."""

    def __init__(self, coupling):
        super().__init__()
        self.coupling = coupling

    def forward(self, u):
        return self._move(u, self.coupling.forward)

    def inverse(self, u):
        return self._move(u, self.coupling.inverse)

    def _move(self, u, function):
        moved, log_det = function(u[None], u.real.new_ones(1, 1, len(u)))
        return moved[0], log_det[0]


class SUNCoupling(torch.nn.Module):
    """New eigenvalues of the active plaquettes P = U A, U' = P' A^dag, with A the staple of the active link U.

    The context are traces of the loops without active links: the two frozen plaquettes ahead, and A^dag B, the 1 x 2
    loop around the link, with B the staple on its other side. Links (batch, mu, y, x, N, N).
    """

    def __init__(self, stripes: Stripes, coupling):
        super().__init__()
        self.stripes, self.coupling = stripes, coupling

    def forward(self, links):
        return self._move(links, self.coupling.forward)

    def inverse(self, links):
        return self._move(links, self.coupling.inverse)

    def _move(self, links, function):
        links = links.permute(1, 2, 3, 0, 4, 5)
        along, across = (
            self.stripes.blocks(self.stripes.upright(links[m])) for m in (self.stripes.mu, 1 - self.stripes.mu)
        )
        corner = across.roll(-1, 2)
        below, link, ahead, further = along.unbind(1)
        staple = corner[:, 1] @ (across[:, 1] @ ahead).mH
        other = corner[:, 0].mH @ below.mH @ across[:, 0]
        loops = [
            staple.mH @ other,
            ahead @ corner[:, 2] @ (across[:, 2] @ further).mH,
            further @ corner[:, 3] @ (across[:, 3] @ below.roll(-1, 0)).mH,
        ]
        plaquette = (link @ staple).flatten(0, 1)
        moved, log_det = function(plaquette, traces(torch.stack(loops)).flatten(1, 2))
        links = self.stripes.replace(links, moved.unflatten(0, link.shape[:2]) @ staple.mH)
        return links.permute(3, 0, 1, 2, 4, 5), log_det.sum(0)


def channels(nc):
    """Numbers of `traces` for the three loops of a coupling."""
    return 3 * (nc // 2) * (2 if nc > 2 else 1)


def traces(loops):
    """tr W^k/N for k = 1 ... N/2 of loops (loop, ..., N, N): real parts, and imaginary ones for N > 2."""
    nc, power, found = loops.shape[-1], loops, []
    for k in range(nc // 2):
        power = power @ loops if k else power
        trace = torch.diagonal(power, dim1=-2, dim2=-1).mean(-1)
        found += [trace.real, trace.imag] if nc > 2 else [trace.real]
    return torch.cat(found)
