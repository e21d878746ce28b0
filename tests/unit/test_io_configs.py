"""The published configurations: plaquette, checksums, refusal of damage, and the same bits written back."""

import struct
from pathlib import Path

import numpy as np
import pytest
from reference import paths, readers

from lqcd_hpc import LqcdError, io

CONFIGS = Path(__file__).parents[2].parent / "shared" / "data" / "configs"
pytestmark = pytest.mark.skipif(not CONFIGS.is_dir(), reason=f"gauge configurations are not in {CONFIGS}")

BARE = (4, 4, 4, 4)
# name: format, shape, colours, precision, stored checksum, plaquette, decimals of it, shape to be given
FILES = {
    "weak_field.lime": ("ildg", (4, 4, 4, 8), 3, "double", "a2c41090/11193c39", 0.994804132266700, 15, None),
    "testconf.txt": ("bridgetext", BARE, 3, "double", None, 0.587818337847024, 15, BARE),
    "lat.sample.l4448": ("milc", (4, 4, 4, 8), 3, "single", "13f3b413/161f7dde", 0.569055724369011, 15, None),
    "lat.sample.l4448.scidac": ("scidac", (4, 4, 4, 8), 3, "single", "1c5a6cb5/5dea327a",
                                0.569055724369011, 15, None),
    "lat.sample.l8888": ("milc", (8, 8, 8, 8), 3, "single", "4f9d000e/8d72f72e", 0.593560240432841, 15, None),
    "t_nersc.cfg": ("nersc", BARE, 3, "single", "717938df", 0.0382422893, 10, None),
    "su2_4444_bare.ildg": ("ildg", BARE, 2, "double", None, 0.668474886835987, 15, BARE),
}  # fmt: skip
CHECKED = [name for name, row in FILES.items() if row[4]]
BINARY = [name for name in FILES if name != "testconf.txt"]


def read(name, **options):
    return io.read_links(CONFIGS / name, shape=FILES[name][7], **options)


def payload(path, header):
    """The bytes of the links in a file."""
    raw = Path(path).read_bytes()
    if header.format == "bridgetext":
        return raw
    rows = 2 if header.metadata.get("nersc", {}).get("DATATYPE") == "4D_SU3_GAUGE" else header.nc
    size = {"single": 4, "double": 8}[header.precision]
    return raw[header.offset : header.offset + 4 * np.prod(header.shape) * rows * header.nc * 2 * size]


def changed(name, tmp_path, change):
    """A copy of a configuration whose bytes went through `change(bytearray, header)`."""
    raw = bytearray((CONFIGS / name).read_bytes())
    new = change(raw, io.inspect_header(CONFIGS / name, FILES[name][7]))
    (tmp_path / name).write_bytes(raw if new is None else new)
    return tmp_path / name


@pytest.mark.parametrize("name", FILES)
def test_header_tells_what_is_documented(name):
    format, shape, nc, precision, stored, *_, given = FILES[name]
    assert io.sniff(CONFIGS / name) == format
    header = io.inspect_header(CONFIGS / name, given)
    assert (header.format, header.shape, header.nc) == (format, shape, nc)
    assert (header.precision, header.checksum_stored) == (precision, stored)


@pytest.mark.parametrize("name", FILES)
def test_plaquette_unitarity_and_checksum(name):
    links, header = read(name)
    assert header.checksum_computed == (header.checksum_stored or header.checksum_computed)
    links = links.astype(complex)
    *_, plaquette, digits, _ = FILES[name]
    assert abs(paths.plaquette(links)[0] - plaquette) <= 10.0**-digits
    deviation = np.abs(links @ paths.dagger(links) - np.eye(header.nc)).max()
    assert deviation < (2e-6 if header.precision == "single" else 2e-11)


@pytest.mark.parametrize(
    "name, reader",
    [
        ("weak_field.lime", readers.read_lime),
        ("testconf.txt", lambda path: readers.read_bridge_text(path, BARE)),
        ("lat.sample.l4448", readers.read_milc),
        ("lat.sample.l8888", readers.read_milc),
        ("lat.sample.l4448.scidac", readers.read_lime),
        ("t_nersc.cfg", readers.read_nersc),
        ("su2_4444_bare.ildg", lambda path: readers.read_lime(path, BARE, 2)),
    ],
)
def test_links_equal_those_of_the_simple_reader(name, reader):
    assert np.abs(read(name)[0] - reader(CONFIGS / name)).max() < 1e-15


