"""Every site function compiles for the GPU: by NVRTC, without a GPU and without CuPy."""

import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import nvrtc
import pytest

from lqcd_hpc import Lattice, Random, config, gauge, scalar
from lqcd_hpc.actions.complex_phi4 import ComplexPhi4
from lqcd_hpc.actions.phi4 import Phi4
from lqcd_hpc.actions.sigma import Sigma
from lqcd_hpc.actions.symanzik import Symanzik
from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.backend import cuda, cuda_source, device
from lqcd_hpc.backend.program import KERNELS
from lqcd_hpc.cli.instances import usual_programs
from lqcd_hpc.fields.field import Field
from lqcd_hpc.fields.kinds import Kind, colours
from lqcd_hpc.fields.launch import Kernel, in_, out, prepare
from lqcd_hpc.fields.orthonormal import orthonormalise
from lqcd_hpc.measurements.topology import Topology
from lqcd_hpc.ml.layers.matrix_fields import operations
from lqcd_hpc.operators.aggregates import Aggregates, Transfer, basis_of
from lqcd_hpc.operators.clover import Clover
from lqcd_hpc.operators.coarse import CoarseOperator
from lqcd_hpc.operators.operator import Normal
from lqcd_hpc.operators.path_convolution import PathConvolution, weight_kind
from lqcd_hpc.operators.path_links import Transport, hops
from lqcd_hpc.sampling.hmc import HMC
from lqcd_hpc.sampling.integrators import FORCE_GRADIENT
from lqcd_hpc.sampling.metropolis import Metropolis
from lqcd_hpc.solvers.bicgstab import BiCGStab
from lqcd_hpc.solvers.cg import CG
from lqcd_hpc.solvers.fgmres import FGMRES
from lqcd_hpc.solvers.multishift import MultishiftCG
from lqcd_hpc.solvers.normal import NormalCG
from lqcd_hpc.solvers.relaxation import Relaxation
from lqcd_hpc.solvers.schur import Schur

# A site function: a template of the lanes, acting on a site and the argument struct
SITE_FUNCTION = re.compile(
    r"^template <class L, [^>]*class A\b[^>]*>\s+FN void (\w+)\(const Site<L>& x, const A& a(?:, S&(?:\.\.\.)? sum)?\)",
    re.M,
)

FERMIONS = {
    "wilson": {"kappa": 0.1},
    "clover": {"kappa": 0.1, "csw": 1.0},
    "twisted_mass": {"kappa": 0.1, "mu": 0.1},
    "twisted_clover": {"kappa": 0.1, "csw": 1.0, "mu": 0.1},
    "staggered": {"mass": 0.1},
    "laplace": {"mass_squared": 0.1},
}
FERMION_HEADERS = {"wilson.h", "path_convolution.h", "staggered.h", "laplace.h", "linalg.h", "krylov.h", "links.h"}
WILSON = {"kind": "wilson", "kappa": 0.1, "boundary": [1, 1, 1, -1]}
STAGGERED = {"kind": "staggered", "mass": 0.1, "boundary": [1, 1, 1, -1]}
POINT = {"kind": "point", "position": [0, 0, 0, 0]}
NORMAL = {"kind": "normal", "tol": 0.1}
QUARKS = {
    "spectrum": {"operator": WILSON, "solver": NORMAL, "source": POINT, "hadrons": ["mesons", "nucleon"]},
    "staggered_pion": {"operator": STAGGERED, "solver": NORMAL, "source": POINT},
    "condensate": {"operator": STAGGERED, "solver": NORMAL, "sources": 2, "seed": 1},
}

# Each site function in both precisions and for both architectures; the groups and dimensions that differ in kind
USUAL = [("SU(3)", 4, "double", "sm_90"), ("SU(3)", 4, "single", "sm_80")]
USUAL += [("SU(2)", 3, "single", "sm_90"), ("U(1)", 2, "double", "sm_80")]
LARGE = [("SU(4)", 3, "double", "sm_90"), ("SU(5)", 2, "single", "sm_80")]
ALL = [
    (group, ndim, precision, architecture)
    for group in ("U(1)", "SU(2)", "SU(3)")
    for ndim in (2, 3, 4)
    for precision in ("double", "single")
    for architecture in ("sm_80", "sm_90")
]


