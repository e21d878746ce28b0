"""Solvers of linear systems: values that compose, such as `Schur(NormalCG(tol=1e-10))`.

The file name is the `kind` of a run file; `solver(A, b, guess=None)` gives a `Solution` or raises `NotConverged`."""

from .bicgstab import BiCGStab
from .bicgstab_l import BiCGStabL
from .cg import CG
from .fgmres import FGMRES
from .gcr import GCR
from .multishift import MultishiftCG
from .normal import NormalCG
from .refine import Refine
from .schur import Schur
from .solution import NotConverged, Solution

__all__ = ["BiCGStab", "BiCGStabL", "CG", "FGMRES", "GCR", "MultishiftCG", "NormalCG", "Refine", "Schur"]
__all__ += ["NotConverged", "Solution"]
