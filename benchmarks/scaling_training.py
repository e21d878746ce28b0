"""Training of a flow on several processes: weak and strong scaling, and what the means of gradients cost."""

import os
from statistics import median
from time import perf_counter

from lqcd_hpc.actions.phi4 import Phi4
from lqcd_hpc.ml.flows.affine import Affine
from lqcd_hpc.ml.nets.convolutional import Convolutional
from lqcd_hpc.ml.targets import target
from lqcd_hpc.ml.training.processes import processes
from lqcd_hpc.ml.training.settings import Training
from lqcd_hpc.ml.training.trainer import Trainer, initialised


class Step:
    """One step of training (reverse KL, Adam) of couplings for phi^4 on 6 x 6."""

    def __init__(self, batch, connected=None):
        action = target(Phi4(m2=-4.0, lam=6.975, normalisation="full"), (6, 6))
        flow = initialised(Affine(couplings=4, net=Convolutional(hidden=[8, 8], kernel=3)), action, seed=1)
        settings = Training(steps=10**9, batch=batch, learning_rate=1e-4, precision="single")
        self._trainer = Trainer(flow, action, settings, seed=1, processes=connected)

    def __call__(self):
        self._trainer.one()
        self._trainer.step += 1


def measure(batch, turns):
    """(figures, communicator). `batch` samples per process; strong: `batch` in all.

    one : rank 0 alone; apart : every process trains a flow of its own; together : one flow, P times the batch; shared :
    one flow, the batch divided. reduce : what together takes longer than apart.
    """
    with processes() as connected:
        comm, size = connected.comm, connected.size
        own, together, shared = Step(batch), Step(size * batch, connected), Step(batch, connected)
        runs = {"one": own if comm.rank == 0 else lambda: None, "apart": own, "together": together, "shared": shared}
        found = [{name: _seconds(call, comm) for name, call in runs.items()} for _ in range(turns + 1)][1:]
    seconds = {name: median(one[name] for one in found) for name in runs}
    reduce = max(0.0, median(one["together"] - one["apart"] for one in found))
    made = {
        "workload": "training",
        "ranks": size,
        "oversubscribed": size > os.cpu_count(),
        "batch": batch,
        "seconds": seconds,
        "efficiency": median(one["one"] / one["together"] for one in found),
        "efficiency_apart": median(one["one"] / one["apart"] for one in found),
        "speedup": median(one["one"] / one["shared"] for one in found),
        "split": {"compute": seconds["together"] - reduce, "reduce": reduce},
        "load": round(os.getloadavg()[0], 2),
    }
    return made, comm


def _seconds(call, comm, count=3):
    comm.barrier()
    start = perf_counter()
    for _ in range(count):
        call()
    return comm.allreduce((perf_counter() - start) / count, "max")