def test_planes_and_traces_of_the_table():
    links, _ = read("weak_field.lime")
    mean, spatial, temporal = paths.plaquette(links)
    assert abs(spatial - 0.994798578341303) <= 1e-15 and abs(temporal - 0.994809686192096) <= 1e-15
    assert abs(paths.trace(links).real.mean() / 3 - 0.379449348715) <= 1e-12
    links, header = read("t_nersc.cfg")
    assert header.metadata["link_trace"] == 0.4630322094
    assert header.metadata["plaquette"] == 0.0382422893
    # its writer worked in single precision, hence the last digit
    assert abs(paths.trace(links).real.mean() / 3 - header.metadata["link_trace"]) <= 1e-9


@pytest.mark.parametrize("name", FILES)
def test_written_back_with_the_same_payload_and_checksum(name, tmp_path):
    links, header = read(name)
    slab = io.Slab.whole(header.shape)
    path = tmp_path / name
    again = io.write_links(path, header.format, links, slab, precision=header.precision, metadata=header.metadata)
    assert payload(path, again) == payload(CONFIGS / name, header)
    assert again.checksum_computed == header.checksum_computed
    assert header.checksum_stored in (None, again.checksum_stored)
    if header.format in ("nersc", "milc", "bridgetext"):
        assert path.read_bytes() == (CONFIGS / name).read_bytes()
    if header.format in ("ildg", "scidac"):
        before, after = header.metadata["lime"], again.metadata["lime"]
        user = [key for key in before if key in ("scidac-file-xml", "scidac-record-xml", "scidac-checksum")]
        assert all(before[key] == after[key] for key in user)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("format", ["hdf5", "ildg", "scidac"])
def test_converted_without_losing_a_bit(name, format, tmp_path):
    links, header = read(name)
    io.write_links(tmp_path / "out", format, links, io.Slab.whole(header.shape), metadata=header.metadata)
    again, _ = io.read_links(tmp_path / "out")
    assert again.dtype == links.dtype and again.tobytes() == links.tobytes()


@pytest.mark.parametrize("name, total", [("lat.sample.l4448", 0xB3BE9B3B), ("lat.sample.l8888", 1245429571)])
def test_nersc_checksum_of_milc_configurations(name, total, tmp_path):
    links, header = read(name)
    metadata = {"plaquette": 0.0, "link_trace": 0.0, "nersc": {"DATATYPE": "4D_SU3_GAUGE"}}
    slab = io.Slab.whole(header.shape)
    written = io.write_links(tmp_path / "out", "nersc", links, slab, metadata=metadata)
    assert int(written.checksum_stored, 16) == total


def test_file_with_wrong_checksum_is_refused():
    with pytest.raises(LqcdError, match="2e218ab1.*72d77a0a"):
        io.read_links(CONFIGS / "lat.sample.5p7")
    _, header = io.read_links(CONFIGS / "lat.sample.5p7", verify=False)
    assert header.checksum_stored.split("/")[0] == "2e218ab1"
    assert header.checksum_computed.split("/")[0] == "72d77a0a"


def test_openqcd_is_recognised_and_declined():
    assert io.sniff(CONFIGS / "openqcd_8x8x8x8") == "openqcd"
    with pytest.raises(LqcdError, match="cannot be read"):
        io.read_links(CONFIGS / "openqcd_8x8x8x8")


@pytest.mark.parametrize("name", CHECKED)
@pytest.mark.parametrize("place", [0.0, 0.37, 1.0])
def test_flipped_payload_byte_is_refused(name, place, tmp_path):
    def flip(raw, header):
        raw[header.offset + int(place * (len(payload(CONFIGS / name, header)) - 1))] ^= 4

    path = changed(name, tmp_path, flip)
    with pytest.raises(LqcdError, match="damaged"):
        io.read_links(path)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("missing", [1, 7, 200, 20000])
def test_truncated_file_is_refused(name, missing, tmp_path):
    path = changed(name, tmp_path, lambda raw, header: raw[: -max(missing, 30 * (name == "testconf.txt"))])
    with pytest.raises(LqcdError):
        io.read_links(path, shape=FILES[name][7])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", [0, 3, 50, 150])
def test_stump_of_a_header_is_refused(name, size, tmp_path):
    path = changed(name, tmp_path, lambda raw, header: raw[:size])
    with pytest.raises(LqcdError):
        io.read_links(path, shape=FILES[name][7])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("more", [b"\0" * 8, b"0.5\n", b"x" * 300])
def test_trailing_garbage_is_refused(name, more, tmp_path):
    path = changed(name, tmp_path, lambda raw, header: raw + more)
    with pytest.raises(LqcdError):
        io.read_links(path, shape=FILES[name][7])


