"""The gradient flow dV/dt = Z(V) V of a gauge action (M. Luescher, arXiv:1006.4518)."""

from __future__ import annotations

from ..fields import kinds
from ..fields.launch import Kernel, Sequence, in_, inout, prepare

# Luescher's third-order scheme (1006.4518, appendix C.2): Y <- a Y + b Z(V), V <- exp(eps Y) V
RUNGE_KUTTA = ((0.0, 1 / 4), (-17 / 9, 8 / 9), (-1.0, 3 / 4))
EULER = ((0.0, 1.0),)
SCHEMES = {"rk3": RUNGE_KUTTA, "euler": EULER}


class GradientFlow:
    """Flows a gauge field in place in steps of size `eps`.

    Z = -TA(V_mu(x) Staple_mu(x)) with the staple of sum c Re tr W over the loops of the action (for the Wilson
    action the gradient of g0^2 S_W), TA(X) = traceless (X - X^dag)/2. The error of a flow to fixed time is of order
    eps^3 ("rk3").

    action : an action on V (its beta does not matter); scheme : "rk3" or "euler"
    """

    def __init__(self, action, eps, scheme="rk3"):
        V = action.U
        nc, ndim = V.kind.nc, V.lattice.ndim
        Y = V.like(kinds.algebra(nc, ndim))
        launches = []
        for keep, weight in SCHEMES[scheme]:
            gradient = [launch.again() for launch in action.gradient_launches(Y)]
            gradient[-1].set(keep=keep, weight=-weight)
            launches += [*gradient, prepare(exponential_kernel(nc, ndim), U=V, P=Y).set(eps=eps)]
        self._step = Sequence(launches)

    def advance(self, steps=1):
        """Take some steps."""
        self._step(steps)


def exponential_kernel(nc, ndim):
    """U_mu <- exp(i eps P_mu) U_mu."""
    args = (inout("U"), in_("P"))
    return Kernel("exponential.h", "exponential_update", (nc, ndim), args, scalars=(("eps", "double"),))
