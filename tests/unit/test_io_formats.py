"""What every format must do with any links: keep the bits, refuse damage, and never leave half a file."""

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from lqcd_hpc import LqcdError, io
from lqcd_hpc.io import atomic, formats

SHAPE = (2, 4, 6, 3)
METADATA = {"plaquette": 0.1234567890123, "link_trace": -0.5}
WRITABLE = [name for name in formats.modules() if name != "openqcd"]
SINGLE_ONLY, DOUBLE_ONLY = {"milc"}, {"bridgetext"}
NO_CHECKSUM = {"bridgetext"}


def random_links(shape=SHAPE, nc=3, seed=1, dtype=np.complex128):
    rng = np.random.default_rng(seed)
    size = (len(shape), *shape[::-1], nc, nc)
    return (rng.normal(size=size) + 1j * rng.normal(size=size)).astype(dtype)


def dtypes(format):
    return [np.complex64] * (format not in DOUBLE_ONLY) + [np.complex128] * (format not in SINGLE_ONLY)


CASES = [(format, dtype) for format in WRITABLE for dtype in dtypes(format)]


def write(path, format, links):
    shape = links.shape[-3:0:-1][: links.shape[0]]
    return io.write_links(path, format, links, io.Slab.whole(shape), metadata=METADATA)


def fitting(format):
    """Links of the one precision in which a format is tested for faults."""
    return random_links(dtype=dtypes(format)[0])


def test_the_formats_are_the_files_of_the_folder():
    assert set(formats.modules()) >= {"bridgetext", "hdf5", "ildg", "milc", "nersc", "openqcd", "scidac"}
    for module in formats.modules().values():
        assert all(callable(getattr(module, name)) for name in ("matches", "header", "read", "write"))


@pytest.mark.parametrize("format, dtype", CASES)
def test_every_bit_comes_back(format, dtype, tmp_path):
    links = random_links(dtype=dtype)
    links[0, 0, 0, 0, 0, 0, 0] = complex(-0.0, 5e-310 if dtype == np.complex128 else 1e-42)
    written = write(tmp_path / "file", format, links)
    assert io.sniff(tmp_path / "file") == format
    again, header = io.read_links(tmp_path / "file", shape=SHAPE)
    assert again.dtype == links.dtype and again.tobytes() == links.tobytes()
    assert header == written and header.shape == SHAPE
    assert header.checksum_stored == (None if format in NO_CHECKSUM else header.checksum_computed)


@pytest.mark.parametrize("format", ["nersc", "hdf5"])
def test_plaquette_and_link_trace_come_back(format, tmp_path):
    header = write(tmp_path / "file", format, fitting(format))
    assert header.metadata["plaquette"] == pytest.approx(METADATA["plaquette"], abs=1e-10)
    assert header.metadata["link_trace"] == METADATA["link_trace"]


@pytest.mark.parametrize("nc", [1, 2, 4, 6])
@pytest.mark.parametrize("format", ["ildg", "scidac", "hdf5", "nersc", "bridgetext"])
def test_other_groups(format, nc, tmp_path):
    links = random_links(nc=nc)
    header = write(tmp_path / "file", format, links)
    assert header.nc == nc and header.group == ("U(1)" if nc == 1 else f"SU({nc})")
    assert io.read_links(tmp_path / "file", shape=SHAPE)[0].tobytes() == links.tobytes()


@pytest.mark.parametrize("shape", [(4, 6), (3, 2, 5)])
@pytest.mark.parametrize("format", ["scidac", "hdf5"])
def test_two_and_three_dimensions(format, shape, tmp_path):
    links = random_links(shape, nc=2)
    assert write(tmp_path / "file", format, links).shape == shape
    assert io.read_links(tmp_path / "file")[0].tobytes() == links.tobytes()


@pytest.mark.parametrize("format", ["ildg", "nersc", "milc", "bridgetext"])
def test_formats_of_four_dimensions_say_so(format, tmp_path):
    with pytest.raises(LqcdError, match="4 dimensions"):
        write(tmp_path / "file", format, random_links((4, 6)))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("format", [name for name in WRITABLE if name not in NO_CHECKSUM])
def test_every_byte_that_is_flipped_is_noticed_or_harmless(format, tmp_path):
    links = fitting(format)
    header = write(tmp_path / "file", format, links)
    raw = (tmp_path / "file").read_bytes()
    rng = np.random.default_rng(3)
    places = [*range(0, 64, 5), *rng.integers(0, len(raw), 150)]
    for place in places:
        bad = bytearray(raw)
        bad[place] ^= 1 << (place % 8)
        (tmp_path / "bad").write_bytes(bad)
        try:
            again, told = io.read_links(tmp_path / "bad")
        except LqcdError:
            continue
        assert again.tobytes() == links.tobytes() and told.shape == header.shape, place


@pytest.mark.parametrize("format", WRITABLE)
def test_every_cut_is_noticed(format, tmp_path):
    write(tmp_path / "file", format, fitting(format))
    raw = (tmp_path / "file").read_bytes()
    for length in [0, 1, 10, 100, 1000, len(raw) // 2, len(raw) - 1000, len(raw) - 25]:
        (tmp_path / "bad").write_bytes(raw[:length])
        with pytest.raises(LqcdError):
            io.read_links(tmp_path / "bad", shape=SHAPE)


@pytest.mark.parametrize("format", WRITABLE)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(format, tmp_path):
    links = fitting(format)
    write(tmp_path / "file", format, links)
    before = (tmp_path / "file").read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, old[1]))
    try:
        with pytest.raises(LqcdError, match="size limit"):
            write(tmp_path / "file", format, 2 * links)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert os.listdir(tmp_path) == ["file"] and (tmp_path / "file").read_bytes() == before


