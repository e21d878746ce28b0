"""Any closed loops as observables."""

from __future__ import annotations

from ..description import description
from ..errors import LqcdError
from ..paths.loops import loop_traces


@description
class Loops:
    """tr(loop)/Nc averaged over the lattice, for loops given by name: {"chair": "+x +y -x +z -y -z"}.

    Columns NAME_re and NAME_im. Raises `LqcdError` for a loop that does not close.
    """

    loops: dict[str, str]

    def on(self, U):
        """The measurement on the gauge field U."""
        if not self.loops:
            raise LqcdError('name at least one loop: loops = { chair = "+x +y -x +z -y -z" }')
        groups = [[text] for text in self.loops.values()]

        def measure():
            values = loop_traces(U, groups)
            columns = {}
            for name, value in zip(self.loops, values):
                columns[f"{name}_re"] = value.real / U.lattice.volume
                columns[f"{name}_im"] = value.imag / U.lattice.volume
            return columns

        return measure