@pytest.mark.parametrize("name", FILES)
def test_wrong_shape_is_refused(name):
    with pytest.raises(LqcdError):
        io.read_links(CONFIGS / name, shape=(4, 4, 4, 6))
    with pytest.raises(LqcdError):
        io.read_links(CONFIGS / name, io.Slab.whole((4, 4, 6, 4)))
    with pytest.raises(LqcdError):
        io.read_links(CONFIGS / name, io.Slab.whole((8, 8)))


@pytest.mark.parametrize("name", ["testconf.txt", "su2_4444_bare.ildg"])
def test_shape_must_be_given_where_the_file_has_none(name):
    with pytest.raises(LqcdError, match="give the lattice shape"):
        io.inspect_header(CONFIGS / name)


def without(raw, name):
    """A LIME file without the records of that name."""
    kept, place = bytearray(), 0
    while place < len(raw):
        length, found = struct.unpack(">8xQ128s", raw[place : place + 144])
        end = place + 144 + (length + 7) // 8 * 8
        kept += b"" if found.split(b"\0")[0].decode() == name else raw[place:end]
        place = end
    return kept


@pytest.mark.parametrize(
    "file, record",
    [
        ("weak_field.lime", "ildg-format"),
        ("weak_field.lime", "ildg-binary-data"),
        ("weak_field.lime", "scidac-checksum"),
        ("lat.sample.l4448.scidac", "scidac-binary-data"),
        ("lat.sample.l4448.scidac", "scidac-checksum"),
        ("lat.sample.l4448.scidac", "scidac-private-file-xml"),
        ("lat.sample.l4448.scidac", "scidac-private-record-xml"),
    ],
)
def test_missing_record_is_refused(file, record, tmp_path):
    path = changed(file, tmp_path, lambda raw, header: without(raw, record))
    with pytest.raises(LqcdError, match=record):
        io.read_links(path)


@pytest.mark.parametrize("key", ["CHECKSUM", "DATATYPE", "DIMENSION_3", "FLOATING_POINT", "END_HEADER"])
def test_missing_line_of_a_nersc_header_is_refused(key, tmp_path):
    path = changed("t_nersc.cfg", tmp_path, lambda raw, header: raw.replace(key.encode(), b"X" * len(key), 1))
    with pytest.raises(LqcdError, match=key):
        io.read_links(path)


def test_text_that_is_no_number_is_refused(tmp_path):
    path = changed("testconf.txt", tmp_path, lambda raw, header: raw.replace(b"0.29", b"0.x9", 1))
    with pytest.raises(LqcdError):
        io.read_links(path, shape=BARE)
    path = changed("testconf.txt", tmp_path, lambda raw, header: raw.replace(b"\n-0.444605", b"\n-0.44 605", 1))
    with pytest.raises(LqcdError, match="damaged"):
        io.read_links(path, shape=BARE)


@pytest.mark.parametrize("kind", ["IEEE32BIG", "IEEE32", "IEEE64BIG", "IEEE64LITTLE"])
@pytest.mark.parametrize("datatype", ["4D_SU3_GAUGE", "4D_SU3_GAUGE_3x3"])
def test_nersc_kinds_are_read_back(kind, datatype, tmp_path):
    links, header = read("weak_field.lime")
    single = "32" in kind
    wanted = links.astype(np.complex64) if single else links
    metadata = {"plaquette": 0.0, "link_trace": 0.0, "nersc": {"DATATYPE": datatype, "FLOATING_POINT": kind}}
    slab = io.Slab.whole(header.shape)
    written = io.write_links(tmp_path / "out", "nersc", wanted, slab, metadata=metadata)
    assert written.metadata["nersc"]["FLOATING_POINT"] == kind
    again, _ = io.read_links(tmp_path / "out")
    assert (again[..., :2, :] == wanted[..., :2, :]).all()
    assert np.abs(again - wanted).max() < (3e-7 if single else 1e-14)
    raw = payload(tmp_path / "out", written)
    number = np.frombuffer(raw, {"IEEE32BIG": ">f4", "IEEE32": "<f4", "IEEE64BIG": ">f8"}.get(kind, "<f8"))
    assert number[0] == wanted[0, 0, 0, 0, 0, 0, 0].real


@pytest.mark.parametrize("byte_order", ["little", "big"])
def test_milc_in_either_byte_order(byte_order, tmp_path):
    links, header = read("lat.sample.l4448")
    slab, metadata = io.Slab.whole(header.shape), {"milc": {"byte_order": byte_order}}
    written = io.write_links(tmp_path / "out", "milc", links, slab, metadata=metadata)
    assert written.checksum_stored == header.checksum_stored
    assert (tmp_path / "out").read_bytes()[:4] == (20103).to_bytes(4, byte_order)
    assert io.read_links(tmp_path / "out")[0].tobytes() == links.tobytes()
