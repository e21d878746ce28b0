"""The clover operator (Sheikholeslami and Wohlert, Nucl. Phys. B 259 (1985) 572), also in its exponential form."""

from __future__ import annotations

from functools import partial

import numpy as np
from pydantic import model_validator

from ..description import description
from ..errors import LqcdError
from ..fields.field import Field
from ..fields.kinds import Kind
from ..fields.launch import Kernel, in_, out, prepare
from ..lattice.displacements import clover as clover_displacements
from .derived import derived
from .dirac import FULL, PACKED, DiracOperator, SiteTerm
from .wilson_description import WilsonDescription


@description
class Clover(WilsonDescription):
    """D = D_Wilson + C,  C = -(1/2) sum_{mu<nu} c_{mu nu} sigma_{mu nu} F_{mu nu}.

    c = csw_t for planes with the last direction, csw_r for the others; csw sets both. F is the clover field strength
    (docs/conventions.md). `exponential`: a exp(C/a) in the place of a + C, a = m0 + sum_mu c_mu (arXiv:1911.04533).

    >>> Clover(kappa=0.135, csw=1.5, boundary=(1, 1, 1, -1)).coefficients
    (1.5, 1.5)
    """

    csw: float | None = None
    csw_r: float | None = None
    csw_t: float | None = None
    exponential: bool = False

    @model_validator(mode="after")
    def _one_csw(self):
        if (self.csw is None) == (self.csw_r is None and self.csw_t is None):
            raise ValueError("give either csw, or csw_r and csw_t")
        if self.csw is None and (self.csw_r is None or self.csw_t is None):
            raise ValueError("csw_r and csw_t come together")
        return self

    @property
    def coefficients(self):
        """csw_r, csw_t."""
        return (self.csw, self.csw) if self.csw is not None else (self.csw_r, self.csw_t)

    def on(self, U):
        """The operator on the gauge field U."""
        return CloverOperator(self, U)


class CloverOperator(DiracOperator):
    """The operator of a `Clover` description. Raises `LqcdError` if an exponential form has m0 + d = 0."""

    twisted = 0.0

    def __init__(self, description, U, precision=None, storage=None):
        super().__init__(description, U, precision, storage)
        self.diagonal = description.diagonal(U.lattice.ndim)
        if description.exponential and self.diagonal == 0:
            raise LqcdError(f"{description}: the exponential clover term needs m0 + d != 0")

    def site_term(self, dagger=False):
        return SiteTerm(PACKED, blocks=self._in_precision("term", self._term))

    def inverse_site_term(self, dagger=False):
        return SiteTerm(PACKED, blocks=self._in_precision("inverse", self._inverse))

    def _in_precision(self, name, make):
        """Blocks of this operator, kept with the gauge field until it changes."""
        return derived(self.U, ("clover", name, self._key), self.precision, make)

    @property
    def _key(self):
        return (*self.description.coefficients, self.diagonal, getattr(self.description, "exponential", False))

    @property
    def _block(self):
        """Rows of a block: half the spins times colours."""
        return self.kind.shape[0] // 2 * self.kind.nc

    def _blocks(self, number=PACKED):
        reals = 2 * self._block**2 * (2 if number == FULL else 1)
        return Field(self.lattice, Kind("clover blocks", 1, (reals,), "real", "blocks", self.kind.nc), self.U.precision)

    @property
    def _sizes(self):
        return self.kind.nc, self.lattice.ndim

    def _linear(self):
        """a + C."""
        csw_r, csw_t = self.description.coefficients
        reach = clover_displacements(self.lattice.ndim)
        scalars = tuple((name, "double") for name in ("mass", "csw_r", "csw_t"))
        arguments = in_("U", reach), out("blocks")
        kernel = Kernel("clover.h", "clover_blocks", self._sizes, arguments, reach, scalars)
        blocks = self._blocks()
        prepare(kernel, U=self.U, blocks=blocks)(mass=self.diagonal, csw_r=csw_r, csw_t=csw_t)
        return blocks

    def _exponential(self, sign):
        """a exp(C/a), or its inverse exp(-C/a)/a."""
        scalars = tuple((name, "double") for name in ("mass", "sign", "prefactor"))
        kernel = Kernel("clover.h", "exponentiate_blocks", self._sizes, (in_("blocks"), out("out")), scalars=scalars)
        result = self._blocks()
        a = self.diagonal
        launch = prepare(kernel, blocks=self._linear(), out=result)
        launch(mass=a, sign=float(sign), prefactor=a if sign > 0 else 1 / a)
        return result

    def _term(self):
        return self._exponential(1) if self.description.exponential else self._linear()

    def _inverse(self):
        return self._exponential(-1) if self.description.exponential else self._inverted(0.0)

    def _inverted(self, twist):
        """(blocks + i twist gamma5)^-1. Raises `LqcdError` if a block is singular."""
        number = FULL if twist else PACKED
        kernel = Kernel(
            "clover.h", "invert_blocks", (*self._sizes, int(twist != 0)), (in_("blocks"), out("out")),
            scalars=(("twist", "double"),), sums=("singular",),
        )  # fmt: skip
        result = self._blocks(number)
        bad = np.sum(prepare(kernel, blocks=self._term(), out=result)(twist=twist)["singular"])
        if bad != 0:
            raise LqcdError(
                f"{self.description}: the clover block is singular on {bad:g} sites; choose another mass or csw"
            )
        return result


def twisted_inverse(operator, twist):
    """The inverse of an operator's blocks + i twist gamma5, in its precision."""
    return operator._in_precision(("inverse", twist), partial(operator._inverted, twist))
