"""Files from anywhere: read, or refused in words; never followed elsewhere, never believed about sizes.

Every reader meets damaged and malicious files in a process that may take 256 MiB more memory than it has, and none of
which is larger than 1 MiB.
"""

import json
import os
import re
import resource
import struct
import time
import tracemalloc
from pathlib import Path

import fault_jobs
import fault_runs
import h5py
import numpy as np
import pytest

from lqcd_hpc import LqcdError, io
from lqcd_hpc.io import formats
from lqcd_hpc.io import lime as container

SHAPE = (4, 4, 2, 2)
MORE = 256 << 20
ABSURD = [b"0", b"-1", b"99999999999999999999", b"4294967297", b"1e9", b"nan", b"", b"9" * 5000, b"65536", b"0x10"]
WRITABLE = ["bridgetext", "hdf5", "ildg", "milc", "nersc", "scidac"]
METADATA = {"plaquette": 0.5, "link_trace": 0.5, "history": list(range(300)), "text": "words"}


def original(path, format):
    links = np.zeros((4, *SHAPE[::-1], 3, 3)) + np.eye(3)
    links = links.astype(np.complex64 if format == "milc" else complex)
    io.write_links(path, format, links, io.Slab.whole(SHAPE), metadata=METADATA)
    return path.read_bytes()


def mutations(data, rng, header=6000):
    """Variants of a file: numbers and lengths in its head replaced by absurd ones, bytes changed, cut, repeated."""
    head = data[:header]
    for match in list(re.finditer(rb"\d+", head))[:24]:
        yield data[: match.start()] + rng.choice(ABSURD) + data[match.end() :]
    for match in re.finditer(rb"[\w-]{4,}", head[:900]):
        yield data[: match.start()] + b"x" * (match.end() - match.start()) + data[match.end() :]
    for _ in range(60):
        place, size = rng.randrange(min(len(data), header)), rng.choice([1, 2, 4, 8])
        value = rng.choice([b"\xff", b"\x00", b"\x7f", b"\x80", bytes([rng.randrange(256)])]) * size
        yield data[:place] + value + data[place + size :]
    for _ in range(6):
        yield data[: rng.randrange(len(data))]
        yield data + data[: rng.randrange(1, 3000)]
    yield b""
    yield data[:200] * 1000


def outcomes(files, read, folder):
    """What `read` makes of each file, in one process of limited memory: a list of faults."""
    pid = os.fork()
    if pid == 0:
        faults = ["it died"]
        try:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MORE, used + MORE))
            faults = [fault for number, data in enumerate(files) if (fault := _fault(number, data, read, folder))]
        finally:
            (folder / "faults.json").write_text(json.dumps(faults))
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"the reader died: {status}"
    return json.loads((folder / "faults.json").read_text())


def _fault(number, data, read, folder):
    path = folder / "file"
    path.write_bytes(data)
    begin = time.process_time()
    tracemalloc.start()
    try:
        read(path)
    except LqcdError as error:
        if len(str(error)) > 20_000 or "not enough memory" in str(error):
            return f"{number}: the message is {str(error)[:300]}"
    except BaseException as error:
        (folder.parent / f"fault-{number}").write_bytes(data)
        return f"{number}: {type(error).__name__} {str(error)[:300]}"
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    if peak > 30 * len(data) + (16 << 20):
        return f"{number}: takes {peak} bytes for a file of {len(data)}"
    return f"{number}: takes {time.process_time() - begin:.1f} s" if time.process_time() - begin > 5 else None


def battery(files, read, folder, tried, name):
    files = list(files)
    assert outcomes(files, read, folder) == []
    tried("malicious or damaged file", f"{name} ({len(files)} variants)", "read, or refused in words within its size")


@pytest.mark.parametrize("format", WRITABLE)
def test_configurations(format, tmp_path, tried):
    data = original(tmp_path / "whole", format)
    battery(
        mutations(data, fault_jobs.seeded(format)),
        lambda path: io.read_links(path, shape=SHAPE),
        tmp_path,
        tried,
        format,
    )


