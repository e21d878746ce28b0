"""Damaged checkpoints: the one before is taken, and said so; without any, one message, and nothing is deleted."""

import os
import shutil
from pathlib import Path

import fault_jobs
import fault_runs
import pytest

from lqcd_hpc import LqcdError

KINDS = ("generate", "train", "sample")


def killed_after(checkpoints):
    """In the job: die as soon as so many checkpoints were written."""

    def prepare():
        import lqcd_hpc.ml.training.state as state
        import lqcd_hpc.sampling.checkpoint as chain

        for module, name in ((chain, "write"), (state, "write_checkpoint")):
            setattr(module, name, _dying(getattr(module, name), checkpoints))

    return prepare


def _dying(original, left):
    left = [left]

    def write(*arguments):
        original(*arguments)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), 9)

    return write


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def dead(tmp_path_factory):
    """A folder with runs of all kinds that died after their third checkpoint."""
    folder = tmp_path_factory.mktemp("dead")
    for kind in KINDS:
        ended = fault_runs.run(fault_runs.run_file(folder, kind), killed_after(3))
        assert ended.code == -9, ended.output
        assert len(fault_jobs.checkpoints(folder / kind)) == 2
    return folder


@pytest.fixture
def folder(dead, tmp_path):
    shutil.copytree(dead, tmp_path / "copy")
    return tmp_path / "copy"


def damage(path, way, seed=1):
    """Damage a file; a bit is flipped where it matters (see `test_every_byte_...` for the others)."""
    data, rng = path.read_bytes(), fault_jobs.seeded(seed)
    while way == "flipped bit":
        place = rng.randrange(len(data))
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :])
        try:
            read(path)
        except LqcdError:
            return
    path.write_bytes({"truncated": data[: rng.randrange(1, len(data))], "empty": b"", "zeros": bytes(len(data))}[way])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["flipped bit", "truncated", "empty", "zeros", "missing"])
def test_the_checkpoint_before_is_taken(kind, way, folder, quiet, tried):
    newest = fault_jobs.checkpoints(folder / kind)[-1]
    if way == "missing":
        newest.unlink()
    else:
        damage(newest, way)
    ended = fault_runs.run(folder / f"{kind}.toml")
    assert ended.code == 0 and "resuming after" in ended.output, ended.output
    assert way == "missing" or f"passed over a damaged checkpoint: {newest.relative_to(folder)}" in ended.output
    assert fault_runs.history(folder / kind) == quiet[1][kind]
    tried("damaged checkpoint", way, "falls back to the one before, the bits of a quiet run")


@pytest.mark.parametrize("kind", KINDS)
def test_without_any_whole_checkpoint_nothing_is_deleted(kind, folder, tried):
    for number, path in enumerate(fault_jobs.checkpoints(folder / kind)):
        damage(path, "truncated" if number else "empty")
    before = files(folder / kind)
    ended = fault_runs.run(folder / f"{kind}.toml")
    assert ended.code == 2 and "Traceback" not in ended.output, ended.output
    assert ended.output.count("can be read") == 1 and "remove them to start anew" in ended.output
    after = files(folder / kind)
    before.pop(lock := Path("lock"), None), after.pop(lock, None)
    assert after == before
    tried("damaged checkpoint", "all of them", "exit 2 and one message, nothing deleted")


@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_of_a_checkpoint_is_under_a_checksum(kind, folder, tried):
    """A flipped bit anywhere is found, or changes nothing of what is read."""
    newest, rng = fault_jobs.checkpoints(folder / kind)[-1], fault_jobs.seeded(3)
    data = newest.read_bytes()
    whole, found = read(newest), 0
    places = [*range(0, min(len(data), 2000), 7), *(rng.randrange(len(data)) for _ in range(60))]
    for place in places:
        newest.write_bytes(data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :])
        try:
            assert read(newest) == whole, place
        except LqcdError:
            found += 1
    tried(
        "damaged checkpoint", f"flipped bits ({len(places)} places), {kind}", "found, or nothing that is read changed"
    )
    assert found > len(places) // 4


