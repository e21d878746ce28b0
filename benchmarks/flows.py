"""Speed of flows against plain torch and public libraries, and of training on two processes;
writes benchmarks/results/flows-<date>.json.

    pip install normflows nflows zuko        those that are missing are left out
    python benchmarks/flows.py [--quick] [--threads 1] [--batch N] [--only NAME ...]        --quick: three repeats

Samples and training steps (reverse KL, Adam) per second of the same models (rivals/), which take turns; the ratios are
medians over the turns. Ours are the flows of run files, with the noise, weights and reports of the training loop.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from rivals import libraries, plain_scalar, plain_su3, plain_u1

from lqcd_hpc.actions.phi4 import Phi4
from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.cli.benchmark import results
from lqcd_hpc.cli.benchmark.machine import Machine
from lqcd_hpc.cli.benchmark.timing import in_turn, repeated
from lqcd_hpc.cli.launcher import as_root, run_job
from lqcd_hpc.cli.output import console, table
from lqcd_hpc.ml.flows.affine import Affine
from lqcd_hpc.ml.flows.circular import Circular
from lqcd_hpc.ml.flows.spline import Spline
from lqcd_hpc.ml.flows.trivializing import Trivializing
from lqcd_hpc.ml.layers.gradient_flow import step
from lqcd_hpc.ml.layers.matrix_fields import Frame
from lqcd_hpc.ml.nets.convolutional import Convolutional
from lqcd_hpc.ml.nets.fully_connected import FullyConnected
from lqcd_hpc.ml.noise import Noise
from lqcd_hpc.ml.targets import target
from lqcd_hpc.ml.training.processes import processes
from lqcd_hpc.ml.training.settings import Training
from lqcd_hpc.ml.training.trainer import Trainer, initialised

RESULTS = Path(__file__).parent / "results"
SITES, BINS, BOUND = (6, 6), 8, 4.0
RATE = 1e-4
LIBRARIES = ("normflows", "nflows", "zuko")
TOGETHER = "cnn"  # the model that is trained on two processes
EFFICIENCY = 0.85


@dataclass(frozen=True)
class Model:
    """A flow of ours, what it is measured against, and how many times as fast as plain torch it shall be."""

    title: str
    flow: object
    target: object
    batch: int
    rivals: dict = field(default_factory=dict)  # name -> function without arguments, or of (our flow, target)
    single: bool = True
    goal: float = 1.0
    note: str = ""  # what differs, and what could not be expressed


def models():
    """The five models by name."""
    phi4 = target(Phi4(m2=-4.0, lam=6.975, normalisation="full"), SITES)
    u1, su3 = target(Wilson(beta=2.0), (8, 8), "U(1)"), target(Wilson(beta=4.0), (8, 8), "SU(3)")
    fc, cnn = FullyConnected(hidden=[72]), Convolutional(hidden=[8, 8], kernel=3)
    affine, spline = (SITES, 12, 72), (SITES, 8, 72, BINS, BOUND)
    return {
        "fc": Model(
            "phi^4 6 x 6, 12 affine couplings, fully connected [72]",
            Affine(couplings=12, net=fc),
            phi4,
            1024,
            {
                "plain torch": lambda: plain_scalar.affine_fc(*affine),
                "normflows": lambda: libraries.normflows_affine(*affine),
                "nflows": lambda: libraries.nflows_affine(*affine),
                "zuko": lambda: libraries.zuko_affine(*affine),
            },
        ),
        "cnn": Model(
            "phi^4 6 x 6, 16 affine couplings, convolutions [8, 8] of 3 x 3",
            Affine(couplings=16, net=cnn),
            phi4,
            1024,
            {"plain torch": lambda: plain_scalar.affine_cnn(SITES, 16, (8, 8))},
            note="the libraries have no periodic convolutions: networks of the user, in couplings as above",
        ),
        "spline": Model(
            f"phi^4 6 x 6, 8 spline couplings of {BINS} bins, fully connected [72]",
            Spline(couplings=8, bins=BINS, bound=BOUND, net=fc),
            phi4,
            1024,
            {
                "plain torch": lambda: plain_scalar.spline_fc(*spline),
                "normflows": lambda: libraries.normflows_spline(*spline),
                "nflows": lambda: libraries.nflows_spline(*spline),
                "zuko": lambda: libraries.zuko_spline(*spline),
            },
        ),
        "u1": Model(
            f"U(1) 8 x 8, 16 couplings of plaquettes, circular splines of {BINS} bins, convolutions [8, 8] of 3 x 3",
            Circular(layers=16, map="spline", components=BINS, net=cnn),
            u1,
            1024,
            {"plain torch": lambda: plain_u1.Flow((8, 8), 16, (8, 8), BINS)},
            goal=2.0,
            note="networks of ours see three loops on the lattice of active links, those of plain torch the frozen "
            "plaquettes on the whole lattice; the libraries have circular splines (normflows) but no plaquettes",
        ),
        "su3": Model(
            "SU(3) 8 x 8, one step of the trivializing flow with 7 loops",
            Trivializing(order=1, knots=2, steps=1),
            su3,
            128,
            {"plain torch": lambda flow, its: plain_su3.Flow(flow.layers[0], its)},
            single=False,
            goal=2.0,
            note="plain torch has the same plan of shared pieces of loops; the libraries have no flows of matrices",
        ),
    }


# ---- what is timed


def settings(batch, single):
    """A training that does not end."""
    precision = "single" if single else "double"
    return Training(steps=10**9, batch=batch, learning_rate=RATE, precision=precision)


class Ours:
    """A flow of the package in its training loop."""

    def __init__(self, model, batch, connected=None):
        flow = initialised(model.flow, model.target, seed=1)
        self.trainer = Trainer(flow, model.target, settings(batch, model.single), seed=1, processes=connected)
        self.flow, self.batch, self.dtype = self.trainer.flow, batch, self.trainer.dtype

    def sample(self):
        with torch.no_grad():
            self.flow.sample(self.batch, Noise(seed=1, event=0, dtype=self.dtype))

    def train(self):
        self.trainer.one()
        self.trainer.step += 1


class Theirs:
    """A rival and torch's Adam."""

    def __init__(self, rival, model):
        self.rival, self.target, self.batch = rival, model.target, model.batch
        self.adam = torch.optim.Adam(rival.parameters(), lr=RATE)

    def sample(self):
        with torch.no_grad():
            self.rival.sample(self.batch)

    def train(self):
        x, log_q = self.rival.sample(self.batch)
        loss = (log_q + self.target.action(x)).mean()
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()


