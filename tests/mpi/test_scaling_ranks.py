"""What benchmarks of several ranks lean on: late messages are late and change no bit, and every phase is found."""

from math import prod
from time import perf_counter

import numpy as np
import pytest

from lqcd_hpc import Lattice
from lqcd_hpc.cli.benchmark import overlap, points
from lqcd_hpc.cli.benchmark.delay import DelayedCommunicator, rounds
from lqcd_hpc.cli.benchmark.split import PHASES, split
from lqcd_hpc.cli.benchmark.workloads import ODD, WORKLOADS, hop_launch
from lqcd_hpc.fields.exchange import Exchange
from lqcd_hpc.lattice import world
from lqcd_hpc.lattice.decomposition import surface

SHAPE = (4, 4, 4, 16)


def lattice(comm):
    return Lattice(SHAPE, (1, 1, 1, comm.size), comm=comm, threads=1)


def hopped(comm):
    """The vector after a hop, and the seconds of the second one."""
    psi, hop = hop_launch(lattice(comm), "double")
    hop()
    psi.touch(parities=(ODD,))
    comm.barrier()
    start = perf_counter()
    hop()
    return hop.fields[-1].to_numpy(), perf_counter() - start


def test_delayed_messages_are_late_and_change_no_bit(monkeypatch):
    monkeypatch.setattr(Exchange, "poison", True)
    plain, _ = hopped(world())
    late, seconds = hopped(DelayedCommunicator(world(), 0.05))
    assert seconds > 0.05
    assert plain.tobytes() == late.tobytes() and np.isfinite(plain).all()


def test_delayed_sums_are_late_and_the_same():
    comm = DelayedCommunicator(world(), 0.02)
    start = perf_counter()
    assert comm.allreduce(comm.rank) == sum(range(comm.size))
    assert perf_counter() - start > 0.02 * rounds(comm.size)
    assert DelayedCommunicator(world()).allreduce(1.5) == 1.5 * comm.size


def test_faces_of_the_slowest_direction_are_sent_from_where_they_lie(monkeypatch):
    moved = []
    pack = Exchange._move
    monkeypatch.setattr(Exchange, "_move", lambda self, *move: (moved.append(move), pack(self, *move)))
    psi, hop = hop_launch(lattice(world()), "double")
    hop()  # links are packed: kernels may write them
    packed = len(moved)
    assert packed > 0
    psi.touch(parities=(ODD,))
    hop()
    assert len(moved) == packed


def test_split_finds_every_phase_and_counts_what_is_sent():
    comm = world()
    run = WORKLOADS["hop"].make(lattice(comm), "double")
    run(1)
    found = split(run, 4)
    half_spinors = surface(SHAPE, (1, 1, 1, comm.size)) // 2 * 12 * 8
    assert (found["exchanges"], found["bytes"], found["reductions"]) == (1, half_spinors, 0)
    assert min(found[phase] for phase in ("interior", "compute", "pack", "wait", "other")) > 0
    summing = split(WORKLOADS["hmc"].make(lattice(comm), "double"), 1)
    assert summing["reduce"] > 0 and summing["reductions"] >= 4


@pytest.mark.parametrize("name", ["messages", "hop", "cg"])
def test_point_is_the_same_on_every_rank(name):
    comm = world()
    plan = points.Plan(name, SHAPE, (1, 1, 1, comm.size), delays=(1e-3,), repeats=1)
    plain, late = points.measure(plan, comm)
    assert len(set(comm.allgather((plain["seconds"], late["seconds"])))) == 1
    assert plain["delay"] == 0 and late["delay"] == 1e-3 and late["seconds"] > 1e-3
    assert len(plain["split"]) == comm.size and set(plain["split"][0]) == set(PHASES)
    assert plain["sites"] * comm.size == prod(SHAPE)


def test_overlap_is_measured_in_pairs():
    found = overlap.measure(SHAPE, world(), pairs=2)
    assert found["pairs"] == 2 and found["delay_seconds"] == pytest.approx(found["interior_seconds"] / 2)
