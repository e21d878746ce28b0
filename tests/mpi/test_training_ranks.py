"""Training in several processes: the same losses as in one, and an orderly end."""

import pytest

torch = pytest.importorskip("torch")

from training_runs import run_file  # noqa: E402

from lqcd_hpc import LqcdError, config  # noqa: E402
from lqcd_hpc.lattice import world  # noqa: E402
from lqcd_hpc.ml.training.processes import Processes, processes  # noqa: E402
from lqcd_hpc.ml.training.trainer import Trainer, Watcher, initialised  # noqa: E402


class Losses(Watcher):
    def __init__(self):
        self.found = []

    def steps(self, first, columns):
        self.found += columns["loss"] + columns["ess"]


def trained(run, job):
    target = run.density.target()
    flow = initialised(run.flow, target, run.random.seed)
    watcher = Losses()
    trainer = Trainer(flow, target, run.train, run.random.seed, job)
    last = trainer.run(watcher)
    return watcher.found, last, torch.cat([p.detach().flatten() for p in flow.parameters()])


@pytest.mark.parametrize("loss", ["reverse", "path"])
def test_the_losses_do_not_know_how_many_processes_there_are(loss, tmp_path):
    run = config.load(run_file(tmp_path, steps=12, train=f'loss = "{loss}"\nclip = 5.0'))
    alone, alone_last, _ = trained(run, Processes())
    with processes() as job:
        assert job.size == world().size > 1
        together, last, parameters = trained(run, job)
        everywhere = job.gather(parameters)
    assert together == pytest.approx(alone, abs=1e-10)
    assert last == pytest.approx(alone_last, abs=1e-10)
    assert all(torch.equal(one, everywhere[0]) for one in everywhere)


def test_a_batch_that_cannot_be_divided_is_refused_on_every_rank():
    with processes() as job, pytest.raises(LqcdError, match="choose a multiple of"):
        job.share(2 * job.size + 1, "[train] batch")