def contenders(model):
    """name -> Ours or Theirs, ours first."""
    torch.set_default_dtype(torch.float32 if model.single else torch.float64)
    made = {"lqcd_hpc": Ours(model, model.batch)}
    rivals = {name: build for name, build in model.rivals.items() if name not in LIBRARIES or name in installed()}
    for name, build in rivals.items():
        rival = build() if model.single else build(made["lqcd_hpc"].flow, model.target)
        made[name] = Theirs(rival, model)
    return made


def installed():
    """The libraries that are here; others are left out."""
    return [name for name in LIBRARIES if find_spec(name)]


def timed(model, quick):
    """task -> (unit, amount per call, name -> calls that take turns)."""
    made = contenders(model)
    tasks = {
        "sampling": ("samples", model.batch, {name: one.sample for name, one in made.items()}),
        "training": ("steps", 1, {name: one.train for name, one in made.items()}),
    }
    if not model.single:
        tasks |= pieces(model, made["lqcd_hpc"].flow.layers[0])
    for task, (unit, amount, calls) in tasks.items():
        yield from measure(task, unit, amount, calls, 3 if quick else 11)


def pieces(model, layer):
    """The parts of one step of the trivializing flow: velocity and divergence, a step, a step and its gradient."""
    u = model.target.prior.sample(model.batch, Noise(seed=2, event=0))
    ours = Frame(model.target.shape, 3, model.batch)
    kinds = {
        "lqcd_hpc": (ours, [ours.enter(one) for one in u.unbind(1)]),
        "plain torch": (plain_su3.PlainFrame(model.target.shape), list(u.unbind(1))),
    }
    coefficients = torch.einsum("nsk,kc->nsc", layer.basis, layer.c.detach())[0]

    def leaves(links):
        return [one.detach().requires_grad_() for one in links]

    def velocity(frame, links):
        return layer.velocity(frame, leaves(links), coefficients[0])

    def forward(frame, links):
        return step(layer.velocity, frame, leaves(links), coefficients, 1.0)

    def gradient(frame, links):
        links, c = leaves(links), coefficients.clone().requires_grad_()
        end, log_det = step(layer.velocity, frame, links, c, 1.0, differentiable=True)
        seeds = [torch.ones_like(log_det), *[one.detach() for one in end]]
        return torch.autograd.grad([log_det, *end], [*links, c], seeds)

    require_equal(gradient, *kinds.values())
    parts = {"velocity and divergence": velocity, "step": forward, "step and gradient": gradient}
    return {
        task: ("samples", model.batch, {name: lambda f=f, a=a: f(*a) for name, a in kinds.items()})
        for task, f in parts.items()
    }


def require_equal(gradient, ours, plain):
    """Both must compute the same gradient of the coefficients."""
    a, b = gradient(*ours)[-1], gradient(*plain)[-1]
    assert torch.allclose(a, b, rtol=1e-9), f"two forms of one flow disagree: {a} and {b}"


