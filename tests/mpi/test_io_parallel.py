"""Every rank reads and writes its own sites; the files and the errors are those of one process."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from lqcd_hpc import Lattice, LqcdError, io
from lqcd_hpc.io import collective, formats
from lqcd_hpc.io.sitefields import SiteArray, read_fields, write_fields
from lqcd_hpc.lattice import world
from lqcd_hpc.lattice.decomposition import grids

SHAPE = (4, 4, 8, 4)
CONFIGS = Path(__file__).parents[2].parent / "shared" / "data" / "configs"
NAMES = {
    "weak_field.lime": None,
    "testconf.txt": (4, 4, 4, 4),
    "lat.sample.l4448": None,
    "lat.sample.l4448.scidac": None,
    "t_nersc.cfg": None,
    "su2_4444_bare.ildg": (4, 4, 4, 4),
}
METADATA = {"plaquette": 0.25, "link_trace": 0.5, "lime": {"scidac-private-record-xml": "<date>then</date>"},
            "milc": {"time_stamp": "then"}}  # fmt: skip
WRITABLE = [name for name in formats.modules() if name != "openqcd"]


@pytest.fixture
def folder():
    """One temporary folder for all ranks."""
    comm = world()
    path = Path(comm.bcast(tempfile.mkdtemp() if comm.rank == 0 else None))
    yield path
    comm.barrier()
    if comm.rank == 0:
        shutil.rmtree(path)


def every_grid(shape):
    return [Lattice(shape, ranks=grid) for grid in grids(shape, world().size)]


def part(links, lattice):
    return np.ascontiguousarray(links[(slice(None), *lattice.slab)])


def random_links(dtype):
    rng = np.random.default_rng(1)
    size = (4, *SHAPE[::-1], 3, 3)
    return (rng.normal(size=size) + 1j * rng.normal(size=size)).astype(dtype)


@pytest.mark.skipif(not CONFIGS.is_dir(), reason=f"gauge configurations are not in {CONFIGS}")
@pytest.mark.parametrize("name", NAMES)
def test_each_rank_reads_its_part(name):
    whole, told = io.read_links(CONFIGS / name, shape=NAMES[name])
    for lattice in every_grid(told.shape):
        links, header = io.read_links(CONFIGS / name, lattice)
        assert header == told
        assert links.tobytes() == part(whole, lattice).tobytes()


@pytest.mark.parametrize("format", WRITABLE)
def test_the_file_is_that_of_one_process(format, folder):
    links = random_links(np.complex64 if format == "milc" else np.complex128)
    comm = world()
    digests = set()
    for lattice in every_grid(SHAPE):
        header = io.write_links(folder / "file", format, part(links, lattice), lattice, metadata=METADATA)
        again, told = io.read_links(folder / "file", lattice)
        assert again.tobytes() == part(links, lattice).tobytes() and told == header
        digests.add(hashlib.md5((folder / "file").read_bytes()).hexdigest())
        comm.barrier()
    if comm.rank == 0:
        io.write_links(folder / "one", format, links, io.Slab.whole(SHAPE), metadata=METADATA)
        digests.add(hashlib.md5((folder / "one").read_bytes()).hexdigest())
    comm.barrier()
    assert len(digests) == 1
    assert not (folder / "file.part").exists()


def test_written_on_one_grid_and_read_on_another(folder):
    values = np.arange(np.prod(SHAPE) * 6.0).reshape(2, *SHAPE[::-1], 3)
    first, last = every_grid(SHAPE)[0], every_grid(SHAPE)[-1]
    write_fields(folder / "f.h5", first, {"x": SiteArray(part(values, first), 1)}, {"step": 3})
    fields, metadata = read_fields(folder / "f.h5", last)
    assert (fields["x"].values == part(values, last)).all() and metadata == {"step": 3}


def test_an_error_on_one_rank_is_raised_on_all():
    comm = world()

    def fail(rank):
        if comm.rank == rank:
            raise FileNotFoundError(2, "No such file or directory", "x.cfg")

    for rank in range(comm.size):
        with pytest.raises(LqcdError, match="x.cfg: No such file"):
            collective.everywhere(comm, lambda rank=rank: fail(rank))
    with pytest.raises(LqcdError, match="x.cfg"):
        collective.on_root(comm, lambda: fail(0))


@pytest.mark.parametrize("format", WRITABLE)
def test_failures_are_raised_on_every_rank(format, folder):
    lattice, comm = every_grid(SHAPE)[0], world()
    links = part(random_links(np.complex64 if format == "milc" else np.complex128), lattice)
    with pytest.raises(LqcdError, match="check the path"):
        io.write_links(folder / "none" / "file", format, links, lattice, metadata=METADATA)
    io.write_links(folder / "file", format, links, lattice, metadata=METADATA)
    if comm.rank == 0:
        raw = (folder / "file").read_bytes()
        (folder / "file").write_bytes(raw[: len(raw) // 2])
    comm.barrier()
    with pytest.raises(LqcdError):
        io.read_links(folder / "file", lattice)
    assert not [name for name in os.listdir(folder) if name.endswith(".part")]


def test_a_field_that_is_wrong_on_the_last_rank_only(folder):
    lattice, comm = every_grid(SHAPE)[0], world()
    values = np.zeros(lattice.local_shape[::-1])
    if comm.rank == comm.size - 1:
        values = values[1:]
    with pytest.raises(LqcdError, match="site axes"):
        write_fields(folder / "f.h5", lattice, {"x": SiteArray(values)})
    links = np.zeros((4, *lattice.local_shape[::-1], 3, 3), np.complex128 if comm.rank else np.float64)
    with pytest.raises(LqcdError, match="float64"):
        io.write_links(folder / "file", "ildg", links, lattice)


@pytest.mark.skipif(not CONFIGS.is_dir(), reason=f"gauge configurations are not in {CONFIGS}")
def test_damage_seen_by_one_rank_is_refused_by_all(folder):
    comm, lattice = world(), every_grid((4, 4, 4, 8))[0]
    if comm.rank == 0:
        raw = bytearray((CONFIGS / "weak_field.lime").read_bytes())
        raw[-1000] ^= 1
        (folder / "bad").write_bytes(raw)
    comm.barrier()
    with pytest.raises(LqcdError, match="damaged"):
        io.read_links(folder / "bad", lattice)
