"""Preconditioners train alike on any number of processes, which divide a lattice, configurations, or both; what they
have learnt has the same bits on every grid."""

import hashlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from learned_samples import DESCRIPTIONS, TABLES, shaken  # noqa: E402
from preconditioner_runs import SMOOTHER, as_toml, run_file  # noqa: E402

from lqcd_hpc import Lattice, Random, gauge  # noqa: E402
from lqcd_hpc.config import load  # noqa: E402
from lqcd_hpc.fields.noise import draw_signs  # noqa: E402
from lqcd_hpc.lattice import SerialCommunicator, world  # noqa: E402
from lqcd_hpc.lattice.decomposition import grids  # noqa: E402
from lqcd_hpc.ml.bridge import slots  # noqa: E402
from lqcd_hpc.ml.layers.path_convolution import fill  # noqa: E402
from lqcd_hpc.ml.noise import seeded  # noqa: E402
from lqcd_hpc.ml.training.inversion import InversionTrainer  # noqa: E402
from lqcd_hpc.ml.training.loop import Watcher  # noqa: E402
from lqcd_hpc.ml.training.processes import Processes, processes  # noqa: E402
from lqcd_hpc.operators.wilson import Wilson  # noqa: E402
from lqcd_hpc.run.train_preconditioner import prepared  # noqa: E402

LEVELS = ["coarse", "multigrid learned", "multigrid polynomial"]


class Losses(Watcher):
    def __init__(self):
        self.found = []

    def steps(self, first, columns):
        self.found += columns["loss"]


def trained(run, job):
    watcher = Losses()
    trainer = prepared(run, job).trainer
    assert isinstance(trainer, InversionTrainer)
    last = trainer.run(watcher)
    return watcher.found, last["loss"], torch.cat([p.detach().flatten() for p in trainer.parameters.values()])


def assert_trains_alike(run):
    alone, alone_last, _ = trained(run, Processes(SerialCommunicator()))
    with processes() as job:
        assert job.size == world().size > 1
        together, last, parameters = trained(run, job)
        everywhere = job.gather(parameters)
    assert together == pytest.approx(alone, rel=1e-12)
    assert last == pytest.approx(alone_last, rel=1e-12)
    assert all(torch.equal(one, everywhere[0]) for one in everywhere)


@pytest.mark.parametrize("groups", [1, 2])
def test_losses_do_not_know_of_processes(groups, tmp_path):
    more = f"together = 2\ngroups = {groups}"
    assert_trains_alike(load(run_file(tmp_path, steps=8, train=more, preconditioner=SMOOTHER + "skip = true")))


@pytest.mark.parametrize("name", LEVELS)
def test_losses_of_models_with_levels_do_not_know_of_processes(name, tmp_path):
    assert_trains_alike(load(run_file(tmp_path, shape=[8, 16], steps=4, count=1, preconditioner=as_toml(TABLES[name]))))


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_what_is_learnt_has_the_same_bits(name):
    expected = digest(name, Lattice((8, 16), comm=SerialCommunicator()))
    assert len(set(world().allgather(expected))) == 1
    for grid in grids((8, 16), world().size):
        lattice = Lattice((8, 16), ranks=grid)
        if all(n % 4 == 0 for n in lattice.local_shape):
            assert digest(name, lattice) == expected, f"grid {grid}"


def digest(name, lattice):
    """SHA-256 of what the modules of all lessons make of noise."""
    D = Wilson(mass=0.3, boundary=(1, -1)).on(gauge.hot(lattice, Random(5), "U(1)")).to("single")
    state = hashlib.sha256()
    with seeded(1):
        network = shaken(DESCRIPTIONS[name].on(D))
    for lesson in network.lessons(D):
        psi, out = lesson.A.vector(2), lesson.A.vector(2)
        draw_signs(psi, Random(7).key())
        with torch.no_grad():
            fill(out, lesson.module(slots(psi).clone(), lesson.module.works(lesson.A, 2)))
        state.update(np.ascontiguousarray(out.to_numpy(gather=True)).tobytes())
    return state.hexdigest()