@pytest.mark.parametrize("format", WRITABLE)
def test_a_path_that_cannot_be_written_is_named(format, tmp_path):
    (tmp_path / "plain").write_text("x")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "none" / "file", tmp_path / "plain" / "file", tmp_path / "folder"):
        with pytest.raises(LqcdError, match=path.name):
            write(path, format, fitting(format))
    assert sorted(os.listdir(tmp_path)) == ["folder", "plain"]


@pytest.mark.parametrize("format", WRITABLE)
def test_what_the_disk_changed_is_not_kept(format, tmp_path, monkeypatch):
    spoiled = []

    def spoil(path, header):
        raw = bytearray(path.read_bytes())
        place = raw.index(b"0.", header.offset + 200) + 3 if format == "bridgetext" else len(raw) * 2 // 3
        raw[place] = ord("7") if raw[place] == ord("1") else ord("1")
        path.write_bytes(raw)
        spoiled.append(path)

    module = formats.named(format)
    original = module.write

    def write_and_spoil(path, *rest):
        result = original(path, *rest)
        spoil(path, module.header(path, SHAPE))
        return result

    monkeypatch.setattr(module, "write", write_and_spoil)
    with pytest.raises(LqcdError):
        write(tmp_path / "file", format, fitting(format))
    assert spoiled and os.listdir(tmp_path) == []


def test_a_kill_during_the_write_leaves_the_old_file(tmp_path):
    links = random_links()
    write(tmp_path / "file", "ildg", links)
    script = """
        import os, signal, sys
        import numpy as np
        from lqcd_hpc import io
        from lqcd_hpc.io import sites
        frame = sites._frame
        def die(*rest):
            frame(*rest)
            os.kill(os.getpid(), signal.SIGKILL)
        sites._frame = die
        links, header = io.read_links(sys.argv[1])
        io.write_links(sys.argv[1], "ildg", 2 * links, io.Slab.whole(header.shape))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "file")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(command, env=environment).returncode == -signal.SIGKILL
    assert sorted(os.listdir(tmp_path)) == ["file", "file.part"]
    assert io.read_links(tmp_path / "file")[0].tobytes() == links.tobytes()
    write(tmp_path / "file", "ildg", 2 * links)
    assert os.listdir(tmp_path) == ["file"]


def test_an_interrupt_removes_the_temporary_file(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt),
        atomic.replacing(tmp_path / "x", io.Slab.whole((2, 2)).comm) as part,
    ):
        part.write_text("half")
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    [b"", b"hello\nworld\n", b"\x45\x67\x89\xab", b"BEGIN_HEADER\n", b"\x89HDF\r\n\x1a\n", b"\0" * 5000],
)
def test_nonsense_is_refused(text, tmp_path):
    (tmp_path / "file").write_bytes(text)
    with pytest.raises(LqcdError, match="file"):
        io.read_links(tmp_path / "file", shape=SHAPE)


def test_a_header_that_promises_too_much_is_refused_before_memory_is_taken(tmp_path):
    write(tmp_path / "file", "milc", fitting("milc"))
    raw = bytearray((tmp_path / "file").read_bytes())
    raw[4:20] = np.array([20000] * 4, "<i4").tobytes()
    (tmp_path / "file").write_bytes(raw)
    with pytest.raises(LqcdError, match="truncated"):
        io.read_links(tmp_path / "file")


def test_messages_for_wrong_arguments(tmp_path):
    links, slab = random_links(), io.Slab.whole(SHAPE)
    with pytest.raises(LqcdError, match="choose one of.*ildg"):
        io.write_links(tmp_path / "x", "ilgd", links, slab)
    with pytest.raises(LqcdError, match="single"):
        io.write_links(tmp_path / "x", "milc", links, slab)
    with pytest.raises(LqcdError, match="plaquette and link_trace"):
        io.write_links(tmp_path / "x", "nersc", links, slab)
    with pytest.raises(LqcdError, match="do not fit"):
        io.write_links(tmp_path / "x", "ildg", links[:, 1:], slab)
    with pytest.raises(LqcdError, match="precision"):
        io.write_links(tmp_path / "x", "ildg", links, slab, precision="half")
    with pytest.raises(LqcdError, match="check the path"):
        io.sniff(tmp_path / "none")
    with pytest.raises(LqcdError, match="check the path"):
        io.read_links(tmp_path / "none")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("format", WRITABLE)
def test_a_full_device_is_named_before_data_are_written(format, tmp_path, monkeypatch):
    def full(handle, offset, size):
        assert size > 8000
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(LqcdError, match="file.part: No space left on device; free some space"):
        write(tmp_path / "file", format, fitting(format))
    assert os.listdir(tmp_path) == []


def test_hdf5_files_of_equal_content_have_equal_bytes(tmp_path):
    write(tmp_path / "a", "hdf5", random_links())
    time.sleep(1.1)  # HDF5 would stamp its objects with the second
    write(tmp_path / "b", "hdf5", random_links())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
