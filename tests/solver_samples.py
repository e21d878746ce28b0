"""Values of every solver of the package. A new file in lqcd_hpc/solvers needs a row in one of the two tables."""

from lqcd_hpc.solvers.bicgstab import BiCGStab
from lqcd_hpc.solvers.bicgstab_l import BiCGStabL
from lqcd_hpc.solvers.cg import CG
from lqcd_hpc.solvers.fgmres import FGMRES
from lqcd_hpc.solvers.gcr import GCR
from lqcd_hpc.solvers.multigrid import Multigrid
from lqcd_hpc.solvers.multishift import MultishiftCG
from lqcd_hpc.solvers.normal import NormalCG
from lqcd_hpc.solvers.refine import Refine
from lqcd_hpc.solvers.schur import Schur

TOL = 1e-10
SMOOTHER = GCR(tol=0.1, restart=4)
SAMPLES = {  # for operators that can be inverted; a tolerance is to be put in
    "normal": {"": lambda tol: NormalCG(tol=tol), "single": lambda tol: NormalCG(tol=tol, precision="single")},
    "bicgstab": {"": lambda tol: BiCGStab(tol=tol)},
    "bicgstab_l": {"": lambda tol: BiCGStabL(tol=tol), "4": lambda tol: BiCGStabL(tol=tol, l=4)},
    "gcr": {
        "": lambda tol: GCR(tol=tol),
        "preconditioned": lambda tol: GCR(tol=tol, preconditioner=BiCGStab(tol=0.1)),
    },
    "fgmres": {
        "": lambda tol: FGMRES(tol=tol),
        "preconditioned": lambda tol: FGMRES(tol=tol, preconditioner=SMOOTHER, preconditioner_precision="single"),
    },
    "refine": {
        "": lambda tol: Refine(GCR(tol=1e-4), tol=tol),
        "schur": lambda tol: Refine(Schur(NormalCG(tol=1e-5)), tol=tol),
    },
    "schur": {
        "": lambda tol: Schur(NormalCG(tol=tol)),
        "asymmetric": lambda tol: Schur(GCR(tol=tol), "asymmetric"),
        "single": lambda tol: Schur(NormalCG(tol=tol, precision="single")),
        "refine": lambda tol: Schur(Refine(GCR(tol=1e-4), tol=tol)),
    },
}
POSITIVE = {  # for Hermitian and positive operators
    "cg": {"": lambda tol: CG(tol=tol), "single": lambda tol: CG(tol=tol, precision="single")},
    "multishift": {
        "": lambda tol: FirstOf(MultishiftCG(tol=tol, shifts=(0.0, 0.5))),
        "single": lambda tol: FirstOf(MultishiftCG(tol=tol, shifts=(0.0, 0.5), precision="single")),
    },
}


PRECONDITIONERS = {  # of flexible solvers, for operators of Wilson type on 8 x 8 (two dimensions) and 4 x 4 x 4 x 4
    "multigrid": lambda ndim: Multigrid(blocks=[(4,) * ndim if ndim == 2 else (2,) * ndim], vectors=4, refinements=1),
}


class FirstOf:
    """The first of several solutions."""

    def __init__(self, solver):
        self.solver, self.tol = solver, solver.tol

    def __call__(self, A, b):
        return self.solver(A, b)[0]
