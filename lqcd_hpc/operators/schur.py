"""The even-odd (Schur) form of an operator: a system on the even sites with the same solution.

D = ( A_ee  D_eo ; D_oe  A_oo )
asymmetric:  S = A_ee - D_eo A_oo^-1 D_oe
symmetric:   S = 1 - A_ee^-1 D_eo A_oo^-1 D_oe
"""

from __future__ import annotations

from ..errors import LqcdError
from .dirac import MASS, NO_TERM, ONE, SiteTerm
from .finish import STORE, Finish
from .operator import LinearOperator

EVEN, ODD = 0, 1


class SchurOperator(LinearOperator):
    """S of an operator that has `site_term`, `inverse_site_term`, `hop`, `on_sites` and `hop_factor`.

    Raises `LqcdError` for another kind, for an operator without these, or if its site term is singular.
    """

    parity = EVEN

    def __init__(self, operator, kind="symmetric"):
        if kind not in ("asymmetric", "symmetric"):
            raise LqcdError(f'even-odd form {kind!r}: choose "asymmetric" or "symmetric"')
        if not hasattr(operator, "hop"):
            raise LqcdError(f"{operator!r} has no even-odd form")
        if any(n % 2 for n in operator.lattice.shape):
            raise LqcdError(f"an even-odd form needs even extents, not {operator.lattice.shape}")
        self.operator, self.form = operator, kind
        self.lattice, self.kind, self.precision = operator.lattice, operator.kind, operator.precision
        operator.inverse_site_term()
        self.hermitian = operator.antihermitian_hop and operator.site_term().mass > 0

    def to(self, precision):
        return SchurOperator(self.operator.to(precision), self.form)

    def launches(self, psi, out, dagger=False, finish=STORE, numbers=None):
        D, c, t = self.operator, self.operator.hop_factor, self.temporary("odd", psi.copies)
        inverse = D.inverse_site_term(dagger)
        if self.form == "asymmetric":
            first = D.hop(psi, t, ODD, dagger, after=inverse, hopping=c)
            own, term, after = psi, D.site_term(dagger), NO_TERM
            return [first, D.hop(t, out, EVEN, dagger, own, term, after, -c, finish, numbers)]
        if not dagger:
            first = D.hop(psi, t, ODD, dagger, after=inverse, hopping=c)
            return [first, D.hop(t, out, EVEN, dagger, psi, ONE, inverse, -c, finish, numbers)]
        s = self.temporary("even", psi.copies)
        turned = D.on_sites(inverse, psi, s, EVEN)
        first = D.hop(s, t, ODD, dagger, after=inverse, hopping=c)
        return [turned, first, D.hop(t, out, EVEN, dagger, psi, ONE, NO_TERM, -c, finish, numbers)]

    # S = shift + B^dag B of an antihermitian hop

    @property
    def shift(self):
        """m (asymmetric) or 1 (symmetric), for the staggered operator."""
        return self.operator.site_term().mass if self.form == "asymmetric" else 1.0

    def factors(self, psi, residual, numbers):
        """Launches for conjugate gradients: the norm of B psi, then r -= numbers[0] (shift + B^dag B) psi."""
        D, t = self.operator, self.temporary("odd", psi.copies)
        mass = D.site_term().mass
        c = D.hop_factor / (mass**0.5 if self.form == "asymmetric" else mass)
        first = [D.hop(psi, t, ODD, hopping=c, finish=Finish(norm=True), numbers=numbers)]
        own = SiteTerm(MASS, self.shift)
        last = Finish(residual=residual)
        return first, [D.hop(t, residual, EVEN, True, psi, own, hopping=c, finish=last, numbers=numbers)]

    # ---- the full system

    def source(self, b, out):
        """The right-hand side of S x_e = b'."""
        for launch in self.source_launches(b, out):
            launch()
        return out

    def source_launches(self, b, out):
        """Launches of out_e = b': b_e - D_eo A_oo^-1 b_o, and A_ee^-1 times that in the symmetric form."""
        D, c, t = self.operator, self.operator.hop_factor, self.temporary("odd", b.copies)
        inverse = D.inverse_site_term()
        first = D.on_sites(inverse, b, t, ODD)
        if self.form == "asymmetric":
            return [first, D.hop(t, out, EVEN, False, b, ONE, hopping=-c)]
        return [first, D.hop(t, out, EVEN, False, b, inverse, inverse, -c)]

    def full_solution(self, x, b):
        """Fill in the odd sites of x: x_o = A_oo^-1 (b_o - D_oe x_e)."""
        for launch in self.full_launches(x, b):
            launch()
        return x

    def full_launches(self, x, b):
        """Launches of x_o = A_oo^-1 (b_o - D_oe x_e)."""
        D, t = self.operator, self.temporary("odd", b.copies)
        inverse = D.inverse_site_term()
        hop = D.hop(x, t, ODD, False, b, inverse, inverse, -self.operator.hop_factor)
        return [hop, D.on_sites(ONE, t, x, ODD)]

    def __repr__(self):
        return f"SchurOperator({self.operator!r}, {self.form!r})"


def even_odd_form(A):
    """The symmetric even-odd form of an operator that has one on its lattice; else the operator."""
    even_odd = hasattr(A, "inverse_site_term") and all(n % 2 == 0 for n in A.lattice.shape)
    return SchurOperator(A) if even_odd else A