def test_the_battery_knows_every_format():
    assert set(formats.modules()) == {*WRITABLE, "openqcd"}


def test_openqcd_and_headers_alone(tmp_path, tried):
    heads = [
        struct.pack("<4id", *extents, 0.5) for extents in [(2**31 - 1,) * 4, (1, 1, 1, 1), (0, 1, 1, 1), (-1,) * 4]
    ]
    battery([*heads, *(head + bytes(1000) for head in heads)], io.read_links, tmp_path, tried, "openqcd")


def test_headers_that_promise_the_moon(tmp_path, tried):
    """Sizes beyond the file in the fields that hold sizes."""
    lime = original(tmp_path / "ildg", "ildg")
    place = lime.index(b"ildg-binary-data") - 8
    files = [lime[:place] + struct.pack(">Q", n) + lime[place + 8 :] for n in (2**64 - 1, 2**63, 2**40, len(lime), 0)]
    milc = original(tmp_path / "milc", "milc")
    files += [milc[:4] + struct.pack("<4i", *n) + milc[20:] for n in [(2**31 - 1,) * 4, (-1, -1, 4, 4), (65536,) * 4]]
    files += [milc[:4] + struct.pack("<4i", 1, 1, 1, 2**31 - 1) + milc[20:]]
    files += [container.head("scidac-binary-data", 0, 0) * 5000, lime.replace(b"<lx>4</lx>", b"<lx>" * 2 + b"4")]
    files.append(container.pack("ildg-format", b"<lx>" * 250_000, 0) + container.pack("ildg-binary-data", b"", 0))
    battery(files, io.read_links, tmp_path, tried, "sizes in headers")


def hdf5_bombs(folder):
    """Files that are small and claim, or point to, a great deal."""
    (folder / "secret").write_bytes(bytes(4096))
    with h5py.File(folder / "other.h5", "w") as file:
        file["links"] = np.zeros((2, 2, 4, 4, 4, 3, 3), complex)

    def add(name, change):
        original(folder / f"{name}.h5", "hdf5")
        with h5py.File(folder / f"{name}.h5", "r+") as file:
            attributes = dict(file["fields/links"].attrs)
            change(file)
            link = file.get("fields/links", getlink=True)
            if isinstance(link, h5py.HardLink) and isinstance(file["fields/links"], h5py.Dataset):
                kept = file["fields/links"].attrs
                kept.update({key: value for key, value in attributes.items() if key not in kept})
        return (folder / f"{name}.h5").read_bytes()

    def replaced(make):
        def change(file):
            del file["fields/links"]
            make(file["fields"])

        return change

    wide, full = (2, 2, 4, 4, 4, 3, 3), (2**20, 2**20, 4, 4, 4, 3, 3)
    virtual = h5py.VirtualLayout(wide, complex)
    virtual[...] = h5py.VirtualSource(str(folder / "other.h5"), "links", shape=wide)
    yield add("huge", replaced(lambda g: g.create_dataset("links", full, complex, chunks=(1, 1, 4, 4, 4, 3, 3))))
    yield add("packed", replaced(lambda g: g.create_dataset("links", data=np.zeros(wide, complex), compression=9)))
    yield add("bomb", replaced(lambda g: g.create_dataset("links", (64, 64, 64, 64, 4, 3, 3), complex, compression=9)))
    yield add(
        "external link",
        replaced(lambda g: g.__setitem__("links", h5py.ExternalLink(str(folder / "other.h5"), "links"))),
    )
    yield add("soft link", replaced(lambda g: g.__setitem__("links", h5py.SoftLink("/metadata"))))
    yield add("circle", replaced(lambda g: g.__setitem__("links", h5py.SoftLink("/fields/links"))))
    yield add("group", replaced(lambda g: g.create_group("links")))
    yield add(
        "external data", replaced(lambda g: g.create_dataset("links", wide, complex, external=str(folder / "secret")))
    )
    yield add("virtual", replaced(lambda g: g.create_virtual_dataset("links", virtual)))
    yield add(
        "texts",
        replaced(lambda g: g.create_dataset("links", data=np.array([["a"]], object), dtype=h5py.string_dtype())),
    )
    yield add("dims", lambda file: file.attrs.__setitem__("dims", np.array([2**62] * 4)))
    yield add("dims text", lambda file: file.attrs.__setitem__("dims", "4444"))
    yield add("layout", lambda file: file.attrs.__setitem__("layout", np.arange(50)))
    yield add("leading", lambda file: file["fields/links"].attrs.__setitem__("leading", 2**40))
    yield add("metadata", lambda file: file["metadata"].create_dataset("x", (2**40,), "u1", chunks=(1024,)))
    yield add("metadata link", lambda file: file["metadata"].__setitem__("x", h5py.ExternalLink("/etc/passwd", "/")))
    yield add("no metadata", lambda file: file.__delitem__("metadata"))
    yield add("deep", lambda file: file["metadata"].create_dataset("x", data=np.void(b"[" * 100_000)))


