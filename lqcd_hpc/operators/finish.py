"""What a kernel does with the vector it has made: store it, sum over it, or subtract it from a residual at once."""

from __future__ import annotations

from dataclasses import dataclass

from ..fields.field import Field
from ..fields.launch import Kernel, in_, inout, out, prepare

_NORM, _DOT, _SUBTRACT, _SHIFT = 1, 2, 4, 8  # kernels/finish.h


@dataclass
class Finish:
    """norm: the sum |q|^2; dot: the sums Re, Im of <left, q>; shift: q + shift left in the place of q;
    residual: r <- r - numbers[0] q and the sum |r|^2, q itself is not stored.
    """

    norm: bool = False
    dot: bool = False
    left: Field | None = None
    shift: float = 0.0
    residual: Field | None = None

    @property
    def flags(self):
        return (
            _NORM * self.norm | _DOT * self.dot | _SUBTRACT * (self.residual is not None) | _SHIFT * (self.shift != 0)
        )

    @property
    def arguments(self):
        target = [inout("r")] if self.residual is not None else [out("out")]
        return (*target, *([in_("left")] if self._reads_left else []))

    @property
    def _reads_left(self):
        return self.dot or self.shift != 0

    def fields(self, target):
        """The fields of `arguments`, where the vector goes to `target` if it is stored."""
        named = {"r": self.residual} if self.residual is not None else {"out": target}
        return named | ({"left": self.left} if self._reads_left else {})

    def sums(self, copies):
        """Names of the sums, one per copy."""
        names = ["norm"] * (self.norm or self.residual is not None) + ["re", "im"] * self.dot
        return per_copy(names, copies)

    def launch(self, vector, out, domain, numbers=None):
        """The launch that ends a vector which is there already."""
        size, copies = vector.kind.reals // 2, vector.copies
        scalars = (("own_mass", "double"), *self.scalars)
        arguments = (in_("psi"), *self.arguments)
        kernel = Kernel(
            "staggered.h", "scaled", (size, copies, self.flags), arguments, scalars=scalars, sums=self.sums(copies)
        )
        launch = prepare(kernel, domain, numbers=numbers, psi=vector, **self.fields(out))
        return launch.set(own_mass=1.0, **self.values)

    @property
    def scalars(self):
        return (("shift", "double"),) if self.shift != 0 else ()

    @property
    def values(self):
        return {"shift": self.shift} if self.shift != 0 else {}


STORE = Finish()


def per_copy(names, copies):
    """Names of sums of every copy, as kernels/finish.h counts them.

    >>> per_copy(["norm"], 2)
    ('norm0', 'norm1')
    """
    return tuple(f"{name}{copy}" for name in names for copy in range(copies))
