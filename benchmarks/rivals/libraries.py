"""Couplings of scalar fields in public libraries, each made of its own couplings and networks.

All take a checkerboard mask and one hidden layer. None has plaquette couplings or trivializing flows.
"""

import torch
from torch import nn

from .plain_scalar import checkerboard


class _Rival(nn.Module):
    """A library's flow of flat fields, as one of fields on the lattice."""

    def __init__(self, flow, sites):
        super().__init__()
        self.flow, self.sites = flow, sites

    def sample(self, count):
        """`count` samples and their log q."""
        x, log_q = self.draw(count)
        return x.reshape(count, *self.sites), log_q


class _Normflows(_Rival):
    def draw(self, count):
        return self.flow.sample(count)


class _Nflows(_Rival):
    def draw(self, count):
        return self.flow.sample_and_log_prob(count)


class _Zuko(_Rival):
    def draw(self, count):
        return self.flow().rsample_and_log_prob((count,))


class _OneHiddenLayer(nn.Sequential):
    """A network to which couplings hand a context over."""

    def __init__(self, inputs, hidden, outputs):
        super().__init__(nn.Linear(inputs, hidden), nn.LeakyReLU(), nn.Linear(hidden, outputs))

    def forward(self, inputs, context=None):
        return super().forward(inputs)


def _net(hidden):
    return lambda inputs, outputs: _OneHiddenLayer(inputs, hidden, outputs)


def _masks(sites, couplings):
    return [checkerboard(sites, k % 2).flatten() for k in range(couplings)]


def normflows_affine(sites, couplings, hidden):
    """MaskedAffineFlow, which evaluates all sites, with two MLPs."""
    import normflows as nf

    volume = sites[0] * sites[1]

    def net():
        return nf.nets.MLP([volume, hidden, volume], init_zeros=True)

    flows = [nf.flows.MaskedAffineFlow(mask, net(), net()) for mask in _masks(sites, couplings)]
    return _Normflows(nf.NormalizingFlow(nf.distributions.base.DiagGaussian(volume, trainable=False), flows), sites)


def normflows_spline(sites, couplings, hidden, bins, bound):
    """PiecewiseRationalQuadraticCoupling with an MLP."""
    import normflows as nf
    from normflows.flows.neural_spline.coupling import PiecewiseRationalQuadraticCoupling

    class Samples(nf.flows.Flow):
        """Sampling goes the way that is called inverse."""

        def __init__(self, coupling):
            super().__init__()
            self.coupling = coupling

        def forward(self, z):
            return self.coupling.inverse(z)

    volume = sites[0] * sites[1]
    flows = [
        Samples(PiecewiseRationalQuadraticCoupling(mask, _net(hidden), num_bins=bins, tails="linear", tail_bound=bound))
        for mask in _masks(sites, couplings)
    ]
    return _Normflows(nf.NormalizingFlow(nf.distributions.base.DiagGaussian(volume, trainable=False), flows), sites)


def _nflows(sites, transforms):
    from nflows.distributions.normal import StandardNormal
    from nflows.flows.base import Flow
    from nflows.transforms.base import CompositeTransform

    return _Nflows(Flow(CompositeTransform(transforms), StandardNormal([sites[0] * sites[1]])), sites)


def nflows_affine(sites, couplings, hidden):
    """AffineCouplingTransform with an MLP."""
    from nflows.transforms.coupling import AffineCouplingTransform

    net = _net(hidden)
    return _nflows(sites, [AffineCouplingTransform(mask, net) for mask in _masks(sites, couplings)])


def nflows_spline(sites, couplings, hidden, bins, bound):
    """PiecewiseRationalQuadraticCouplingTransform with an MLP."""
    from nflows.transforms.coupling import PiecewiseRationalQuadraticCouplingTransform as Coupling

    net = _net(hidden)
    made = [Coupling(m, net, num_bins=bins, tails="linear", tail_bound=bound) for m in _masks(sites, couplings)]
    return _nflows(sites, made)


def _zuko(sites, couplings, hidden, **univariate):
    from zuko.distributions import DiagNormal
    from zuko.flows import Flow, GeneralCouplingTransform, UnconditionalDistribution

    volume = sites[0] * sites[1]
    transforms = [
        GeneralCouplingTransform(
            volume, mask=mask.bool(), hidden_features=(hidden,), activation=nn.LeakyReLU, **univariate
        )
        for mask in _masks(sites, couplings)
    ]
    base = UnconditionalDistribution(DiagNormal, torch.zeros(volume), torch.ones(volume), buffer=True)
    return _Zuko(Flow(transforms, base), sites)


def zuko_affine(sites, couplings, hidden):
    """GeneralCouplingTransform of MonotonicAffineTransform."""
    return _zuko(sites, couplings, hidden)


def zuko_spline(sites, couplings, hidden, bins, bound):
    """GeneralCouplingTransform of MonotonicRQSTransform."""
    from functools import partial

    from zuko.transforms import MonotonicRQSTransform

    spline = partial(MonotonicRQSTransform, bound=bound)
    return _zuko(sites, couplings, hidden, univariate=spline, shapes=[(bins,), (bins,), (bins - 1,)])
