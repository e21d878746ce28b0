"""What is scaled over ranks: a hop, an operator, conjugate gradients, a trajectory, and messages alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...actions.wilson import Wilson as WilsonAction
from ...backend import device
from ...fields import Random, gauge
from ...fields.linalg import Vectors
from ...operators.clover import Clover
from ...operators.operator import Normal
from ...operators.schur import EVEN
from ...operators.wilson import Wilson
from ...sampling.hmc import HMC
from ...solvers.conjugate_gradient import COUNT, ConjugateGradient
from . import fermion_counts as counts
from .timing import repeated

ITERATIONS = 2
ODD = 1
_PHASES = {"boundary": (1, 1, 1, -1)}
_WILSON, _CLOVER = Wilson(kappa=0.12, **_PHASES), Clover(kappa=0.12, csw=1.5, **_PHASES)


@dataclass(frozen=True)
class Workload:
    """`make(lattice, precision)` gives `run(n)`; `what` tells what one call is; the flops and bytes per site of the
    lattice decide on its roofline (None: there is none)."""

    what: str
    make: object
    count: object = None


def hop(lattice, precision):
    """H from the odd to the even sites, of a new vector every time."""
    psi, launch = hop_launch(lattice, precision)

    def call():
        psi.touch(parities=(ODD,))
        launch()

    return _finished(call, launch)


def hop_launch(lattice, precision):
    """The vector that a hop reads, and its launch; in a solver, too, only the odd sites are new every time."""
    D, psi, out = _operator(_WILSON, lattice, precision)
    return psi, D.hop(psi, out, EVEN)


def messages(lattice, precision):
    """The halo exchange of that hop alone."""
    psi, launch = hop_launch(lattice, precision)

    def call():
        psi.touch(parities=(ODD,))
        for exchange in launch.start_exchanges():
            exchange.finish()

    return repeated(call)


def clover(lattice, precision):
    """D on all sites, of a new vector every time."""
    D, psi, out = _operator(_CLOVER, lattice, precision)
    (launch,) = D.launches(psi, out)

    def call():
        psi.touch()
        launch()

    return _finished(call, launch)


def conjugate_gradients(lattice, precision):
    """`ITERATIONS` iterations on D^dag D, their sums included."""
    D, b, _ = _operator(_WILSON, lattice, precision)
    A = Normal(D)
    x, r = A.vector(), A.vector()
    norms = Vectors(b, A.domain).norm2(b)
    gradients = ConjugateGradient(A, x, r, ITERATIONS)

    def call():
        with x.writing() as data:
            data[...] = 0
        r.assign(b)
        gradients.numbers.write(COUNT, 0.0)
        gradients.begin(norms, 1e-300)
        gradients.sequence(ITERATIONS)

    return repeated(call)


def trajectory(lattice, precision):
    """One step of molecular dynamics of links with the Wilson action, energies before and after it, and the test."""
    U = gauge.hot(lattice, Random(seed=11), "SU(3)", precision)
    hmc, rng = HMC(WilsonAction(beta=5.7).on(U), steps=1, tau=0.02), Random(seed=12)
    return repeated(lambda: hmc.update(rng))


WORKLOADS = {
    "hop": Workload("Wilson hop to the even sites", hop, counts.WILSON_HOP),
    "clover": Workload("clover operator on all sites", clover, counts.CLOVER),
    "cg": Workload(f"{ITERATIONS} iterations of conjugate gradients on D^dag D", conjugate_gradients),
    "hmc": Workload("trajectory of one step, Wilson action", trajectory),
    "messages": Workload("halo exchange of the hop, nothing else", messages),
}


def _operator(description, lattice, precision):
    """The operator on random links, a vector of noise, and another."""
    D = description.on(gauge.hot(lattice, Random(seed=11), "SU(3)", precision))
    psi, out = D.vector(), D.vector()
    draw = np.random.default_rng(lattice.comm.rank).standard_normal
    with psi.writing() as data:
        data[...] = draw(data.shape)
    return D, psi, out


def _finished(call, launch):
    """Repeated calls; a GPU has done them when this returns."""
    run = repeated(call)

    def finished(count):
        run(count)
        device.to_host(launch.fields[-1].data[:, :1])

    return finished
