"""The operators that are measured, made to run on real fields."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ...backend import device
from ...fields import Random, gauge
from ...fields.launch import Sequence
from ...lattice import Lattice
from ...lattice.communicator import SerialCommunicator
from ...operators.clover import Clover
from ...operators.laplace import Laplace
from ...operators.schur import EVEN, SchurOperator
from ...operators.staggered import Staggered
from ...operators.twisted_clover import TwistedClover
from ...operators.twisted_mass import TwistedMass
from ...operators.wilson import Wilson
from . import fermion_counts as counts
from .subject import Subject

ALL, HOP, SCHUR = "all", "hop", "schur"
_PHASES = {"boundary": (1, 1, 1, -1)}
_WILSON, _CLOVER = Wilson(kappa=0.13, **_PHASES), Clover(kappa=0.13, csw=1.5, **_PHASES)
_STAGGERED = Staggered(mass=0.1, **_PHASES)


@dataclass(frozen=True)
class Case:
    """A description, its count, and what runs: D on all sites, one hop to the even sites, or the even-odd form."""

    description: object
    count: counts.OperatorCount
    part: str = ALL

    def launches(self, D, psi, out):
        if self.part == HOP:
            return [D.hop(psi, out, EVEN)]
        return (SchurOperator(D) if self.part == SCHUR else D).launches(psi, out)


CASES = {
    "wilson": Case(_WILSON, counts.WILSON),
    "wilson_hop": Case(_WILSON, counts.WILSON_HOP, HOP),
    "wilson_schur": Case(_WILSON, counts.WILSON_SCHUR, SCHUR),
    "clover": Case(_CLOVER, counts.CLOVER),
    "clover_schur": Case(_CLOVER, counts.CLOVER_SCHUR, SCHUR),
    "twisted_mass": Case(TwistedMass(kappa=0.13, mu=0.01, **_PHASES), counts.TWISTED_MASS),
    "twisted_clover": Case(TwistedClover(kappa=0.13, csw=1.5, mu=0.01, **_PHASES), counts.TWISTED_CLOVER),
    "staggered": Case(_STAGGERED, counts.STAGGERED),
    "staggered_hop": Case(_STAGGERED, counts.STAGGERED_HOP, HOP),
    "laplace": Case(Laplace(mass_squared=0.1, **_PHASES), counts.LAPLACE),
}


def subjects(names, shape, precision, copies, threads, comm):
    """The operators on random links over the ranks of `comm`; vectors are shared among them."""
    lattice = Lattice(shape, threads=threads, comm=comm)
    U = gauge.hot(lattice, Random(seed=11), "SU(3)", precision)
    vectors = {}
    return [_subject(name, CASES[name].description.on(U), copies, vectors) for name in names]


def alone(names, shape, precision, copies, threads, comm):
    """The same on rank 0 alone, while the others wait: `run` does nothing there."""
    if comm.rank == 0:
        return subjects(names, shape, precision, copies, threads, SerialCommunicator())
    return [Subject(name, lambda count: None, None, 0, 0) for name in names]


def _subject(name, D, copies, vectors):
    case, lattice = CASES[name], D.lattice
    if D.kind not in vectors:
        psi, out = D.vector(copies), D.vector(copies)
        with psi.writing() as data:  # pages that were never written would be read from the cache
            data[...] = 0.5
        vectors[D.kind] = psi, out
    psi, out = vectors[D.kind]
    count = case.count.of(D.storage.rows, copies, psi.data.itemsize)
    units = prod(lattice.shape) * copies // (1 if case.part == ALL else 2)
    run = _run(Sequence(case.launches(D, psi, out)), psi, out)
    return Subject(name, run, count, units, int(count.bytes * units) // lattice.comm.size)


def _run(sequence, psi, out):
    """`run(n)`; on several ranks the halo of psi is exchanged every time."""

    def run(count):
        if psi.lattice.comm.size == 1:
            sequence(count)
        else:
            for _ in range(count):
                psi.touch()
                sequence()
        device.to_host(out.data[:, :1])  # waits for a GPU

    return run