def read(path):
    """Everything that a checkpoint gives, as text."""
    if path.suffix == ".safetensors":
        from lqcd_hpc.ml.training import state

        tensors, metadata = state._read(path)
        return {name: tensor.tolist() for name, tensor in tensors.items()}, metadata
    from lqcd_hpc.io import Slab
    from lqcd_hpc.io.sitefields import read_fields

    fields, metadata = read_fields(path, Slab.whole((4, 4)))
    return {name: field.values.tobytes() for name, field in fields.items()}, metadata


def test_a_damaged_one_that_was_passed_over_goes_with_the_next(folder, quiet):
    """It must not be taken for the newest one, nor push out the ones that are whole."""
    old, newest = fault_jobs.checkpoints(folder / "generate")
    newest.write_bytes(b"")
    prepared = killed_after(1)
    ended = fault_runs.run(
        fault_runs.run_file(folder, "generate", change=lambda t: t.replace("checkpoint = 3", "checkpoint = 1")),
        prepared,
    )
    assert ended.code == -9
    left = fault_jobs.checkpoints(folder / "generate")
    assert left[0] == old and newest not in left and len(left) == 2
    assert fault_runs.run(fault_runs.run_file(folder, "generate")).code == 0
    assert fault_runs.history(folder / "generate") == quiet[1]["generate"]


@pytest.mark.parametrize("kind", ["generate", "train"])
def test_a_damaged_journal_is_made_anew_from_the_checkpoint_before_it(kind, folder, quiet, tried):
    path = folder / kind / "journal.jsonl"
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    last = len(data) - len(lines[-1]) // 2
    path.write_bytes(data[:last] + b"#" + data[last + 1 :])
    ended = fault_runs.run(folder / f"{kind}.toml")
    assert ended.code == 0, ended.output
    assert "journal.jsonl is damaged in line" in ended.output
    assert fault_runs.history(folder / kind) == quiet[1][kind]
    tried("damaged journal", "behind a checkpoint", "falls back to that checkpoint, the bits of a quiet run")


@pytest.mark.parametrize("kind", ["generate", "train", "measure"])
def test_a_journal_damaged_at_its_beginning_is_refused(kind, folder, quiet, tried):
    if kind == "measure":
        shutil.copytree(quiet[0] / "measure", folder / "measure")
        shutil.copytree(quiet[0] / "generate", folder / "generate", dirs_exist_ok=True)
        shutil.copy(quiet[0] / "measure.toml", folder)
    path = folder / kind / "journal.jsonl"
    data = b"#" + path.read_bytes()[1:]
    path.write_bytes(data)
    ended = fault_runs.run(folder / f"{kind}.toml")
    assert ended.code == 2 and "journal.jsonl is damaged in line 1" in ended.output, ended.output
    assert path.read_bytes() == data
    tried("damaged journal", "before all checkpoints", "exit 2 and one message, nothing deleted")


def test_damaged_states_of_a_sampling_are_not_published(folder, tried):
    path = folder / "sample" / "samples.raw"
    path.write_bytes(b"#" + path.read_bytes()[1:])
    ended = fault_runs.run(folder / "sample.toml")
    assert ended.code == 2 and "samples.raw is damaged" in ended.output, ended.output
    tried("damaged checkpoint", "kept states of a sampling run", "exit 2 and one message, nothing deleted")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"identity": 1}'])
def test_a_damaged_run_json_is_named(text, folder, tried):
    (folder / "generate" / "run.json").write_text(text)
    ended = fault_runs.run(folder / "generate.toml")
    assert ended.code == 2 and "run.json is damaged: remove it" in ended.output, ended.output
    (folder / "generate" / "run.json").unlink()
    assert fault_runs.run(folder / "generate.toml").code == 0
    tried("damaged run.json", "emptied, cut, or another table", "exit 2 and one message; goes on without it")
