"""The cheapest smoother: a polynomial of D whose coefficients are learnt, at the price of applications of D."""

from __future__ import annotations

import torch
from pydantic import Field

from ...description import description
from ...errors import LqcdError
from ...fields.launch import Sequence
from ...operators.inverse_polynomial import InversePolynomial
from ..bridge import slots
from ..layers.path_convolution import add_scaled, fill
from .lesson import Lesson

MOST = 8  # kernels/linalg.h superposes one vector more


@description
class Polynomial:
    """M = sum_k c_k (1 - S)^k on even sites, S the even-odd form of D; the odd sites follow exactly.

    degree : the highest power; an application of M costs about degree + 1 of D

    Chains of convolutions with paths of one hop contain polynomials of D; here D itself is the layer, by its own fast
    kernel, and the c_k, real for D^dag = gamma5 D gamma5, are all that is learnt. They begin with 1, the Neumann
    series. No sum over the lattice is taken when it is used, unlike in a relaxation.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.1, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> Polynomial(degree=3).on(D).coefficients.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    degree: int = Field(ge=0, le=MOST)

    def on(self, D):
        """The network for operators like D, on any lattice."""
        return PolynomialNetwork(self)


class PolynomialNetwork(torch.nn.Module):
    """The coefficients of a `Polynomial`."""

    def __init__(self, description):
        super().__init__()
        self.description = description
        self.coefficients = torch.nn.Parameter(torch.ones(description.degree + 1, dtype=torch.float64))

    def lessons(self, D):
        """What is to be learnt on D."""
        return [Lesson(self, D)]

    def kernels(self, D):
        """M by kernels, with the coefficients as they are now."""
        return InversePolynomial(D, self.coefficients.tolist())

    def works(self, D, copies):
        """What `forward` needs on the gauge field of D for so many right-hand sides."""
        return Terms(self.kernels(D), copies)

    def forward(self, x, works):
        """M x of slots. Raises `LqcdError` if x is to be differentiated."""
        if x.requires_grad:
            raise LqcdError("a learned polynomial is differentiated with respect to its coefficients only")
        y, terms = works(x)
        for c, term in zip(self.coefficients, terms):
            y = add_scaled(y, c, term, works.comm)
        return y


class Terms:
    """What the coefficients of an `InversePolynomial` multiply, as slots."""

    def __init__(self, A, copies):
        self.comm, self.source = A.lattice.comm, A.vector(copies)
        self.rest, first = A.rest(self.source)
        self.terms, launches = A.terms(self.source, len(A.coefficients))
        self._make = Sequence([*first, *launches])

    def __call__(self, x):
        """(what no coefficient multiplies, [the other terms])."""
        fill(self.source, x)
        self._make()
        return slots(self.rest).clone(), [slots(term).clone() for term in self.terms]
