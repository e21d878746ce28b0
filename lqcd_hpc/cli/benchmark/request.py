"""What one call of `lqcd-hpc bench` is asked to measure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from ...errors import LqcdError
from ..shape import parse_shape

PRECISIONS = ("double", "single", "mixed")


@dataclass(frozen=True)
class Request:
    """Volumes, precisions, numbers of right-hand sides and names, all of them combined; None: what the suite takes
    by itself.

    Raises `LqcdError` for what cannot be.
    """

    suite: str
    volumes: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    rhs: tuple[int, ...] = ()
    threads: int = 1
    ranks: int | None = None
    kernels_only: bool = False

    def __post_init__(self):
        for name in self.precisions:
            if name not in PRECISIONS[: 3 if self.suite == "solver" else 2]:
                choices = '"double" or "single"' if self.suite != "solver" else '"double", "single" or "mixed"'
                raise LqcdError(f"precision {name!r}: choose {choices}")
        for name, values in (("rhs", self.rhs), ("threads", (self.threads,)), ("ranks", (self.ranks,))):
            for value in values:
                if value is not None and value < 1:
                    raise LqcdError(f"{name} = {value}: choose a number of at least 1")
        if self.suite == "gauge" and (self.operators or self.rhs):
            raise LqcdError("operators and right-hand sides belong to the benchmarks dirac and solver, not to gauge")
        if self.suite != "gauge" and self.kernels_only:
            raise LqcdError("--kernels-only belongs to the benchmark gauge")
        self.shapes  # noqa: B018  a wrong one is told before anything is measured

    @property
    def shapes(self):
        shapes = [parse_shape(text) for text in self.volumes]
        for shape in shapes if self.suite != "gauge" else ():
            if len(shape) != 4 or any(n % 2 for n in shape):
                raise LqcdError(f"volume {','.join(map(str, shape))}: give four even extents x,y,z,t")
        return shapes

    def words(self):
        """The arguments of lqcd-hpc that ask for this, without the ranks of a comparison."""
        options = [("volume", v) for v in self.volumes] + [("precision", p) for p in self.precisions]
        options += [("operator", o) for o in self.operators] + [("rhs", str(n)) for n in self.rhs]
        options.append(("threads", str(self.threads)))
        words = [word for name, value in options for word in (f"--{name}", value)]
        return ["bench", self.suite, *words, *(["--kernels-only"] if self.kernels_only else [])]

    def command(self, ranks=1):
        """The command line that repeats the measurement."""
        start = [] if ranks == 1 else ["mpirun", "-n", str(ranks)]
        compared = [] if self.ranks is None else ["--ranks", str(self.ranks)]
        return shlex.join([*start, "lqcd-hpc", *self.words(), *compared])
