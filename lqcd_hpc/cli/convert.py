"""`lqcd-hpc convert IN OUT`: a configuration in another format or precision."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SUFFIXES = {
    ".lime": "ildg",
    ".ildg": "ildg",
    ".scidac": "scidac",
    ".nersc": "nersc",
    ".milc": "milc",
    ".txt": "bridgetext",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
}


def convert(
    source: Annotated[str, typer.Argument(metavar="IN", help="A configuration in any format that the package reads.")],
    target: Annotated[str, typer.Argument(metavar="OUT", help="The file to write.")],
    format: Annotated[str, typer.Option(help="Format of OUT, if its suffix does not tell.")] = None,
    shape: Annotated[str, typer.Option(help="Extents X,Y,Z,T for a file that does not state them.")] = None,
    precision: Annotated[str, typer.Option(help="single or double; that of IN if not given.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it exists.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """Write a configuration in another format. IN must pass its checksum; OUT is read back before it gets its
    name.

    The suffix of OUT decides the format: .lime .ildg .scidac .nersc .milc .txt .h5 .hdf5.
    """
    from ..errors import LqcdError
    from ..lattice.communicator import world
    from .configuration import require_shape_option
    from .output import print_json
    from .shape import parse_shape, write_shape

    format = choose_format(target, format)
    try:
        written = convert_file(source, target, format, parse_shape(shape), precision, force)
    except LqcdError as error:
        raise require_shape_option(error) from None
    if world().rank:
        return
    if json:
        keys = ("format", "shape", "group", "precision", "checksum_computed")
        print_json({"file": target, **{key: getattr(written, key) for key in keys}})
    else:
        what = f"{written.format}, {write_shape(written.shape)}, {written.group}, {written.precision}"
        typer.echo(f"{target}: {what}, checksum {written.checksum_computed}")


def choose_format(target, wanted=None):
    """The format asked for, or that of the suffix.

    Raises `LqcdError` if neither tells.

    >>> choose_format("weak.lime")
    'ildg'
    """
    from ..errors import LqcdError
    from ..io import formats

    if wanted:
        return formats.named(wanted).FORMAT
    if format := SUFFIXES.get(Path(target).suffix.lower()):
        return format
    known = ", ".join(sorted(set(SUFFIXES.values())))
    raise LqcdError(f"the name {target} does not tell a format: give --format with one of {known}")


def convert_file(source, target, format, shape=None, precision=None, force=False):
    """Read, check and write; the `Header` of the new file. Collective.

    Raises `LqcdError` for a damaged input, an existing target without `force`, and what the format cannot
    hold.
    """
    from .. import io
    from ..lattice import Lattice
    from .configuration import gauge_field, header_of, observables, open_directions

    lattice = Lattice(header_of(source, shape).shape)
    _refuse_existing(target, force, lattice.comm)
    links, header = io.read_links(source, lattice, shape)
    precision = precision or header.precision
    metadata = dict(header.metadata)
    if format in ("nersc", "hdf5"):  # formats that state the averages of the links
        open_lattice = Lattice(lattice.shape, boundary=open_directions(links, lattice))
        metadata |= {
            key: value for key, value in observables(gauge_field(links, open_lattice)).items() if value is not None
        }
    return io.write_links(target, format, links, lattice, precision=precision, metadata=metadata)


def _refuse_existing(target, force, comm):
    from ..errors import LqcdError
    from ..io.collective import on_root

    def check():
        if not force and Path(target).exists():
            raise LqcdError(f"{target} exists: choose another name, or give --force to replace it")

    on_root(comm, check)
