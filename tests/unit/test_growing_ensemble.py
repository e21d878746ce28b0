"""Measurements on an ensemble that grows: what was measured keeps its number, what is new comes after it."""

import shutil

from lqcd_hpc import Lattice, Random, gauge, save
from lqcd_hpc.run import execute
from lqcd_hpc.run.journal import read

MEASURE = """
[source]
files = ["{folder}/stream_*/*.ildg"]
[measure.plaquette]
[measure.polyakov]
every = 2
[output]
directory = "{folder}/out"
report = false
"""


def test_files_keep_their_numbers_as_streams_grow(tmp_path):
    lattice = Lattice((4, 4, 4, 4))
    for name in ("stream_0/a", "stream_1/a", "stream_0/b"):
        path = tmp_path / f"{name}.ildg"
        path.parent.mkdir(exist_ok=True)
        save(path, gauge.hot(lattice, Random(seed=len(name) + ord(name[-1])), "SU(2)"))
    path = tmp_path / "run.toml"
    path.write_text(MEASURE.format(folder=tmp_path))
    late = tmp_path / "stream_0" / "b.ildg"
    shutil.move(late, tmp_path / "later")
    execute(path, say=lambda text: None)
    before = (tmp_path / "out" / "journal.jsonl").read_bytes()
    shutil.move(tmp_path / "later", late)
    execute(path, say=lambda text: None)
    assert (tmp_path / "out" / "journal.jsonl").read_bytes().startswith(before)
    records = read(tmp_path / "out" / "journal.jsonl")
    done = [one for one in records if one["name"] == "configuration"]
    files = [(one["step"], one["values"]["file"][len(str(tmp_path)) + 1 :]) for one in done]
    assert files == [(1, "stream_0/a.ildg"), (2, "stream_1/a.ildg"), (3, "stream_0/b.ildg")]
    assert [one["step"] for one in records if one["name"] == "plaquette"] == [1, 2, 3]
    assert [one["step"] for one in records if one["name"] == "polyakov"] == [2]
