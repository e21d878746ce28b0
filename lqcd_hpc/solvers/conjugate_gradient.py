"""The iteration of conjugate gradients (Hestenes and Stiefel, J. Res. NBS 49 (1952) 409) for A Hermitian and positive.

Two operators' halves and one vector update per iteration; its numbers stay where the kernels are (kernels/krylov.h).
Where A = shift + B^dag B, <p, A p> is the norm of B p, and the residual is updated by the kernel that ends A:
seven vector transfers besides the operator (r twice, x twice, p twice, r), eight where A is just any operator.
"""

from __future__ import annotations

import numpy as np

from ..fields.launch import Kernel, Sequence, in_, inout, prepare
from ..fields.numbers import Numbers, Step
from ..operators.finish import Finish, per_copy

ALPHA, BETA, KEEP, RESIDUAL, TARGET, COUNT, CURVATURE, NORM_P, HISTORY = range(9)  # kernels/krylov.h


class ConjugateGradient:
    """Iterations on x and r = b - A x of every right-hand side and replica, from `begin` on.

    `limit` : most iterations; `sequence` : one iteration, run n times without the host by `sequence(n)`
    """

    def __init__(self, A, x, r, limit):
        self.A, self.x, self.r, self.limit = A, x, r, limit
        self.p = A.vector(x.copies)
        self.numbers = Numbers(A.lattice, x.copies, HISTORY + 1 + limit + self._more_names(), sums=2)
        self._size = A.kind.reals // 2
        shift = getattr(A, "shift", 0.0) if hasattr(A, "factors") else 0.0
        gradient, descent = self._factored(limit, shift) if hasattr(A, "factors") else self._plain(limit)
        advance = self._vectors("advance", (int(shift != 0),), inout("x"), inout("p"), in_("r"), norm=shift != 0)
        norm = [Step(self.numbers, "cg_norm", advance)] if shift else []
        self.sequence = Sequence([*gradient, *descent, *self._more_launches(), advance, *norm])
        self._advance = Sequence([advance, *norm])

    def _more_names(self):
        """Numbers of an extended iteration."""
        return 0

    def _more_launches(self):
        """What an extended iteration does between the new residual and the new direction."""
        return []

    def _factored(self, limit, shift):
        first, second = self.A.factors(self.p, self.r, self.numbers)
        alpha = Step(self.numbers, "cg_alpha", first[-1], shift=shift, limit=limit)
        return [*first, alpha], [*second, Step(self.numbers, "cg_beta", second[-1])]

    def _plain(self, limit):
        self.q = self.A.vector(self.x.copies)
        first = self.A.launches(self.p, self.q, finish=Finish(dot=True, left=self.p), numbers=self.numbers)
        descend = self._vectors("descend", (), inout("r"), in_("q"), norm=True)
        alpha = Step(self.numbers, "cg_alpha", first[-1], limit=limit)
        return [*first, alpha], [descend, Step(self.numbers, "cg_beta", descend)]

    def _vectors(self, function, constants, *arguments, norm):
        sums = per_copy(["norm"], self.x.copies) if norm else ()
        kernel = Kernel("linalg.h", function, (self._size, self.x.copies, *constants), arguments, sums=sums)
        fields = {a.name: getattr(self, a.name) for a in arguments}
        return prepare(kernel, self.A.domain, numbers=self.numbers, **fields)

    def begin(self, norms, targets):
        """Start with p = r, |r|^2 = norms; iterate until |r|^2 <= targets."""
        for name, value in ((ALPHA, 0.0), (BETA, 0.0), (KEEP, 1.0)):
            self.numbers.write(name, value)
        self._advance()
        self.go_on(norms, targets)

    def go_on(self, norms, targets):
        """r was replaced by a better one with |r|^2 = norms; p stays."""
        self.numbers.write(RESIDUAL, norms)
        self.numbers.write(TARGET, targets)

    def run(self, report):
        """Iterate until every system has its target, or the limit.

        `report(numbers)` sees them now and then, and ends it by returning True.
        """
        count, before = 1, None
        while True:
            self.sequence(count)
            values = self.numbers.read()
            if report(values) or not self._active(values).any():
                return values
            count = self._guess(values, before)
            before = values

    def _active(self, values):
        """Systems that go on: a step of zero tells that one is done, has its limit, or lost positivity."""
        return (values[ALPHA] != 0) & (values[RESIDUAL] > values[TARGET])

    def _guess(self, values, before):
        """Iterations to the next look: half of what the rate of convergence promises, at most 32."""
        active = self._active(values)
        if before is None:
            return 4
        done = values[COUNT][active] - before[COUNT][active]
        rate = np.log(before[RESIDUAL][active] / values[RESIDUAL][active]) / np.maximum(done, 1)
        way = np.log(values[RESIDUAL][active] / np.maximum(values[TARGET][active], 1e-300))
        return int(np.clip((way / np.maximum(rate, 1e-3)).max() / 2, 1, 32))
