"""Preconditioners train alike on any number of processes, which divide a lattice, configurations, or both."""

import pytest

torch = pytest.importorskip("torch")

from preconditioner_runs import run_file  # noqa: E402

from lqcd_hpc.config import load  # noqa: E402
from lqcd_hpc.lattice import SerialCommunicator, world  # noqa: E402
from lqcd_hpc.ml.training.inversion import InversionTrainer  # noqa: E402
from lqcd_hpc.ml.training.loop import Watcher  # noqa: E402
from lqcd_hpc.ml.training.processes import Processes, processes  # noqa: E402
from lqcd_hpc.run.train_preconditioner import prepared  # noqa: E402


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


@pytest.mark.parametrize("groups", [1, 2])
def test_losses_do_not_know_of_processes(groups, tmp_path):
    run = load(run_file(tmp_path, steps=8, train=f"together = 2\ngroups = {groups}", more="skip = true"))
    alone, alone_last, _ = trained(run, Processes(SerialCommunicator()))
    with processes() as job:
        assert job.size == world().size > 1
        together, last, parameters = trained(run, job)
        everywhere = job.gather(parameters)
    assert together == pytest.approx(alone, rel=1e-12)
    assert last == pytest.approx(alone_last, rel=1e-12)
    assert all(torch.equal(one, everywhere[0]) for one in everywhere)
