"""Z2 noise: the same on every division of the lattice."""

from __future__ import annotations

from .launch import Kernel, out, prepare


def draw_signs(field, key, first=0):
    """Set every component of every copy to 1 or -1: copy c is noise number first + c of the key.

    >>> from lqcd_hpc import Lattice, Random
    >>> from lqcd_hpc.fields import kinds
    >>> from lqcd_hpc.fields.field import Field
    >>> eta = Field(Lattice((4, 4)), kinds.colour_vectors(1))
    >>> draw_signs(eta, Random(seed=1).key())
    >>> set(eta.to_numpy().real.reshape(-1))
    {np.float64(1.0), np.float64(-1.0)}
    """
    size = field.kind.reals // 2
    kernel = Kernel(
        "sources.h", "z2_noise", (size, field.copies), (out("out"),), scalars=(("key", "RandomKey"), ("first", "i64"))
    )
    prepare(kernel, out=field)(key=key, first=first)
