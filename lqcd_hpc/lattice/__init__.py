"""Geometry and processes: `lattice.py` (extents, this rank's part), `decomposition.py` (rank grids),
`communicator.py` (MPI behind a small interface), `halo.py` (where ghost sites come from). Imports `backend` only."""

from .communicator import MpiCommunicator, SerialCommunicator, world
from .lattice import Lattice

__all__ = ["Lattice", "MpiCommunicator", "SerialCommunicator", "world"]
