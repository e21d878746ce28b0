"""What comes out the same, to the bit, from numbers of any lanes, in GPU memory order, and from the text of a GPU."""

import os
from contextlib import contextmanager

import numpy as np

from lqcd_hpc import Lattice, Random, gauge
from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.operators.clover import Clover
from lqcd_hpc.operators.schur import SchurOperator
from lqcd_hpc.operators.staggered import Staggered
from lqcd_hpc.paths.loops import loop_traces
from lqcd_hpc.paths.plaquette import plaquette_planes
from lqcd_hpc.sampling.heatbath import Heatbath
from lqcd_hpc.sampling.hmc import HMC
from lqcd_hpc.solvers.multishift import MultishiftCG
from lqcd_hpc.solvers.normal import NormalCG


@contextmanager
def memory_blocks(lanes):
    """The memory order of a GPU on the CPU: single lanes in blocks of so many, for lattices made inside."""
    os.environ["LQCD_GROUP"] = str(lanes)
    try:
        yield
    finally:
        del os.environ["LQCD_GROUP"]


def history(shape, group="SU(2)", precision="double", replicas=1, boundary=None, ranks=None, comm=None):
    """Fields (on the whole lattice) and sums of a short Markov chain."""
    lattice = Lattice(shape, ranks=ranks, replicas=replicas, boundary=boundary, comm=comm)
    rng = Random(seed=9)
    U = gauge.hot(lattice, rng, group, precision)
    found = [U.to_numpy(gather=True)]
    update = Heatbath(Wilson(beta=2.0).on(U), overrelaxation=1).update(rng)
    found += [U.to_numpy(gather=True), update.drift, *plaquette_planes(U).values()]
    step = HMC(Wilson(beta=2.0).on(U), steps=1, tau=0.3).update(rng)
    found += [U.to_numpy(gather=True), step.delta_h]
    found += loop_traces(U, [["+x +x +y -x -x -y"]])
    V = U.copy()
    V.assign_replicas(gauge.unit(lattice, group, precision), np.arange(replicas) % 2 == 1)
    return [*found, V.to_numpy(gather=True)]


def solves(shape, group="SU(2)", replicas=1, copies=2):
    """Solutions and histories of a clover solve in mixed precision, and of two shifted staggered systems."""
    lattice = Lattice(shape, replicas=replicas)
    U = gauge.hot(lattice, Random(9), group)
    boundary = (*[1] * (len(shape) - 1), -1)
    D = Clover(mass=0.3, csw=1.0, boundary=boundary, twist=[0.3] * len(shape)).on(U)
    K = SchurOperator(Staggered(mass=0.3, boundary=boundary).on(U))

    def source(A):
        b = A.vector(copies)
        return b.from_numpy(np.random.default_rng(1).normal(size=b.to_numpy().shape))

    solutions = [NormalCG(tol=1e-9, precision="single")(D, source(D))]
    solutions += MultishiftCG(tol=1e-8, shifts=(0.1, 1.0))(K, source(K))
    numbers = [[s.x.to_numpy(), s.iterations, *s.history, *s.residuals.flat] for s in solutions]
    return sum(numbers, [])


def same_bits(one, other):
    """Whether two histories agree to the bit."""
    return len(one) == len(other) and all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other))
