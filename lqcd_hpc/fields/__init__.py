"""Fields and the launching of kernels on them.

`layout.py` memory order, `kinds.py` what lives on a site, `field.py` fields and their versions, `domain.py`
where kernels act, `launch.py` kernels and launches, `exchange.py` halos on the wire, `sums.py` exact sums,
`random.py` random numbers,
`gauge.py` gauge fields. Imports `lattice` and `backend`."""

from .field import Field
from .random import Random

__all__ = ["Field", "Random"]
