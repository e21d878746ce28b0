"""Files: gauge configurations in the formats of the community and in our own HDF5, and fields for
checkpoints.

`sniff`, `inspect_header`, `read_links` and `write_links` (in `files.py`) are all that most callers need. One
file per format (`ildg`, `scidac`, `nersc`, `milc`, `bridgetext`, `hdf5`, `openqcd`); a format exists because
its file does, see `formats.py`. Arrays are this rank's part of the links, `(mu, t, z, y, x, Nc, Nc)`; every
rank reads and writes only its own sites (`sites.py`, `slab.py`), checksums are combined over ranks
(`checksum.py`), an error on one rank is raised on all (`collective.py`), and a file appears under its name
only when it is whole and was read back (`atomic.py`). Imports `lattice` only.
"""

from .files import inspect_header, read_links, sniff, write_links
from .header import Header
from .slab import Slab

__all__ = ["Header", "Slab", "inspect_header", "read_links", "sniff", "write_links"]