def measure(task, unit, amount, calls, repeats):
    """One line of results for every contender."""
    times = in_turn([repeated(call) for call in calls.values()], repeats=repeats)
    for name, found in zip(calls, times):
        yield {
            "task": task,
            "implementation": name,
            "seconds": median(found),
            "unit": unit,
            "per_second": amount / median(found),
            "ratio": median(theirs / ours for ours, theirs in zip(times[0], found)),
            "load": round(os.getloadavg()[0], 2),
        }


# ---- two processes


def efficiency(quick):
    """Steps of two processes on twice the batch against those of one process, from a job of its own."""
    words = ["-m", "mpi4py", __file__, "--together", *(["--quick"] if quick else [])]
    code, out, err = run_job(2, words, 600, as_root())
    if code != 0:
        raise SystemExit(f"the job of two processes failed:\n{err[-2000:]}")
    return json.loads(out.strip().splitlines()[-1])


def together(quick):
    """What the job does: rank 0 alone, both apart, each on a batch of its own, and both together, in turn.

    What two trainings lose that do not talk is what the cores share; the rest is communication.
    """
    model = models()[TOGETHER]
    with processes() as connected:
        alone = Ours(model, model.batch)
        both = Ours(model, connected.size * model.batch, connected)
        runs = {
            "one": repeated(alone.train) if connected.rank == 0 else lambda count: None,
            "apart": repeated(alone.train),
            "together": repeated(both.train),
        }
        times = [{name: _seconds(run, connected) for name, run in runs.items()} for _ in range(5 if quick else 15)]
    if connected.rank == 0:
        found = {"model": model.title, "processes": connected.size, "batch": model.batch, "threads": 1}
        found |= {f"steps_per_second_{name}": 1 / median(t[name] for t in times) for name in runs}
        found["efficiency"] = median(t["one"] / t["together"] for t in times)
        found["efficiency_apart"] = median(t["one"] / t["apart"] for t in times)
        found["load"] = round(os.getloadavg()[0], 2)
        print(json.dumps(found), flush=True)


def _seconds(run, connected, count=5):
    """Seconds of one call out of `count`, of the slower rank."""
    torch.distributed.barrier()
    start = perf_counter()
    run(count)
    return connected.comm.allreduce((perf_counter() - start) / count, "max")


# ---- the whole


def main(quick, threads, batch, only):
    """Measure, print the tables, write the file."""
    torch.set_num_threads(threads)
    whole = not only and batch is None
    chosen = {name: model for name, model in models().items() if not only or name in only}
    chosen = {name: replace(model, batch=batch or model.batch) for name, model in chosen.items()}
    found = results.header(" ".join(["python", *sys.argv]), Machine(threads, "single"))
    found["versions"] = {name: version(name) for name in ("torch", *installed())}
    found["lines"], found["notes"] = [], {}
    for name, model in chosen.items():
        about = {"model": name, "title": model.title, "batch": model.batch, "threads": threads}
        about |= {"precision": "single" if model.single else "double", "goal": model.goal}
        found["lines"] += [about | line for line in timed(model, quick)]
        found["notes"][name] = model.note
    if whole:
        found["processes"] = efficiency(quick)
    show(found)
    if whole:
        print(results.write(found, RESULTS, "flows"))


def show(found):
    """Print every line, and the efficiency."""
    rows = table("model", "task", "implementation", ">per second", "of", ">time over ours", ">goal", ">load")
    for line in found["lines"]:
        others = line["implementation"] != "lqcd_hpc"
        goal = line["goal"] if line["implementation"] == "plain torch" else 1.0
        numbers = (f"{line['ratio']:.2f}", f"{goal:.0f}", f"{line['load']:.1f}") if others else ("", "", "")
        rows.add_row(
            line["model"], line["task"], line["implementation"], f"{line['per_second']:.1f}", line["unit"], *numbers
        )
    console().print(rows)
    if "processes" in found:
        both = found["processes"]
        one, apart, joint = (both[f"steps_per_second_{name}"] for name in ("one", "apart", "together"))
        console().print(
            f"{both['model']}, batch {both['batch']} per process: {one:.2f} steps per second of one process, "
            f"{joint:.2f} of two; efficiency {both['efficiency']:.2f} (goal {EFFICIENCY}; two trainings that do not "
            f"talk: {apart:.2f}, {both['efficiency_apart']:.2f}), load {both['load']:.1f}"
        )


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("--quick", action="store_true")
    words.add_argument("--threads", type=int, default=1)
    words.add_argument("--batch", type=int)
    words.add_argument("--only", nargs="*", default=[])
    words.add_argument("--together", action="store_true", help=argparse.SUPPRESS)
    given = words.parse_args()
    together(given.quick) if given.together else main(given.quick, given.threads, given.batch, given.only)
