"""Dirac operators and the covariant Laplacian: one file per operator, one kernel source for CPU and GPU.

The file name is the `kind` of a run file; `description.on(U)` gives the operator (`operator.py` has its contract)."""

from .clover import Clover
from .laplace import Laplace
from .staggered import Staggered
from .twisted_clover import TwistedClover
from .twisted_mass import TwistedMass
from .wilson import Wilson

__all__ = ["Clover", "Laplace", "Staggered", "TwistedClover", "TwistedMass", "Wilson"]