def programs(group, ndim, precision):
    """The kernel instances that the package has for a group, as a GPU runs them, found by using the package."""
    found = dict.fromkeys(usual_programs((group,), (ndim,), (precision,)))
    with device.recording() as more:
        for boundary in ("periodic", "open"):
            lattice = Lattice((4,) * ndim, boundary=(*["periodic"] * (ndim - 1), boundary))
            U = gauge.hot(lattice, Random(1), group, precision)
            gauge.transform(U, gauge.random_transformation(U, Random(1)))
            gauge.link_trace(U)
            for definition in ("clover", "plaquette") if ndim > 2 else ("clover",):
                Topology(definition=definition).on(U)()
            HMC(Wilson(beta=1.0).on(U), steps=1, tau=1.0, integrator=FORCE_GRADIENT).update(Random(1))
            for action in (Wilson(beta=1.0), Symanzik(beta=1.0)):
                Metropolis(action.on(U), width=0.1).update(Random(1))
            scalars(lattice, precision)
            if ndim != 3 and boundary == "periodic":
                fermions(U)
    lanes, group_lanes = cuda.lanes(8)
    more |= dict.fromkeys(operations(colours(group), precision, lanes, group_lanes))
    return list(dict.fromkeys(replace(p, lanes=lanes, group=group_lanes, masked=False) for p in (found | more)))


def fermions(U):
    """Use every operator, both even-odd forms, and the solvers and measurements that have kernels of their own."""
    periodic = (1,) * U.lattice.ndim
    for kind, parameters in FERMIONS.items():
        A = config.described("operator", {"kind": kind, "boundary": periodic} | parameters, kind).on(U)
        psi = A.vector()
        A.apply(psi)
        A.adjoint(psi)
        if hasattr(A, "hop"):
            for form in ("symmetric", "asymmetric"):
                inner = CG(tol=0.1) if A.antihermitian_hop else NormalCG(tol=0.1)
                Schur(inner, form)(A, psi)
    CG(tol=0.1)(A, A.vector())  # the Laplacian: A is not a product
    D = Clover(kappa=0.1, csw=1.0, exponential=True, boundary=periodic).on(U)
    D.gamma5_form.apply(D.vector())
    BiCGStab(tol=0.1)(D, D.vector())
    MultishiftCG(tol=0.1, shifts=(0.0, 0.1))(Normal(D), D.vector())
    send_half_spinors(D.vector())
    convolutions(U)
    blocks(U, D)
    for kind, parameters in QUARKS.items():
        if U.lattice.ndim == 4:
            config.described("measure", {"kind": kind} | parameters, kind).on(U)()


def convolutions(U):
    """Use convolutions along paths, with spin matrices everywhere and of every site."""
    ndim = U.lattice.ndim
    there, spins = Transport(paths=hops(ndim), boundary=(*[1] * (ndim - 1), -1)), 4 if ndim == 4 else 2
    shape = (len(there.paths), 1, 1, spins, spins)
    for weights in (np.zeros(shape), Field(U.lattice, weight_kind(shape), U.precision)):
        A = PathConvolution(there, U, weights, features=(1, 1))
        A.apply(A.vector())
        A.adjoint(A.vector())
        A.weight_gradient(A.vector(), A.vector())


def blocks(U, D):
    """Use the coarse operators of multigrid, relaxation, and the vectors of a Krylov space."""
    block = (2,) * U.lattice.ndim
    transfer = Transfer(Aggregates(U.lattice, block, U.precision), basis_of(D, 2))
    coarse = CoarseOperator(D, transfer)
    psi = coarse.vector()
    coarse.apply(psi)
    coarse.adjoint(psi)
    coarse.gradient(psi, psi.copy())()
    orthonormalise(psi, coarse.vector())
    transfer.restrict(D.vector(), psi)()
    transfer.prolong(psi, D.vector())()
    Relaxation(D, D.vector(), D.vector(), D.vector(), 2)()
    FGMRES(tol=0.1)(D, D.vector())


def scalars(lattice, precision):
    """Use scalars and spins of several components."""
    theories = [Phi4(m2=1.0, lam=1.0, normalisation="half"), ComplexPhi4(eta=4.0, lam=1.0)]
    theories += [Sigma(beta=1.0, components=n) for n in (2, 3, 4)]
    for theory in theories:
        action = theory.on(scalar.hot(lattice, Random(1), theory.field_kind, precision))
        HMC(action, steps=1).update(Random(1))
        spins = action.field.kind.law == "unit"
        Metropolis(action, width=0.1, overrelaxation=int(spins)).update(Random(1))


