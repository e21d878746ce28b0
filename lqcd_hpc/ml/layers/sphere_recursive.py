"""Recursive maps of spheres: heights by splines, the last angle by a map of the circle (2002.02428)."""

from __future__ import annotations

import torch

from .rational_quadratic import inverse_spline, spline


class RecursiveSphere(torch.nn.Module):
    """A map of S^D in D + 1 dimensions that changes one coordinate after the other, each given those before it.

    The last coordinate z is in [-1, 1] and the others are sqrt(1 - z^2) r with r on S^(D-1); z' is a spline of z, and r
    goes on in the same way down to the circle. As the measure of S^D is (1 - z^2)^(D/2 - 1) dz times that of S^(D-1),

        log|det| = sum over spheres [log dz'/dz + (D/2 - 1) log (1 - z'^2)/(1 - z^2)] + log dphi'/dphi.

    `nets[k].rows` maps the k coordinates z' found before (k, 1, batch) to parameters (parameters, 1, batch);
    `circle_map` is one of layers/circle.py.
    """

    def __init__(self, nets, circle_map):
        super().__init__()
        self.nets = torch.nn.ModuleList(nets)
        self.circle_map = circle_map

    def forward(self, x):
        return self._through(x, spline, self.circle_map.forward, forward=True)

    def inverse(self, x):
        return self._through(x, inverse_spline, self.circle_map.inverse, forward=False)

    def _through(self, x, height_map, angle_map, forward):
        r = x.T
        given, new, log_det = [x.new_zeros(0, len(x))], [], x.new_zeros(len(x))
        for net in self.nets[:-1]:
            z, r = self._peel(r)
            moved, log_slope = height_map(z, self._raw(net, given), -1.0, 1.0, "free")
            weight = len(r) / 2 - 1  # D/2 - 1, as S^(D-1) is in D dimensions
            log_det = log_det + log_slope + weight * (_ring2(moved) / _ring2(z)).log()
            given.append((moved if forward else z)[None])
            new.append(moved)
        theta, log_slope = angle_map(torch.atan2(r[1], r[0]), self._raw(self.nets[-1], given))
        built = torch.stack([torch.cos(theta), torch.sin(theta)])
        for z in reversed(new):
            built = torch.cat([built * _ring2(z).sqrt(), z[None]])
        return built.T, log_det + log_slope

    @staticmethod
    def _peel(r):
        """The last coordinate and the direction of the others."""
        return r[-1].clamp(-1, 1), torch.nn.functional.normalize(r[:-1], dim=0)

    @staticmethod
    def _raw(net, given):
        return net.rows(torch.cat(given)[:, None])[:, 0]


def _ring2(z):
    """1 - z^2 without cancellation."""
    return (1 - z) * (1 + z)
