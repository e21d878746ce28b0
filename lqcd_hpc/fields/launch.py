"""Kernels and their launches: what a kernel declares, and everything that follows from it.

A `Kernel` names its fields with intent and reach. `prepare` checks the fields once and returns a `Launch`; calling it
exchanges stale halos (interior items run meanwhile), runs, notes what was written and returns the named sums.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np

from ..backend import device
from ..backend.program import Program, RandomKey
from ..errors import LqcdError
from . import counting
from .domain import EVERYWHERE, items_of
from .projection import Projection, projected_halo
from .sums import BINS, round_bins

CHUNKS = 16  # pieces of the interior, with MPI progress between them until all messages are there
FEWEST = 16  # items of a piece


@dataclass(frozen=True)
class Arg:
    """A field of a kernel.

    intent : "in", "out" or "inout"
    reach : displacements that are read, for all buffers (a tuple) or per buffer (a tuple of tuples by `per_buffer`)
    writes : buffers that are written (None: all)
    projection : what is sent of a displaced site in its stead (projection.py); the site function has a view
    NAME_halo then
    foreign : it lives on a lattice of blocks, or on the sites of blocks; the kernel finds its items by a table
    """

    name: str
    intent: str
    reach: tuple = ()
    per_buffer: bool = False
    writes: tuple[int, ...] | None = None
    projection: Projection | None = None
    foreign: bool = False

    def reach_of(self, buffer):
        return self.reach[buffer] if self.per_buffer else self.reach


def in_(name, reach=(), per_buffer=False, projection=None):
    """A field that is read, at these displacements."""
    return Arg(name, "in", tuple(reach), per_buffer, None, projection)


def out(name, writes=None):
    """A field that is written."""
    return Arg(name, "out", (), False, writes)


def foreign(name, intent="in"):
    """A field of another lattice with the same lanes."""
    return Arg(name, intent, foreign=True)


def inout(name, reach=(), per_buffer=False, writes=None):
    """A field that is read and written."""
    return Arg(name, "inout", tuple(reach), per_buffer, writes)


@dataclass(frozen=True)
class Kernel:
    """A site function of kernels/ and what it touches.

    displacements : neighbours by number, as the site function counts them
    scalars : (name, "double" | "i64" | "RandomKey"); tables : (name, C type)
    sums : names of the exact sums that it returns
    """

    header: str
    function: str
    constants: tuple[int, ...]
    args: tuple[Arg, ...]
    displacements: tuple[tuple[int, ...], ...] = ()
    scalars: tuple[tuple[str, str], ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    sums: tuple[str, ...] = ()

    def program(self, precision, lanes, group, masked):
        """The compile-time description of this kernel for numbers and memory blocks of so many lanes."""
        return Program(
            self.header,
            self.function,
            self.constants,
            {"double": "double", "single": "float"}[precision],
            lanes,
            group,
            masked,
            tuple(name for a in self.args for name in ([a.name, f"{a.name}_halo"] if a.projection else [a.name])),
            self.tables,
            self.scalars,
            len(self.sums),
        )


def prepare(kernel, domain=EVERYWHERE, tables=None, numbers=None, arrays=None, **fields):
    """A `Launch` of the kernel on these fields.

    tables : arrays that the kernel reads and nobody changes; arrays : those among them that are written between calls,
    from `device.zeros`; numbers : those of a solver (numbers.py)

    Raises `LqcdError` if a field is missing, aliased, or of another lattice or precision than the others.
    """
    _check(kernel, fields)
    return Launch(kernel, domain, tables or {}, fields, numbers, arrays)


def _project(projection, number, domain, full, part):
    """The launch that projects what displacement `number` needs of `full` into its buffer of `part`."""
    arguments = in_("full"), out("part", writes=(number,))
    kernel = Kernel(projection.header, projection.function, (number, *projection.constants), arguments)
    return prepare(kernel, domain, full=full, part=part)


def _check(kernel, fields):
    names = [a.name for a in kernel.args]
    if set(names) != set(fields):
        raise LqcdError(f"{kernel.function} takes the fields {', '.join(names)}, not {', '.join(fields)}")
    first = fields[names[0]]
    for arg in kernel.args:
        field = fields[arg.name]
        if arg.foreign and field.layout.lanes != first.layout.lanes:
            raise LqcdError(f"{kernel.function}: {arg.name} has not the lanes of {names[0]}")
        if (field.lattice is not first.lattice and not arg.foreign) or field.precision != first.precision:
            raise LqcdError(f"{kernel.function}: {arg.name} is not on the lattice and in the precision of {names[0]}")
        shared = [a.name for a in kernel.args if a is not arg and fields[a.name] is field]
        if arg.intent != "in" and shared:
            raise LqcdError(f"{kernel.function}: {arg.name} is written and must not also be given as {shared[0]}")


class Launch:
    """A kernel bound to its fields and domain. Call it with the kernel's scalars."""

    def __init__(self, kernel, domain, tables, fields, numbers=None, arrays=None):
        self.kernel, self.domain, self.numbers = kernel, domain, numbers
        self._collected = numbers is not None and numbers.bins is not None  # sums stay where steps find them
        self.fields = [fields[a.name] for a in kernel.args]
        self.lattice, self.layout = self.fields[0].lattice, self.fields[0].layout
        self._arrays = arrays or {}
        self._tables = {name: aligned(tables[name]) for name, _ in kernel.tables if name not in self._arrays}
        self._neighbours = self.layout.neighbours(kernel.displacements)
        self._projected = self._projected_halos()
        self._halos = self._needed_halos()
        for field in [*self.fields, *(halo.field for halo in self._projected.values())]:
            field.reserve_ghosts()
        self.items = items_of(self.layout, domain)
        self._split = None
        layout = self.layout
        program = kernel.program(self.fields[0].precision, layout.lanes, layout.group, self.items.masks is not None)
        self.function = device.load(program)
        self.arguments = program.arguments()
        self.address = ctypes.addressof(self.arguments)
        self._scalars = {name for name, _ in kernel.scalars}
        self._generations = None
        self._bind()

    def _projected_halos(self):
        """Name -> projected halo of the arguments that have a projection."""
        pairs = [(arg, field) for arg, field in zip(self.kernel.args, self.fields) if arg.projection]
        return {arg.name: projected_halo(field, arg.reach, arg.projection, _project) for arg, field in pairs}

    def _needed_halos(self):
        if self.lattice.comm.size == 1:
            return []
        needed = []
        for field, arg in zip(self.fields, self.kernel.args):
            if arg.projection:
                halos = [self.layout.halo([d]) for d in arg.reach]
                needed += [(self._projected[arg.name].field, k, halo) for k, halo in enumerate(halos) if halo]
                continue
            for buffer in range(field.kind.buffers):
                if (reach := arg.reach_of(buffer)) and (halo := self.layout.halo(reach)):
                    needed.append((field, buffer, halo))
        return needed

    def _bind(self):
        """Write addresses and sizes into the argument struct."""
        a, layout, lattice = self.arguments, self.layout, self.lattice
        shuffles = np.int64 if self.fields[0].precision == "double" else np.int32
        self._shared = _shared_tables(layout, shuffles)
        a.neighbours = device.table(self._neighbours)
        a.displacements = self._neighbours.shape[1]
        a.first_ghost = layout.first_ghost
        a.ids, a.permutations = device.table(self._shared["ids"]), device.table(self._shared["permutations"])
        a.replica_of_lane = device.table(self._shared["replica_of_lane"])
        a.replica_of_item = device.table(self._shared["replica_of_item"]) if lattice.replicas > 1 else None
        a.threads = threads_of(lattice)
        a.replicas = lattice.replicas
        if self.numbers:
            a.numbers = device.address(self.numbers.values)
        if self._collected:
            self._bins = self.numbers.bins
        else:
            self._bins = device.zeros((lattice.replicas, max(1, len(self.kernel.sums)), BINS), np.int64)
        a.bins = device.address(self._bins)
        for name, table in self._tables.items():
            setattr(a, name, device.table(table))
        for name, array in self._arrays.items():
            setattr(a, name, device.address(array))
        named = [(arg.name, field) for arg, field in zip(self.kernel.args, self.fields)]
        named += [(f"{name}_halo", halo.field) for name, halo in self._projected.items()]
        for name, field in named:
            view = getattr(a, name)
            view.data, view.stride = device.address(field.data), field.data[0].size
        self._places = {}
        self._select(self.items)
        self._bound = [field for _, field in named]
        self._generations = [field.generation for field in self._bound]

    def moved(self):
        """Whether a field has moved in memory since the addresses were written."""
        return any(field.generation != g for field, g in zip(self._bound, self._generations))

    def _select(self, items):
        """Let the kernel loop over these items; their addresses are looked up once."""
        places = self._places.get(id(items))
        if places is None:
            tables = (items.items, items.masks)
            places = self._places[id(items)] = [None if table is None else device.table(table) for table in tables]
        self.arguments.items, self.arguments.lane_masks = places

    def again(self):
        """Another launch of the same kernel, fields and domain, with scalars of its own."""
        fields = dict(zip(self._names(), self.fields))
        copy = Launch(self.kernel, self.domain, self._tables, fields, self.numbers, self._arrays)
        for name in self._scalars:
            setattr(copy.arguments, name, getattr(self.arguments, name))
        return copy

    def _names(self):
        return [a.name for a in self.kernel.args]

    @property
    def silent(self):
        """Whether nothing has to be done between this launch and the next: no halos, no sums for the host."""
        alone = self.lattice.comm.size == 1
        return not self._halos and (not self.kernel.sums or self._collected and alone)

    def takes(self, scalar):
        """Whether the kernel has this scalar."""
        return scalar in self._scalars

    def set(self, **scalars):
        """Set scalars; they keep their values for later calls."""
        for name, value in scalars.items():
            if name not in self._scalars:
                raise LqcdError(f"{self.kernel.function} has no scalar {name!r}: {', '.join(sorted(self._scalars))}")
            setattr(self.arguments, name, value)
        return self

    def __call__(self, **scalars):
        if scalars:
            self.set(**scalars)
        if self.moved():
            self._bind()
        if self.kernel.sums and not self._collected:
            self._bins[...] = 0
        exchanges = self.start_exchanges() if self._halos else []
        if exchanges:
            self._overlapped(exchanges)
        else:
            self._run(self.items)
        self.note_writes()
        counting.note(self)
        return self._sums() if self.kernel.sums and not self._collected else None

    def _run(self, items):
        if items.count > 0:
            self.function(self.address, items.begin, items.end, self.lattice.replicas)

    def start_exchanges(self):
        """Begin to exchange what is stale; returns the running exchanges."""
        for halo in self._projected.values():
            halo.refresh()
        stale = {}
        for field, buffer, halo in self._halos:
            for parity in field.stale(buffer, halo):
                stale.setdefault(id(field), (field, []))[1].append((buffer, parity, halo))
        running = []
        for field, pieces in stale.values():
            exchange = field.exchange(pieces)
            exchange.start()
            field.freshen(pieces)
            running.append(exchange)
        return running

    def _overlapped(self, exchanges):
        interior, boundary = self._interior_and_boundary()
        self._select(interior)
        step = max(FEWEST, -(-interior.count // CHUNKS))
        begin, under_way = interior.begin, True
        while begin < interior.end:
            end = min(begin + step, interior.end) if under_way else interior.end
            self._run_meanwhile(begin, end)
            if under_way:
                moved = [exchange.progress() for exchange in exchanges]  # every one of them
                under_way = not all(moved)
            begin = end
        for exchange in exchanges:
            exchange.finish()
        self._select(boundary)
        self._run(boundary)
        self._select(self.items)

    def _run_meanwhile(self, begin, end):
        """A piece of the interior, while messages are under way."""
        self.function(self.address, begin, end, self.lattice.replicas)

    def _interior_and_boundary(self):
        if self._split is None:
            key = ("split", self.domain, self.kernel.displacements)
            tables = self.layout.tables
            if key not in tables:
                outer = ((self._neighbours & np.uint32(2**27 - 1)) >= self.layout.first_ghost).any(axis=1)
                tables[key] = self.items.where(~outer), self.items.where(outer)
            self._split = tables[key]
        return self._split

    def note_writes(self):
        """Mark as stale what this launch has written."""
        parities = (self.domain.parity,) if hasattr(self.domain, "parity") else (0, 1)
        for arg, field in zip(self.kernel.args, self.fields):
            if arg.intent != "in":
                field.touch(arg.writes, parities)

    def _sums(self):
        bins = device.to_host(self._bins)
        if self.lattice.comm.size > 1:
            bins = self.lattice.comm.allreduce(bins)
        values = round_bins(bins)
        if self.lattice.replicas == 1:
            return {name: float(values[0, k]) for k, name in enumerate(self.kernel.sums)}
        return {name: values[:, k].copy() for k, name in enumerate(self.kernel.sums)}


class Sequence:
    """Launches that run one after another; in one C call where none of them communicates."""

    def __init__(self, launches):
        self.launches = list(launches)
        self._silent = all(launch.silent for launch in self.launches)
        self._steps = None

    def __call__(self, repeat=1):
        if not self._silent:
            for _ in range(repeat):
                for launch in self.launches:
                    launch()
            return
        moved = [launch for launch in self.launches if launch.moved()]
        for launch in moved:
            launch._bind()
        if self._steps is None:
            self._steps = device.steps([(x.function, x.address, x.items, x.lattice.replicas) for x in self.launches])
        device.run_sequence(self._steps, repeat)
        for launch in self.launches:
            launch.note_writes()
            counting.note(launch, repeat)


def threads_of(lattice):
    """Threads of this rank: as asked for, or its share of the node's cores."""
    return lattice.threads or device.default_threads(lattice.comm.local_size)


def _shared_tables(layout, shuffles):
    key = ("shared", shuffles)
    if key not in layout.tables:
        layout.tables[key] = {
            "ids": aligned(layout.ids),
            "permutations": aligned(layout.permutations(shuffles)),
            "replica_of_lane": layout.replica_of_lane,
            "replica_of_item": layout.replica_of_item,
        }
    return layout.tables[key]


def aligned(table, alignment=64):
    """The table at an address that vector loads accept."""
    table = np.ascontiguousarray(table)
    if table.ctypes.data % alignment == 0:
        return table
    raw = np.empty(table.nbytes + alignment, np.uint8)
    shift = -raw.ctypes.data % alignment
    view = raw[shift : shift + table.nbytes].view(table.dtype).reshape(table.shape)
    view[...] = table
    return view


__all__ = ["Kernel", "Launch", "RandomKey", "Sequence", "foreign", "in_", "inout", "out", "prepare"]
