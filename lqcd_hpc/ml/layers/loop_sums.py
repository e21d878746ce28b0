"""Sums of products of traces of loops over the lattice, with shared pieces computed once.

An open path p has the matrices M_p(x); M_{qr}(x) = M_q(x) M_r(x + e_q), and the path walked backwards is the adjoint at
its other end. A loop is cut in two: tr M_q(x) M_r(x + e_q). Every piece is one operation of a `Frame`, so that the sums
can be differentiated as often as needed.
"""

from __future__ import annotations

import torch

from ...paths.loop_products import images, steps
from ...paths.path import end, reverse


class LoopSums:
    """W_i = sum over images and sites of Re prod tr(loop), for classes of paths/loop_products.py.

    >>> from lqcd_hpc.ml.layers.matrix_fields import Frame
    >>> from lqcd_hpc.paths.loop_products import product
    >>> frame = Frame((4, 4), 2, batch=1)
    >>> unit = frame.enter(torch.eye(2, dtype=torch.complex128).expand(1, 4, 4, 2, 2))
    >>> LoopSums([product((1, 2, -1, -2))])(frame, [unit, unit])
    tensor([[32.]], dtype=torch.float64)
    """

    def __init__(self, classes):
        self.classes = [tuple(one) for one in classes]
        self._images = [[tuple(_factor(walk) for walk in image) for image in images(one)] for one in self.classes]
        loops = sorted({key for one in self._images for image in one for key, _, _ in image}, key=lambda k: (len(k), k))
        self._plan = _Plan(loops)

    def __call__(self, frame, links):
        """W (batch, classes) of the link fields, one tensor of the frame per direction."""
        work = _Evaluation(frame, links, self._plan)
        return torch.stack([work.class_sum(one) for one in self._images], 1)


class _Evaluation:
    """One evaluation: matrices of open paths, traces, products of traces."""

    def __init__(self, frame, links, plan):
        self.frame, self.plan = frame, plan
        self.ndim = frame.lattice.ndim
        self.matrices = {(mu + 1,): link for mu, link in enumerate(links)}
        self.numbers = {}

    def class_sum(self, found):
        return self.frame.site_sum(sum(self._product(image) for image in found))

    def _product(self, factors):
        """prod of traces at their places, as seen from x."""
        if len(factors) == 1:  # the real part, summed over all sites, knows neither place nor conjugation
            return self._trace(factors[0][0])
        if factors not in self.numbers:
            (key, place, conjugate), rest = factors[0], factors[1:]
            other, there, reversed_ = (
                (self._trace(rest[0][0]), *rest[0][1:]) if len(rest) == 1 else (self._product(rest), None, False)
            )
            self.numbers[factors] = self.frame.product(self._trace(key), other, place, there, conjugate, reversed_)
        return self.numbers[factors]

    def _trace(self, loop):
        if loop not in self.numbers:
            first, second, before = self.plan.loops[loop]
            (a, at_a, adjoint_a), (b, at_b, adjoint_b) = self._path(first), self._path(second)
            begin, middle = end(before, self.ndim), end(before + first, self.ndim)
            self.numbers[loop] = self.frame.trace(a, b, _plus(begin, at_a), _plus(middle, at_b), adjoint_a, adjoint_b)
        return self.numbers[loop]

    def _path(self, path):
        """(matrices, place, adjoint) of an open path."""
        key = _key(path)
        if key not in self.matrices:
            first, second = self.plan.paths[key]
            (a, at_a, adjoint_a), (b, at_b, adjoint_b) = self._path(first), self._path(second)
            at_b = _plus(end(first, self.ndim), at_b)
            self.matrices[key] = self.frame.product(a, b, at_a, at_b, adjoint_a, adjoint_b)
        if key == path:
            return self.matrices[key], (0,) * self.ndim, False
        return self.matrices[key], tuple(end(path, self.ndim)), True


def _plus(a, b):
    return tuple(x + y for x, y in zip(a, b))


def _key(path):
    """A path or the same path walked backwards: the one that is stored."""
    return max(path, reverse(path))


class _Plan:
    """Where loops and open paths are cut, chosen one loop after another for the fewest new products.

    loops : loop -> (first, second, place of `first` on the loop); paths : stored path -> (first, second)
    """

    def __init__(self, loops):
        self.paths, self.loops = {}, {}
        for loop in loops:
            self.loops[loop] = self._cut_loop(loop)
            for piece in self.loops[loop][:2]:
                self._build(piece)

    def _cut_loop(self, loop):
        n, costs, cuts = len(loop), {}, []
        for begin in range(n):
            turned = loop[begin:] + loop[:begin]
            cuts += [(turned[:k], turned[k:], loop[:begin]) for k in range(1, n // 2 + 1)]
        first, second, before = min(cuts, key=lambda cut: self._price(cut, costs))
        return first, second, before

    def _build(self, path):
        key, costs = _key(path), {}
        if len(key) > 1 and key not in self.paths:
            cuts = [(key[:k], key[k:]) for k in range(1, len(key))]
            self.paths[key] = min(cuts, key=lambda cut: self._price(cut, costs))
            for piece in self.paths[key]:
                self._build(piece)

    def _price(self, cut, costs):
        """New products that a cut needs; equal ones are cut in the middle."""
        first, second = cut[:2]
        return self._cost(first, costs) + self._cost(second, costs), abs(len(first) - len(second))

    def _cost(self, path, costs):
        key = _key(path)
        if len(key) == 1 or key in self.paths:
            return 0
        if key not in costs:
            costs[key] = 1 + min(self._cost(key[:k], costs) + self._cost(key[k:], costs) for k in range(1, len(key)))
        return costs[key]


def _factor(walk):
    """(loop, place, conjugate): the trace of a walk is that of the stored loop that begins at `place`."""
    start, path = steps(walk)
    candidates = []
    for conjugate, (begin, loop) in ((False, (start, path)), (True, (start, reverse(path)))):
        place = list(begin)
        for k in range(len(loop)):
            candidates.append((loop[k:] + loop[:k], tuple(place), conjugate))
            step = loop[k]
            place[abs(step) - 1] += 1 if step > 0 else -1
    return max(candidates, key=lambda c: (c[0], c[2]))