def test_hdf5_that_claims_or_points_elsewhere(tmp_path, tried):
    files = list(hdf5_bombs(tmp_path))
    battery(files, io.read_links, tmp_path, tried, "hdf5 bombs and links")
    refused = 0
    for data in files:
        (tmp_path / "file").write_bytes(data)
        with pytest.raises(LqcdError):
            io.read_links(tmp_path / "file")
        refused += 1
    assert refused == len(files) > 15


def test_states_and_measurements(tmp_path, tried):
    from lqcd_hpc.analysis import read_measurements
    from lqcd_hpc.run.states import read_states

    class Target:
        class prior:  # noqa: N801 (stands for an object)
            shape = (4, 4)

    def states(change):
        with h5py.File(tmp_path / "made.h5", "w") as file:
            change(file)
        return (tmp_path / "made.h5").read_bytes()

    (tmp_path / "secret").write_bytes(bytes(4096))
    whole = states(lambda f: f.create_dataset("states", data=np.zeros((9, 4, 4))))
    files = [
        states(lambda f: f.create_dataset("states", (2**40, 4, 4), chunks=(1, 4, 4))),
        states(lambda f: f.create_dataset("states", (8, 4, 4), external=str(tmp_path / "secret"))),
        states(lambda f: f.__setitem__("states", h5py.ExternalLink(str(tmp_path / "x.h5"), "states"))),
        states(lambda f: f.create_dataset("states", data=np.zeros((9, 4, 4), "S4"))),
        states(lambda f: f.create_dataset("states", (0, 4, 4))),
    ]
    for data in files:
        (tmp_path / "file").write_bytes(data)
        with pytest.raises(LqcdError, match="holds no samples"):
            read_states(tmp_path / "file", Target, "double")
    rng = fault_jobs.seeded(4)
    battery([*files, *mutations(whole, rng)], lambda p: read_states(p, Target, "double"), tmp_path, tried, "samples.h5")

    def measured(change):
        def made(file):
            change(file.create_group("plaquette"))

        return states(made)

    whole = measured(fill)
    files = [
        measured(lambda g: g.create_dataset("step", (2**40,), chunks=(1,))),
        measured(lambda g: g.create_dataset("step", (512,), external=str(tmp_path / "secret"))),
        measured(lambda g: g.__setitem__("step", h5py.ExternalLink(str(tmp_path / "x.h5"), "step"))),
    ]
    battery([*files, whole], read_measurements, tmp_path, tried, "measurements.h5")


def fill(group):
    group["step"], group["plaquette"] = np.arange(9), np.zeros(9)


