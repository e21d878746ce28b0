"""Training of preconditioners: Adam on <|M D v - v|^2/|v|^2> over random vectors and gauge fields."""

from __future__ import annotations

import torch

from ...backend.program import RandomKey
from ...errors import LqcdError
from ...fields.noise import draw_signs
from ...solvers.fgmres import FGMRES
from ...solvers.solution import NotConverged
from ..bridge import slots
from ..layers.path_convolution import sum_over_ranks
from .loop import Loop

TRAINING, HELD_OUT = 0, 1  # streams of noise


class InversionTrainer(Loop):
    """Trains a network of ml/preconditioners in place.

    network : the preconditioner M
    operators : D on the gauge fields of this process's group, in the precision of the training
    settings : an `Inversion`; with several groups, group g holds the fields g, g + groups, .. of the whole list
    comm : of all processes; each group's lattice has a part of it

    The losses do not depend on how a lattice is divided, nor on the number of groups. Raises `LqcdError` for numbers of
    gauge fields that the groups cannot share.

    >>> from lqcd_hpc import Lattice, Random, gauge
    >>> from lqcd_hpc.ml.preconditioners.smoother import Smoother
    >>> from lqcd_hpc.ml.training.settings import Inversion
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> wilson = Wilson(mass=0.3, boundary=(1, -1))
    >>> D = wilson.on(gauge.hot(Lattice((8, 8)), Random(1), "U(1)")).to("single")
    >>> network = Smoother(features=(1, 1, 1)).on(D)
    >>> trainer = InversionTrainer(network, [D], Inversion(steps=30, batch=4, learning_rate=1e-2), seed=1)
    >>> first = trainer.evaluate()["loss"]
    >>> trainer.run()["loss"] < 0.8 * first
    True
    """

    named = "preconditioner"

    def __init__(self, network, operators, settings, seed, processes=None, group=0, checkpoint=500):
        super().__init__(network, settings, seed, processes, checkpoint)
        self.network, self.operators, self.group = network, operators, group
        if len(operators) * settings.groups < settings.together:
            raise LqcdError(
                f"[train] together = {settings.together}: there are {len(operators) * settings.groups} configurations"
            )
        self._tasks = [None] * len(operators)

    def tasks(self, number):
        """What training on one of the group's gauge fields needs, made once."""
        if self._tasks[number] is None:
            lessons = self.network.lessons(self.operators[number])
            self._tasks[number] = [Task(lesson, self.settings) for lesson in lessons]
        return self._tasks[number]

    def one(self):
        """One step; the loss is that of all groups."""
        self.set_rate()
        total = 0.0
        for loss in self._losses(TRAINING, self.step):
            loss.backward()
            total += loss.detach()
        total = self._over_groups(total)
        self.update()
        return total.reshape(1)

    def _losses(self, stream, step):
        """This group's part of the loss of a step, one gauge field after the other."""
        groups, count = self.settings.groups, self.settings.together
        for whole in range(step * count + self.group, (step + 1) * count, groups):
            number = whole % (len(self.operators) * groups) // groups
            yield sum(task.loss(self._key(stream, whole)) for task in self.tasks(number)) / count

    def _over_groups(self, loss):
        """Sum loss and gradients over the groups (within a group all have the same)."""
        if self.settings.groups == 1:
            return loss
        gradients = [p.grad for p in self.parameters.values()]
        flat = torch.cat([loss.reshape(1).double(), *(g.double().reshape(-1) for g in gradients)]).cpu().numpy()
        found = self.processes.comm.allreduce(flat) * (self.settings.groups / self.processes.size)
        parts = torch.from_numpy(found[1:]).split([g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts):
            gradient.copy_(part.reshape(gradient.shape))
        return torch.tensor(found[0])

    def _key(self, stream, event):
        return RandomKey(self.seed % 2**32, stream, event % 2**32)

    def columns(self, rows):
        """The loss of every step."""
        return {"loss": torch.cat(rows).tolist()}

    def evaluate(self):
        """The loss on vectors that training never sees."""
        with torch.no_grad():
            loss = float(sum(self._losses(HELD_OUT, self.step)))
        if self.settings.groups > 1:
            loss = float(self.processes.comm.allreduce(loss)) * self.settings.groups / self.processes.size
        return {"loss": loss}

    def warnings(self):
        """What is wrong with the training, in words."""
        last = self.evaluations[-1]["loss"]
        return [] if last < 1 else [f"the loss is {last:.3g}: M D is no nearer to 1 than nothing at all"]


class Task:
    """<|M A v - v|^2/|v|^2> of a `Lesson`."""

    def __init__(self, lesson, settings):
        self.lesson, self.settings, self.A = lesson, settings, lesson.A
        self._v, self._b, self._u = (self.A.vector(settings.batch) for _ in range(3))
        self._works = lesson.module.works(self.A, settings.batch)

    def loss(self, key):
        """The loss of the random vectors of a key."""
        draw_signs(self._v, key)
        self.A.apply(self._v, self._b)
        if self.settings.filtered:
            self._leave_error_of(self._iterations)
        if self.lesson.before:
            self._leave_error_of(self.lesson.before)
        b, v = slots(self._b).clone(), slots(self._v).clone()
        comm = self.A.lattice.comm
        missed = (self.lesson.module(b, self._works) - v).double()
        scale = sum_over_ranks(v.double().square().sum(), comm)
        return sum_over_ranks(missed.square().sum(), comm) / scale

    def _leave_error_of(self, solve):
        """v <- v - u, the error of an approximate solution u of A u = A v."""
        solve(self._b, self._u)
        slots(self._v).sub_(slots(self._u))
        self._v.touch()
        self.A.apply(self._v, self._b)

    def _iterations(self, b, u):
        count = self.settings.filtered
        try:
            solution = FGMRES(tol=1e-12, restart=count, max_iterations=count)(self.A, b)
        except NotConverged as error:
            solution = error.solution
        u.assign(solution.x)
