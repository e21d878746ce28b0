"""A dry run: what a run file would compile and hold in memory, found by doing it on a small lattice without
computing.
"""

from __future__ import annotations

from dataclasses import dataclass

# Without a run file: both updates, an improved action, and what is usually measured
USUAL = """
[lattice]
shape = {shape}
group = "{group}"
precision = "{precision}"
replicas = {replicas}
[start]
kind = "hot"
[random]
seed = 1
[action]
kind = "{action}"
beta = 6.0
[[update]]
kind = "heatbath"
overrelaxation = 4
count = 1
[[update]]
kind = "hmc"
tau = 1.0
steps = 2
integrator = "omf4"
count = 1
[measure.plaquette]
[measure.polyakov]
{more}
[output]
directory = "."
"""
MORE = """
[measure.topology]
[measure.flow]
eps = 0.04
steps = 1
[measure.wilson_loops]
max_time = 2
max_distance = 2
"""
ACTIONS = ("wilson", "iwasaki")


@dataclass(frozen=True)
class Rehearsal:
    """What a run needs.

    programs : kernel instances; displacements, tables : the neighbours that they read, and how many numbers
    per item their tables hold; reals_per_site : numbers of all fields together; link_reals : those of one
    gauge field; item_size : bytes of a number.
    """

    programs: tuple
    displacements: frozenset
    tables: int
    reals_per_site: int
    link_reals: int
    item_size: int


def usual_run(group="SU(3)", ndim=4, precision="double", replicas=1, action="wilson"):
    """The checked run file of a usual run."""
    from ..config import parse

    shape = [8] * ndim
    return parse(
        USUAL.format(
            shape=shape,
            group=group,
            precision=precision,
            replicas=replicas,
            action=action,
            more=MORE if ndim == 4 else "",
        )
    )


def rehearse(run):
    """A `Rehearsal` of a run, on one rank and a small lattice of its boundaries.

    No kernel is compiled or run, nothing is written. Raises `LqcdError` for what the run itself would refuse.
    """
    from ..backend import device

    with device.recording() as programs:
        U = _start(run)
        kept = _act(run, U)
        return _take_stock(U, programs, kept)


def _start(run):
    """The field of the run on fewer sites."""
    from ..fields import Random, gauge, scalar
    from ..lattice import Lattice
    from ..lattice.communicator import SerialCommunicator

    shape, group, boundary, replicas, precision = _setting(run)
    shape = tuple(n if n < 16 else 8 + n % 8 for n in shape)  # of the same lanes and colourings
    lattice = Lattice(shape, boundary=boundary, replicas=replicas, threads=1, comm=SerialCommunicator())
    if run.field_kind:
        return scalar.hot(lattice, Random(seed=1), run.field_kind, precision)
    if run.start and run.start.kind == "instanton":
        return gauge.instanton(lattice, group, precision=precision)
    return gauge.hot(lattice, Random(seed=1), group, precision)


def _setting(run):
    table = run.lattice
    if table:
        small = table.replicas if table.replicas < 64 else 32 + table.replicas % 32  # of the same lanes
        return table.shape, table.group, table.boundary, small, table.precision
    from ..errors import LqcdError
    from .configuration import header_of

    names = [name for name in run.source.files if not any(c in name for c in "*?[")]
    if not names:
        raise LqcdError('[source] gives patterns only: add [lattice] with shape and group = "SU(3)"')
    header = header_of(names[0])
    return header.shape, header.group, None, 1, "double"


def _act(run, U):
    """One update of every stage and one measurement of every kind; returns what must stay alive to be
    counted.
    """
    from ..fields import Random

    rng = Random(seed=1)
    observables = [one.description.on(U) for one in run.observables]
    updates = [stage.update.on(run.action.on(U)) for stage in run.stages]
    for update in updates:
        update.update(rng)
    for observable in observables:
        observable()
    return observables, updates


def _take_stock(U, programs, kept):
    import gc

    from ..fields import Field
    from ..fields.gauge import link_trace
    from ..measurements.plaquette import Plaquette

    if U.kind.law == "link":
        Plaquette().on(U)()
        link_trace(U)
    fields = [one for one in gc.get_objects() if isinstance(one, Field) and one.lattice is U.lattice]
    sets = [key[1] for layout in _layouts(U) for key in layout.tables if key[0] == "neighbours"]
    return Rehearsal(
        programs=tuple(programs),
        displacements=frozenset(d for one in sets for d in one),
        tables=sum(len(one) for one in sets),
        reals_per_site=sum(field.reals * field.kind.buffers for field in fields),
        link_reals=U.reals * U.kind.buffers,
        item_size=4 if U.precision == "single" else 8,
    )


def _layouts(U):
    return [value for key, value in U.lattice.cache.items() if key[0] == "layout"]