def send_half_spinors(psi):
    """What ranks do for each other before a hop, on one rank."""
    nc, ndim = psi.kind.nc, psi.lattice.ndim
    halves = psi.like(Kind("halves", 2 * ndim, (psi.reals // 2,), "real", "none", directions=True))
    arguments = in_("full"), out("part", writes=(0,))
    kernel = Kernel("wilson.h", "project_half_spinor", (0, nc, ndim, 1, 0), arguments)
    prepare(kernel, full=psi, part=halves)()


def one_direction(listed):
    """Without instances that differ in the direction of the link alone; in double precision one of each operator."""
    seen = {}
    for program in listed:
        every = program.real == "float" and program.header in FERMION_HEADERS
        constants = program.constants if every else program.constants[:2]
        seen.setdefault((program.function, constants, program.sums), program)
    return list(seen.values())


def compile_one(job):
    program, architecture = job
    binary = nvrtc.compiled(cuda_source.source(program), architecture)
    return len(binary.code), binary.registers, binary.spilled


def compile_all(jobs):
    """What the assembler says of every (program, architecture), by two processes."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return dict(zip(jobs, pool.map(compile_one, jobs)))


def site_functions():
    """All site functions of kernels/*.h by name."""
    return {name for header in KERNELS.glob("*.h") for name in SITE_FUNCTION.findall(header.read_text())}


@pytest.fixture(scope="module")
def usual():
    jobs = [(p, architecture) for *case, architecture in USUAL for p in one_direction(programs(*case))]
    heavy = {"exponential_update", "plaquette_heatbath", "reunitarise", "plaquette_force"}
    for *case, architecture in LARGE:
        jobs += [(p, architecture) for p in one_direction(programs(*case)) if p.function in heavy]
    return compile_all(jobs)


def test_no_site_function_is_left_out():
    found = {p.function for *case, _ in USUAL for p in programs(*case)}
    assert found == site_functions()
    assert len(found) > 20


@pytest.mark.timeout(600)
def test_every_site_function_compiles_for_the_gpu(usual):
    for architecture, real in (("sm_90", "double"), ("sm_80", "float")):
        here = [p for p, where in usual if where == architecture]
        compiled = {
            p.function for p in here if p.real == real or p.header == "krylov.h"
        }  # solvers' numbers are doubles
        assert compiled >= site_functions() - {"plaquette_angle"}, "the angle is for U(1) in two dimensions"
    assert all(code > 0 for code, _, _ in usual.values())


def test_kernels_of_up_to_three_colours_keep_their_numbers_in_registers(usual):
    """But for the few bytes that the call which adds to a sum may ask for."""
    few = {one: n for one, (_, _, n) in usual.items() if not one[0].constants or one[0].constants[0] <= 3}
    spilled = {f"{p.function}{p.constants} {p.real} {where}": n for (p, where), n in few.items()}
    assert {name: n for name, n in spilled.items() if n > 16} == {}


def test_messages_are_packed_by_kernels_that_compile():
    assert nvrtc.compiled(cuda_source.MOVES, "sm_80").spilled == 0


def test_sums_beyond_shared_memory_and_masks_compile():
    program = next(p for p in programs("U(1)", 2, "double") if p.function == "path_trace")
    many = replace(program, sums=2 * cuda_source.SHARED_SUMS, masked=True)
    assert "__shared__" not in cuda_source.source(many) and "__shared__" in cuda_source.source(program)
    assert nvrtc.compiled(cuda_source.source(many), "sm_90").code


def test_a_planted_fault_is_told_with_its_line():
    program = programs("U(1)", 2, "double")[0]
    with pytest.raises(ValueError, match="error"):
        nvrtc.compiled(cuda_source.source(program).replace("Site<L> x;", "Site<L> x"), "sm_90")


@pytest.mark.long
def test_every_instance_compiles_for_the_gpu(figure):
    jobs = [(p, architecture) for *case, architecture in ALL for p in programs(*case)]
    for (program, where), (_, registers, spilled) in compile_all(jobs).items():
        name = f"{program.function}{program.constants} {program.real} {where}"
        figure(f"registers, {name}", registers)
        figure(f"bytes spilled, {name}", spilled)