def test_models_and_checkpoints_of_trainings(tmp_path, tried):
    import torch

    from lqcd_hpc.ml.training import state

    folder = tmp_path / "model"
    state.write_model(folder, {"w": torch.arange(50.0)}, {"target": {}, "flow": {}})
    weights, card = (folder / state.WEIGHTS).read_bytes(), (folder / state.CARD).read_bytes()
    header = struct.unpack("<Q", weights[:8])[0]
    lengths = [struct.pack("<Q", n) + weights[8:] for n in (0, 7, 2**63, 2**40, len(weights), 10**8 + 1)]
    names = [weights.replace(b'"w"', b'"."'), weights.replace(b'"data_offsets":[0,200]', b'"data_offsets":[0,999]')]
    rng = fault_jobs.seeded(5)

    def read_weights(path):
        (folder / state.CARD).write_bytes(card)
        os.replace(path, folder / state.WEIGHTS)
        state.read_model(folder)

    battery([*lengths, *names, *mutations(weights, rng, header)], read_weights, tmp_path, tried, "model.safetensors")

    def read_card(path):
        (folder / state.WEIGHTS).write_bytes(weights)
        os.replace(path, folder / state.CARD)
        state.read_model(folder)

    cards = [b"[]", b"3", b"[" * 10**5, b'{"checksum": []}', b"\xff\xfe", b'{"a":' * 10**5]
    battery([*cards, *mutations(card, rng)], read_card, tmp_path, tried, "card.json")


def test_a_card_names_kinds_and_no_paths(tmp_path):
    from lqcd_hpc.config import described
    from lqcd_hpc.ml.preconditioners.models import description_of, place_of

    for kind in ("../../secret", "/etc/passwd", "os.path", "..", "a.b", "__init__", 3, None, "x" * 5000):
        with pytest.raises(LqcdError, match="unknown"):
            described("flow", {"kind": kind}, "flow of the model")
        with pytest.raises(LqcdError, match="unknown"):
            description_of({"kind": kind})
    assert str(place_of("../weights/long-8c16")) == "../weights/long-8c16"


def test_run_files(tmp_path, tried):
    from lqcd_hpc import config

    text = fault_runs.GENERATE.format(count=5, report="false").encode()
    files = [b"a = " + b"[" * 10**5, b"x" * (2 << 20), b"\xff\xfe\x00", b"a." * 10**4 + b"b = 1", b"a = 1e999999999"]
    files += [
        text.replace(b"[4, 4]", b"[99999999999999999999, 4]"),
        text.replace(b"seed = 5", b"seed = " + b"9" * 4000),
    ]
    battery([*files, *mutations(text, fault_jobs.seeded(6))], config.load, tmp_path, tried, "run files")
    with pytest.raises(LqcdError, match="no run file"):
        config.load("/dev/zero")


def test_journals(tmp_path, tried):
    from lqcd_hpc.run import journal

    line = journal.line({"step": 1, "name": "a", "values": {"x": 0.5}})
    deep = b"[" * 10**5
    files = [line * 3, line[:-3], line + b"x" * 10**6, b"\n" * 1000, b"%08x %s\n" % (journal.zlib.crc32(deep), deep)]
    battery([*files, *mutations(line * 20, fault_jobs.seeded(7))], journal.read, tmp_path, tried, "journals")


@pytest.mark.parametrize("name", ["../out", "/tmp/x", "a/b", "..", ".", ""])
def test_names_in_a_run_directory_stay_in_it(name):
    from lqcd_hpc.config import described

    table = {"kind": "propagator", "operator": {"kind": "staggered", "mass": 0.1, "boundary": [1, -1]}, "folder": name}
    table |= {"solver": {"kind": "cg", "tol": 1e-8}, "source": {"kind": "point", "position": [0, 0]}}
    described("measure", table | {"folder": "plain"}, "measure.propagator")
    with pytest.raises(LqcdError, match="plain name"):
        described("measure", table, "measure.propagator")


def test_pipes_and_devices_are_no_configurations(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        with pytest.raises(LqcdError, match="directory, a pipe or a device"):
            io.sniff(path)
