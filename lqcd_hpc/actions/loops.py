"""A gauge action of any closed loops, written in the run file."""

from __future__ import annotations

from ..description import description
from ..errors import LqcdError
from ..paths.path import check_loop, parse
from .gauge_description import GaugeDescription


@description
class Loops(GaugeDescription):
    """S = beta sum_loops c sum_x (1 - Re tr W(x)/Nc) for loops given as text.

    >>> Loops(beta=2.0, terms=[("+x +y -x -y", 1.0)]).loops(2)
    [((1, 2, -1, -2), 1.0)]
    """

    beta: float
    terms: list[tuple[str, float]]

    def loops(self, ndim):
        """The loops as paths; raises `LqcdError` for one that does not close."""
        if not self.terms:
            raise LqcdError('an action of loops needs at least one: terms = [["+x +y -x -y", 1.0]]')
        return [(check_loop(parse(text), ndim), c) for text, c in self.terms]
