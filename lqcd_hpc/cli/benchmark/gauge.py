"""`lqcd-hpc bench gauge`: the gauge kernels on a real lattice, timed and set against the roofline."""

from __future__ import annotations

from math import prod
from statistics import median

from . import counts, overhead, ranks, replicas, results
from .machine import Machine
from .subject import Subject, write_volume
from .timing import in_turn, repeated

NC = 3
VOLUMES = ("8,8,8,8", "16,16,16,16")


def measure(request, comm):
    """All results as one dictionary: header, "kernels", and "overhead", "replicas", "ranks" where asked for.
    Collective.
    """
    shapes, precisions = request.shapes, request.precisions or ("double",)
    machines = {precision: Machine(request.threads, precision, comm) for precision in precisions}
    found = results.header(request.command(comm.size), machines[precisions[0]]) | {"kernels": []}
    for precision, machine in machines.items():
        for shape in shapes:
            for subject in subjects(shape, precision, request.threads):
                found["kernels"].append(line(subject, machine, shape, precision, comm))
    if not request.kernels_only and comm.size == 1:
        found["overhead"] = overhead.measure(threads=request.threads)
        found["replicas"] = replicas.measure(threads=request.threads)
    if request.ranks and comm.size == 1:
        found["ranks"] = ranks.compare(request)
    return found


document = dict


def tables(found):
    """What is printed of the results: tables and lines."""
    yield results.kernel_table(found["kernels"])
    for one in found.get("overhead", ()):
        yield (
            f"{one['name']}: {one['python_us']:.0f} us from Python, {one['c_us']:.0f} us in C: "
            f"{one['overhead_percent']:+.1f} %"
        )
    if one := found.get("replicas"):
        yield f"{one['name']}: {one['replicas']} replicas have {one['ratio']:.1f} times the throughput of one"
    for one in found.get("ranks", ()):
        yield f"{one['name']} {one['variant']}: {one['ranks']} ranks are {one['speedup']:.2f} times as fast as one"


def picture(found):
    """Speeds and shares of the roofline of all kernels, as a Figure."""
    from ...analysis import plots

    return plots.speed_bars(found["kernels"], found["processor"])


def line(subject, machine, shape, precision, comm):
    """One line of results: time, speed and share of the roofline (of all ranks together)."""
    seconds = median(in_turn([subject.run], comm)[0])
    return {
        "name": subject.name,
        "variant": f"{write_volume(shape)} {'float64' if precision == 'double' else 'float32'}",
        "shape": list(shape),
        "volume": prod(shape),
        "precision": precision,
        "unit": subject.count.unit,
        "ns": seconds * 1e9 / subject.units,
        "gflops": subject.flops / seconds / 1e9,
        "gbytes": subject.traffic / seconds / 1e9,
        "roofline": 100 * subject.flops / seconds / subject.limit(machine),
        "flops_per_unit": subject.count.flops,
        "bytes_per_unit": subject.count.bytes,
        "flops_counted": subject.count.how,
        "ranks": comm.size,
        "threads": machine.threads,
    }


def subjects(shape, precision="double", threads=1):
    """The gauge kernels of SU(3) on a lattice of this shape over the ranks of the job, one after another."""
    from ...actions.iwasaki import Iwasaki
    from ...actions.wilson import Wilson
    from ...fields import Random, gauge, kinds
    from ...lattice import Lattice
    from ...sampling.dynamics import Dynamics
    from ...sampling.heatbath import Heatbath

    lattice = Lattice(shape, threads=threads)
    rng = Random(seed=11)
    U = gauge.hot(lattice, rng, "SU(3)", precision)
    wilson, improved = Wilson(beta=6.0).on(U), Iwasaki(beta=2.6).on(U)
    thermal = Heatbath(wilson, overrelaxation=1)
    for _ in range(3):
        thermal.update(rng)
    P = U.like(kinds.algebra(NC, lattice.ndim))
    Dynamics(wilson).refresh(rng)
    yield from _Subjects(U, P, wilson, improved, rng).all()


class _Subjects:
    def __init__(self, U, P, wilson, improved, rng):
        self.U, self.P, self.wilson, self.improved, self.rng = U, P, wilson, improved, rng
        self.size = U.data.itemsize
        self.sites, self.ndim = U.lattice.volume, U.lattice.ndim

    def all(self):
        """Every subject; each is prepared when its turn comes."""
        yield self._plaquette()
        yield self._force()
        yield self._exponential()
        yield self._sweep("heatbath", counts.heatbath)
        yield self._sweep("overrelaxation", counts.overrelaxation)
        yield self._path_force()
        yield self._flow()
        yield self._clover()

    def _subject(self, name, call, count, *fields):
        units = self.sites * (self.ndim if count.unit == "link" else 1)
        return Subject(name, repeated(call), count, units, sum(field.data.nbytes for field in fields) or 1)

    def _args(self):
        return NC, self.ndim, self.size

    def _plaquette(self):
        from ...fields.launch import prepare
        from ...paths.plaquette import plaquette_kernel

        launch = prepare(plaquette_kernel(NC, self.ndim), U=self.U)
        return self._subject("plaquette", launch, counts.plaquette(*self._args()), self.U)

    def _force(self):
        launch = self.wilson.gradient_launches(self.P)[-1].again().set(weight=1e-3, keep=0.5)
        return self._subject("Wilson force", self._stale(launch), counts.force(*self._args()), self.U, self.P)

    def _exponential(self):
        from ...fields.launch import prepare
        from ...smearing.gradient_flow import exponential_kernel

        V = self.U.copy()
        launch = prepare(exponential_kernel(NC, self.ndim), U=V, P=self.P).set(eps=0.01)
        return self._subject("exponential update", launch, counts.exponential(*self._args()), V, self.P)

    def _sweep(self, name, count):
        from ...sampling.heatbath import _SCALARS
        from ...sampling.local_update import LocalUpdate

        random = name == "heatbath"
        update = LocalUpdate(self.wilson, name, _SCALARS if random else ())

        def sweep():
            if random:
                update.sweep(beta=self.wilson.beta, key=self.rng.key(), method=0)
            else:
                update.sweep()

        return self._subject(f"{name} sweep", sweep, count(*self._args()), self.U)

    def _path_force(self):
        from ...paths.path import staples

        lengths = [len(s) for loop, _ in self.improved.loops for mu in range(self.ndim) for s in staples(loop, mu)]
        launches = [launch.again() for launch in self.improved.gradient_launches(self.P)]
        launches[-1].set(weight=1e-3, keep=0.5)
        staple = self.improved.staple_field(self.ndim)

        def force():
            self.U.touch()  # halos are exchanged every time, as in a trajectory
            for launch in launches:
                launch()

        count = counts.path_force(*self._args(), lengths)
        return self._subject("path force (Iwasaki)", force, count, self.U, staple, self.P)

    def _flow(self):
        from ...smearing.gradient_flow import GradientFlow

        V = self.U.copy()
        flow = GradientFlow(self.wilson.description.on(V), 0.01)
        return self._subject("flow step (RK3)", flow.advance, counts.flow_step(*self._args()), V, self.P)

    def _clover(self):
        from ...fields.launch import prepare
        from ...measurements.topology import field_strength_kernel

        launch = prepare(field_strength_kernel(NC, self.ndim, "clover"), U=self.U)
        return self._subject("clover field strength", self._stale(launch), counts.clover(*self._args()), self.U)

    def _stale(self, launch):
        """The launch with halos exchanged every time, as after an update of U."""

        def run():
            self.U.touch()
            launch()

        return run
