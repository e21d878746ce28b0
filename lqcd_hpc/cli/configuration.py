"""A configuration file on the lattice of the job: its links, its header, and the numbers that identify it."""

from __future__ import annotations

from ..errors import LqcdError


def read_configuration(path, shape=None, verify=True):
    """(U, header, open directions) of a file: the links in double precision on a lattice of the file's shape.

    A direction is open if all its links on the last slice are zero. Collective over the ranks of the job.
    Raises `LqcdError` for what cannot be read, and for a shape that the ranks of the job cannot divide.
    """
    from .. import io
    from ..lattice import Lattice

    stated = header_of(path, shape)
    lattice = Lattice(stated.shape)
    links, header = io.read_links(path, lattice, stated.shape, verify)
    boundary = open_directions(links, lattice)
    if "open" in boundary:
        lattice = Lattice(stated.shape, boundary=boundary)
    return gauge_field(links, lattice), header


def header_of(path, shape=None):
    """The header of a file, read by one rank for all of them."""
    from .. import io
    from ..io.collective import on_root
    from ..lattice.communicator import world

    return on_root(world(), lambda: io.inspect_header(path, shape))


def open_directions(links, lattice):
    """The boundary that links tell: "open" where every link that would leave the lattice is zero."""
    import numpy as np

    found = []
    for mu in range(lattice.ndim):
        last = lattice.rank_coords[mu] == lattice.ranks[mu] - 1
        ends = np.take(links[mu], -1, axis=lattice.ndim - 1 - mu)
        present = int(last and bool((ends != 0).any()))
        found.append("periodic" if lattice.comm.allreduce(present, "max") else "open")
    return tuple(found)


def gauge_field(links, lattice):
    """The links as a `Field` in double precision."""
    from ..fields import Field, kinds

    return Field(lattice, kinds.links(links.shape[-1], lattice.ndim)).from_numpy(links)


def observables(U):
    """plaquette, plaquette_ss, plaquette_st (None in 2 dimensions) and link_trace of a gauge field."""
    from ..fields import gauge
    from ..measurements.plaquette import Plaquette

    values = {"plaquette_ss": None, "plaquette_st": None} | Plaquette().on(U)()
    values = {key: values[key] for key in ("plaquette", "plaquette_ss", "plaquette_st")}
    return {**values, "link_trace": float(gauge.link_trace(U))}


def group_defects(U):
    """How far links are from the group: not finite, zero without reason (counts), |U U^dag - 1|, |det U - 1|
    (largest).
    """
    import numpy as np

    u, comm = U.to_numpy(), U.lattice.comm
    finite = np.isfinite(u).all(axis=(-1, -2))
    zero = (u == 0).all(axis=(-1, -2))
    u = np.where((finite & ~zero)[..., None, None], u, np.eye(U.kind.nc))
    unitarity = np.abs(u @ np.conj(np.swapaxes(u, -1, -2)) - np.eye(U.kind.nc)).max()
    determinant = np.abs(np.linalg.det(u) - 1).max() if U.kind.nc > 1 else 0.0
    return {
        "not_finite": comm.allreduce(int((~finite).sum())),
        "zero": comm.allreduce(int(zero.sum())) - _absent(U.lattice),
        "unitarity": comm.allreduce(float(unitarity), "max"),
        "determinant": comm.allreduce(float(determinant), "max"),
    }


def _absent(lattice):
    """Links beyond open ends, which are zero."""
    from ..fields.gauge import number_of_links

    return lattice.volume * lattice.ndim - number_of_links(lattice)


def require_shape_option(error):
    """The message of a missing shape, with the option that gives it."""
    text = str(error)
    return LqcdError(f"{text} (--shape X,Y,Z,T)") if "give the lattice shape" in text else error
