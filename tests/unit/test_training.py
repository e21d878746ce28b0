"""Training of flows: losses against closed forms, the same numbers after any death, and clear words for what fails."""

import json
import os
import re
import signal
import subprocess
import sys

import launcher
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training_runs import COMMAND, QUADRATIC, SITES, gaussian, reverse_loss, run_file  # noqa: E402

from lqcd_hpc import LqcdError, config  # noqa: E402
from lqcd_hpc.errors import MachineError  # noqa: E402
from lqcd_hpc.io.collective import on_root  # noqa: E402
from lqcd_hpc.ml.flows.affine import Affine  # noqa: E402
from lqcd_hpc.ml.flows.sequence import Sequence  # noqa: E402
from lqcd_hpc.ml.nets.convolutional import Convolutional  # noqa: E402
from lqcd_hpc.ml.nets.fully_connected import FullyConnected  # noqa: E402
from lqcd_hpc.ml.noise import Noise  # noqa: E402
from lqcd_hpc.ml.targets.scalar import ScalarTarget  # noqa: E402
from lqcd_hpc.ml.training.losses import Forward, Mixed, Path, Reverse  # noqa: E402
from lqcd_hpc.ml.training.schedules import rate  # noqa: E402
from lqcd_hpc.ml.training.settings import Training  # noqa: E402
from lqcd_hpc.ml.training.state import checksum, read_model, read_newest, write_checkpoint, write_model  # noqa: E402
from lqcd_hpc.ml.training.trainer import Trainer, initialised  # noqa: E402
from lqcd_hpc.run import execute  # noqa: E402
from lqcd_hpc.run.journal import read  # noqa: E402
from lqcd_hpc.run.model import load_model  # noqa: E402

# ---- losses


def gradient(loss, count=256, event=0):
    loss.zero_grad()
    value, log_w = loss(count, Noise(seed=1, event=event))
    value.backward()
    return value.detach(), log_w, torch.stack([p.grad for p in loss.parameters()])


def flat_normal(count, event=0):
    return Noise(seed=1, event=event).normal(count, (2, 2)).flatten(1)


def test_reverse_loss_and_its_gradient_are_those_of_the_gaussian():
    a, b = 0.3, -0.2
    value, log_w, found = gradient(Reverse(*gaussian(a, b)))
    expected, da, db = reverse_loss(a, b, flat_normal(256))
    assert torch.allclose(value, expected, rtol=1e-13) and torch.allclose(-log_w.mean(), value)
    assert torch.allclose(found, torch.stack([da, db]), rtol=1e-12)


def test_path_gradient_has_the_mean_of_the_reverse_gradient_with_less_noise():
    reverse, path = Reverse(*gaussian(-0.5, 0.1)), Path(*gaussian(-0.5, 0.1))
    batches = range(300)
    left = torch.stack([gradient(reverse, 64, event)[2] for event in batches])
    right = torch.stack([gradient(path, 64, event)[2] for event in batches])
    difference = left - right
    error = difference.std(0) / len(batches) ** 0.5
    assert (difference.mean(0).abs() < 4 * error).all() and (error > 0).any()
    assert torch.allclose(gradient(path)[0], gradient(reverse)[0], rtol=1e-14)


def test_path_gradient_vanishes_on_every_sample_at_the_optimum():
    a = -0.5 * float(torch.log(torch.tensor(2 * QUADRATIC, dtype=torch.float64)))
    assert gradient(Path(*gaussian(a, 0.0)), count=1)[2].abs().max() < 1e-14
    assert gradient(Reverse(*gaussian(a, 0.0)), count=1)[2].abs().max() > 0.1


def test_forward_loss_is_the_cross_entropy_of_the_data():
    flow, _ = gaussian(0.3, -0.2)
    data = 0.5 * torch.randn(1, 2, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    value, log_w, found = gradient(Forward(flow, data))
    y = (data.flatten() + 0.2) * torch.exp(torch.tensor(-0.3, dtype=torch.float64))
    assert log_w is None and torch.allclose(value, -flow.log_prob(data)[0])
    da, db = SITES - (y * y).sum(), -(y.sum()) * torch.exp(torch.tensor(-0.3, dtype=torch.float64))
    assert torch.allclose(found, torch.stack([da, db]))


def test_mixed_loss_is_the_weighted_sum():
    flow, target = gaussian()
    data = Noise(seed=9, event=0).normal(50, (2, 2))
    noise = Noise(seed=1, event=0)
    mixed, _ = Mixed(Reverse(flow, target), Forward(flow, data), 0.25)(64, Noise(seed=1, event=0))
    reverse, _ = Reverse(flow, target)(64, noise)
    forward, _ = Forward(flow, data)(64, noise)
    assert torch.allclose(mixed, 0.75 * reverse + 0.25 * forward)


@pytest.mark.parametrize("loss", ["reverse", "path", "forward", "mixed"])
def test_every_loss_finds_the_gaussian(loss):
    flow, target = gaussian(0.0, 0.5)
    data = 0.5 * Noise(seed=9, event=0).normal(4000, (2, 2)) if loss in ("forward", "mixed") else None
    settings = Training(
        steps=200, batch=64, learning_rate=0.03, schedule="cosine", loss=loss, evaluate=200, samples=2000,
        mix=0.5 if loss == "mixed" else None, data="given" if data is not None else None,
    )  # fmt: skip
    last = Trainer(flow, target, settings, seed=1, data=data).run()
    assert last["ess"] > 0.98, last
    exact = 0.5 * SITES * float(torch.log(torch.tensor(torch.pi / QUADRATIC)))
    assert abs(last["log_z"] - exact) < 5 * last["log_z_error"] + 1e-9


def test_schedules():
    t = Training(steps=100, batch=1, learning_rate=2.0, schedule="step", factor=0.1, every=40)
    assert [rate(t, step) for step in (0, 39, 40, 80)] == pytest.approx([2.0, 2.0, 0.2, 0.02])
    t = Training(steps=100, batch=1, learning_rate=2.0, warm_up=4)
    assert [rate(t, step) for step in (0, 1, 3, 99)] == pytest.approx([0.5, 1.0, 2.0, 2.0])
    t = Training(steps=100, batch=1, learning_rate=2.0, schedule="cosine")
    assert [rate(t, step) for step in (0, 50, 100)] == pytest.approx([2.0, 1.0, 0.0])


def test_clipping_bounds_the_first_step_of_the_gradient():
    flow, target = gaussian(2.0, 3.0)
    settings = Training(steps=1, batch=16, learning_rate=1e-3, clip=1e-3, samples=16)
    trainer = Trainer(flow, target, settings, seed=1)
    trainer.one()
    moments = torch.stack([trainer.adam.state[p]["exp_avg"] for p in trainer.parameters.values()])
    assert float(moments.norm()) == pytest.approx(0.1 * 1e-3, rel=1e-3)  # (1 - beta_1) g


def test_a_training_ends_at_its_effective_sample_size():
    flow, target = gaussian(-0.5, 0.1)
    settings = Training(steps=5000, batch=64, learning_rate=0.02, evaluate=20, samples=500, target_ess=0.95)
    trainer = Trainer(flow, target, settings, seed=1)
    assert trainer.run()["ess"] >= 0.95 and trainer.step < 1000 and trainer.finished


def weights(description, seed):
    """The first parameters that are not zero, by name."""
    flow = initialised(description, ScalarTarget(None, (4, 4), hopping=0.0, quadratic=2.0, quartic=0.0), seed)
    return {name: p for name, p in flow.named_parameters() if p.any()}


@pytest.mark.parametrize("net", [FullyConnected(hidden=[6]), Convolutional(hidden=[4], kernel=3)])
def test_the_seed_decides_the_first_parameters_of_every_part(net):
    part = Affine(couplings=1, net=net)
    one, same, other = (weights(Sequence(parts=[part, part]), seed) for seed in (1, 1, 2))
    torch.manual_seed(3)
    again = weights(Sequence(parts=[part, part]), 1)
    assert len(one) == 2 and all(torch.equal(p, same[name]) and torch.equal(p, again[name]) for name, p in one.items())
    assert not any(torch.equal(p, other[name]) for name, p in one.items())
    assert not torch.equal(*one.values())


# ---- runs


def history(directory):
    """All that must be the same: the journal, and the weights of the model."""
    return (directory / "journal.jsonl").read_bytes(), checksum(read_model(directory)[0])


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A training that nothing disturbed."""
    folder = tmp_path_factory.mktemp("quiet")
    execute(run_file(folder), say=lambda text: None)
    return folder / "out"


def command(*words, timeout=120):
    words = [sys.executable, "-c", COMMAND, *map(str, words)]
    return subprocess.run(words, capture_output=True, text=True, env=launcher.environment(), timeout=timeout)


class Dies(Exception):
    pass


@pytest.mark.parametrize("moment", ["write_checkpoint", "evaluate"])
def test_a_training_that_died_goes_on_to_the_same_bits(moment, quiet, tmp_path, monkeypatch):
    calls = []

    def dying(*arguments, **names):
        calls.append(1)
        if len(calls) == (3 if moment == "write_checkpoint" else 2):
            raise Dies
        return original(*arguments, **names)

    import lqcd_hpc.ml.training.state as state
    import lqcd_hpc.ml.training.trainer as trainer

    module = state if moment == "write_checkpoint" else trainer
    original = getattr(module, moment)
    monkeypatch.setattr(module, moment, dying)
    path = run_file(tmp_path)
    with pytest.raises(Dies):
        execute(path)
    monkeypatch.undo()
    assert not (tmp_path / "out" / "model").exists()
    execute(path, say=lambda text: None)
    assert history(tmp_path / "out") == history(quiet)


KILL = """
import os, signal, lqcd_hpc.ml.training.state as state
original, calls = state.save_file, []
def dying(tensors, path, *rest):
    calls.append(1)
    original(tensors, path, *rest)
    if len(calls) == 2:
        os.truncate(path, 200)
        os.kill(os.getpid(), signal.SIGKILL)
state.save_file = dying
"""


def test_a_training_killed_while_it_writes_leaves_a_whole_checkpoint(quiet, tmp_path):
    path = run_file(tmp_path)
    words = [sys.executable, "-c", KILL + COMMAND, "train", str(path)]
    killed = subprocess.run(words, capture_output=True, text=True, env=launcher.environment(), timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [p.name for p in (tmp_path / "out").glob("check*.safetensors")] == ["checkpoint_00000010.safetensors"]
    done = command("train", path)
    assert done.returncode == 0 and "resuming after 10 of 30 steps" in done.stderr, done.stderr
    assert history(tmp_path / "out") == history(quiet)


TERMINATE = """
import os, signal, lqcd_hpc.ml.training.trainer as trainer
original = trainer.Trainer.one
def one(self):
    if self.processes.rank == self.processes.size - 1 and self.step == 13:
        os.kill(os.getpid(), signal.SIGTERM)
    return original(self)
trainer.Trainer.one = one
"""


def test_sigterm_ends_a_training_with_a_checkpoint_and_it_goes_on_to_the_same_bits(quiet, tmp_path):
    path = run_file(tmp_path)
    words = [sys.executable, "-c", TERMINATE + COMMAND, "train", str(path)]
    ended = subprocess.run(words, capture_output=True, text=True, env=launcher.environment(), timeout=120)
    assert ended.returncode == 128 + signal.SIGTERM, ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("SIGTERM: the training ended after 14 of 30 steps"), ended.stderr
    assert (tmp_path / "out" / "checkpoint_00000014.safetensors").exists()
    execute(path, say=lambda text: None)
    assert history(tmp_path / "out") == history(quiet)


def test_a_damaged_checkpoint_is_passed_over(tmp_path):
    tensors = {"w": torch.arange(100.0)}
    write_checkpoint(tmp_path, 10, tensors, {"step": 10})
    write_checkpoint(tmp_path, 20, tensors, {"step": 20})
    newest = tmp_path / "checkpoint_00000020.safetensors"
    data = bytearray(newest.read_bytes())
    data[-3] ^= 1
    newest.write_bytes(data)
    found, metadata, problems = read_newest(tmp_path)
    assert metadata["step"] == 10 and torch.equal(found["w"], tensors["w"]) and "damaged" in problems[0]
    (tmp_path / "checkpoint_00000010.safetensors").write_bytes(b"short")
    with pytest.raises(LqcdError, match="no checkpoint .* can be read.*remove them"):
        read_newest(tmp_path)


def test_a_finished_training_can_be_made_longer(quiet, tmp_path):
    execute(run_file(tmp_path, steps=20), say=lambda text: None)
    execute(run_file(tmp_path, steps=30), say=lambda text: None)
    assert checksum(read_model(tmp_path / "out")[0]) == checksum(read_model(quiet)[0])


def test_another_training_in_the_same_directory_is_refused(quiet, tmp_path):
    execute(run_file(tmp_path, steps=10), say=lambda text: None)
    with pytest.raises(LqcdError, match="holds a run with another train"):
        execute(run_file(tmp_path, steps=10, rate=2e-3))


def test_a_loss_that_is_not_finite_ends_the_training_and_keeps_what_was_good(tmp_path):
    execute(run_file(tmp_path, steps=10), say=lambda text: None)
    path = run_file(tmp_path, steps=30)
    import lqcd_hpc.ml.training.loop as loop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "rate", lambda settings, step: 1e200 if step == 14 else settings.learning_rate)
        with pytest.raises(LqcdError, match="not finite.* at step 1[56].*smaller learning_rate.*clip = 1.0"):
            execute(path)
    kept = sorted(p.name for p in (tmp_path / "out").glob("check*.safetensors"))
    assert kept == ["checkpoint_00000010.safetensors"]
    tensors, _, _ = read_newest(tmp_path / "out")
    assert all(torch.isfinite(t).all() for t in tensors.values())


def test_a_training_that_diverges_at_once_is_told_so(tmp_path):
    with pytest.raises(LqcdError, match="the training diverged; use a smaller learning_rate or warm_up"):
        execute(run_file(tmp_path, rate=1e200))


# ---- models


def test_a_model_comes_back_from_its_directory(quiet):
    flow, card = load_model(quiet)
    assert card["steps"] == 30 and card["seed"] == 5 and card["core_seconds"] > 0
    assert card["target"]["action"]["kind"] == "phi4" and len(card["history"]) == 2
    assert {"lqcd_hpc", "torch"} <= set(card["versions"])
    last = [r["values"] for r in read(quiet / "journal.jsonl") if r["name"] == "evaluation"][-1]
    assert card["ess"] == last["ess"]
    tensors, _ = read_model(quiet)
    assert all(torch.equal(tensors[name], t) for name, t in flow.state_dict().items())
    x, log_q = flow.sample(8, Noise(seed=1, event=0))
    assert torch.allclose(flow.log_prob(x), log_q)


def test_a_model_moves_to_another_volume_and_coupling(quiet, tmp_path):
    big = tmp_path / "big.toml"
    big.write_text(run_file(tmp_path, "big", shape=[8, 8], steps=10).read_text().replace("lam = 8.0", "lam = 7.0"))
    execute(big, start=str(quiet / "model"), say=lambda text: None)
    flow, card = load_model(tmp_path / "big")
    assert flow.sample(2, Noise(seed=1, event=0))[0].shape == (2, 8, 8) and card["target"]["action"]["lam"] == 7.0
    trained = dict(load_model(quiet)[0].named_parameters())
    moved = max(float((p - trained[name]).abs().max()) for name, p in flow.named_parameters())
    assert 0 < moved < 0.02  # 10 steps of 1e-3


def test_a_model_of_another_architecture_is_refused(quiet, tmp_path):
    with pytest.raises(LqcdError, match="another architecture.*is missing there.*card.json"):
        execute(run_file(tmp_path, couplings=3), start=str(quiet))
    path = run_file(tmp_path, "wide")
    path.write_text(path.read_text().replace("hidden = [4]", "hidden = [5]"))
    with pytest.raises(LqcdError, match="has shape .* there, .* here"):
        execute(path, start=str(quiet))


def test_a_model_whose_values_are_not_finite_is_refused(quiet, tmp_path):
    tensors, card = read_model(quiet)
    next(iter(tensors.values()))[...] = torch.nan
    write_model(tmp_path / "model", tensors, card)
    with pytest.raises(LqcdError, match="that are not finite: train it again"):
        load_model(tmp_path / "model")


def test_a_training_that_was_refused_leaves_its_directory_free(quiet, tmp_path):
    path = run_file(tmp_path, steps=10)
    wrong = path.read_text()
    for change in (("kernel = 3", "kernel = 3\nbad = 1"), ("couplings", "z2 = true\ncouplings")):
        path.write_text(wrong.replace(*change))
        with pytest.raises(LqcdError):
            execute(path)
    with pytest.raises(LqcdError, match="of another architecture"):
        execute(run_file(tmp_path, steps=10, couplings=3), start=str(quiet))
    execute(run_file(tmp_path, steps=10), say=lambda text: None)


def test_a_damaged_model_is_refused(quiet, tmp_path):
    import shutil

    shutil.copytree(quiet / "model", tmp_path / "model")
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    (tmp_path / "model" / "card.json").write_text(json.dumps(card | {"checksum": "0"}))
    with pytest.raises(LqcdError, match="card and weights are of different models"):
        load_model(tmp_path)
    (tmp_path / "model" / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(LqcdError, match="damaged"):
        load_model(tmp_path)
    with pytest.raises(LqcdError, match="is no trained model"):
        load_model(tmp_path / "nowhere")


# ---- sampling and searching

SAMPLE = """
{subject}
[sampler]
kind = "{kind}"
samples = 400
batch = 100
[random]
seed = 1
[output]
directory = "{directory}"
report = false
{output}
"""
FREE = """
[lattice]
shape = [4, 4]
[action]
kind = "phi4"
m2 = 1.25
lam = 0.0
normalisation = "half"
[flow]
kind = "gaussian"
spectrum = "free"
"""


def sampled(folder, subject, kind="independence", output=""):
    path = folder / "sample.toml"
    path.write_text(SAMPLE.format(subject=subject, kind=kind, directory=folder / "samples", output=output))
    said = []
    execute(path, say=said.append)
    return json.loads((folder / "samples" / "result.json").read_text()), "\n".join(map(str, said))


@pytest.mark.parametrize("kind", ["independence", "reweighting"])
def test_the_free_field_is_sampled_exactly(kind, tmp_path):
    from lqcd_hpc.ml.targets.scalar import free_log_z

    result, said = sampled(tmp_path, FREE, kind)
    assert result["ess"] == pytest.approx(1, abs=1e-10)
    assert result["log_z"][0] == pytest.approx(free_log_z((4, 4), 1.25), abs=1e-10)
    assert result["acceptance"] in (1.0, None) and "phi2" in said


def test_samples_of_a_model_can_train_another(quiet, tmp_path):
    result, said = sampled(tmp_path, f'[flow]\nmodel = "{quiet}"', output="keep = 300")
    assert result["training_core_seconds"] > 0 and "acceptance" in said
    data = tmp_path / "samples"
    train = f'loss = "mixed"\nmix = 0.5\ndata = "{data}"'
    execute(run_file(tmp_path, "mixed", steps=10, train=train), say=lambda text: None)
    assert 0 < load_model(tmp_path / "mixed")[1]["history"][-1]["ess_forward"] <= 1
    with pytest.raises(LqcdError, match=r"nowhere.h5 holds no samples \(no such file\)"):
        execute(run_file(tmp_path, "absent", train='loss = "forward"\ndata = "nowhere.h5"'))
    with pytest.raises(LqcdError, match=r"it has states \w+ of shape"):
        execute(run_file(tmp_path, "other", shape=[6, 6], train=train))


def test_states_with_weights_are_not_kept(tmp_path):
    with pytest.raises(LqcdError, match="sample.toml: .*have weights"):
        sampled(tmp_path, FREE, "reweighting", "keep = 10")
    assert not (tmp_path / "samples").exists()


HMC = """
[lattice]
shape = [4, 4]
[action]
kind = "phi4"
m2 = 1.25
lam = 0.5
normalisation = "half"
[sampler]
kind = "hmc"
samples = 160
steps = 2
tau = 1.0
integrator = "2mn"
chains = 16
thermalisation = 3
[random]
seed = 1
[output]
directory = "{directory}"
report = false
keep = 100
"""


def contents(folder):
    """Numbers, kept states and values of a sampling run."""
    import h5py

    with h5py.File(folder / "samples.h5") as kept, h5py.File(folder / "measurements.h5") as histories:
        arrays = [kept["states"][...], *(histories["samples"][name][...] for name in sorted(histories["samples"]))]
    return arrays, json.loads((folder / "result.json").read_text())["observables"]["phi2"]["estimate"]


@pytest.mark.parametrize("subject", ["hmc", "independence"])
def test_sampling_that_is_terminated_or_dies_goes_on_to_the_same_bits(subject, tmp_path, monkeypatch):
    from lqcd_hpc.errors import Terminated
    from lqcd_hpc.ml.samplers.chain import History
    from lqcd_hpc.run import sample

    def run(name, output="keep = 100"):
        path, folder = tmp_path / f"{name}.toml", tmp_path / name
        independence = SAMPLE.format(subject=FREE, kind="independence", directory=folder, output=output)
        text = (
            HMC.format(directory=folder) if subject == "hmc" else independence.replace("samples = 400", "samples = 350")
        )
        path.write_text(text)
        execute(path, say=lambda text: None)
        return folder

    whole, advance = contents(run("whole")), History.advance

    def terminated(self):
        if self.events == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return advance(self)

    def dying(self):
        if self.events == (10 if subject == "hmc" else 3):
            raise Dies
        return advance(self)

    monkeypatch.setattr(History, "advance", terminated)
    done = "0 of 160" if subject == "hmc" else "300 of 350"
    with pytest.raises(Terminated, match=f"sampling ended after {done} samples, with a checkpoint; start it again"):
        run("parts")
    monkeypatch.setattr(History, "advance", dying)
    monkeypatch.setattr(sample, "PAUSE", 0.0)
    with pytest.raises(Dies):
        run("parts")
    with open(tmp_path / "parts" / "samples.part", "ab") as file:
        file.write(b"what came after the last checkpoint")
    monkeypatch.setattr(History, "advance", advance)
    arrays, estimate = contents(run("parts"))
    assert all(np.array_equal(a, b) for a, b in zip(arrays, whole[0])) and len(arrays[0]) == 100
    assert estimate == whole[1]
    if subject == "independence":
        assert len(arrays[1]) == 350
        with pytest.raises(LqcdError, match="another keep"):
            run("parts", "keep = 50")


SEARCH = """
[search]
trials = 3
[search.ranges]
"train.learning_rate" = { low = 1e-4, high = 1e-2, log = true }
"flow.couplings" = { low = 1, high = 3 }
"flow.net.hidden" = { choices = [[2], [4], [2, 2]] }
"""


def search_file(folder, **options):
    pytest.importorskip("optuna")
    path = run_file(folder, steps=10, **options)
    path.write_text(path.read_text() + SEARCH)
    return path


def test_a_search_that_died_makes_the_same_choices(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(), second.mkdir()
    execute(search_file(first), say=lambda text: None)
    path = search_file(second)
    import lqcd_hpc.run.search as search

    original, calls = search.train, []

    def dying(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise Dies
        return original(*arguments)

    monkeypatch.setattr(search, "train", dying)
    with pytest.raises(Dies):
        execute(path)
    execute(path, say=lambda text: None)
    assert len(calls) == 4
    assert (first / "out" / "journal.jsonl").read_bytes() == (second / "out" / "journal.jsonl").read_bytes()
    best = json.loads((first / "out" / "best.json").read_text())
    records = [r["values"] for r in read(first / "out" / "journal.jsonl")]
    assert best["ess"] == max(r["ess"] for r in records) and len({r["flow.couplings"] for r in records}) > 0
    assert load_model(best["model"])[1]["ess"] == best["ess"]


def test_a_full_disk_is_not_a_bad_choice(tmp_path, monkeypatch):
    path = search_file(tmp_path)
    import lqcd_hpc.run.search as search

    original = search.train

    def full(run, directory, *others):
        if "002" in str(directory.path):
            on_root(others[0].comm, lambda: (tmp_path / "none" / "file").write_text("no such directory"))
        return original(run, directory, *others)

    monkeypatch.setattr(search, "train", full)
    with pytest.raises(MachineError, match="No such file"):
        execute(path, say=lambda text: None)
    monkeypatch.setattr(search, "train", original)
    execute(path, say=lambda text: None)
    assert [one["values"]["problem"] for one in read(tmp_path / "out" / "journal.jsonl")] == [""] * 3


# ---- run files

MISTAKES = {
    "unknown flow": (lambda t: t.replace('"affine"', '"afine"'), r"\[flow\] kind = 'afine' is unknown; did you mean"),
    "unknown key": (
        lambda t: t.replace("batch", "bacth"),
        r"\[train\] has the unknown key 'bacth'; did you mean 'batch'",
    ),
    "unknown net": (lambda t: t.replace('"convolutional"', '"conv"'), r"\[flow.net\] kind = 'conv' is unknown"),
    "missing": (lambda t: t.replace("steps = 30", ""), r"\[train\] lacks steps"),
    "schedule": (lambda t: t.replace("steps = 30", 'steps = 30\nschedule = "step"'), r"needs every"),
    "data": (lambda t: t.replace("steps = 30", 'steps = 30\nloss = "forward"'), r"needs data"),
    "two targets": (lambda t: t + '[target]\nkind = "s"', r"leave \[lattice\] and \[action\] out"),
    "wrong table": (lambda t: t + '[[update]]\nkind = "hmc"', r"\[update\] does not go together with \[train\]"),
    "search": (
        lambda t: t + '[search]\ntrials = 1\n[search.ranges]\n"net.x" = {low = 1, high = 2}',
        "neither a key of",
    ),
    "search table": (lambda t: t + SEARCH.replace("flow.net.hidden", "flow.nett.hidden"), "there is no table 'nett'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_run_file_gets_one_clear_message(mistake, tmp_path):
    change, message = MISTAKES[mistake]
    path = run_file(tmp_path)
    path.write_text(change(path.read_text()))
    with pytest.raises(LqcdError) as told:
        config.load(path)
    assert re.search(message, str(told.value)), told.value


def test_a_verb_refuses_another_kind_of_run_file(tmp_path):
    with pytest.raises(LqcdError, match="this file trains a flow, what is wanted here is one that samples"):
        config.load(run_file(tmp_path), config.SampleFile)


def test_a_batch_that_cannot_be_divided_is_refused():
    from lqcd_hpc.lattice import SerialCommunicator
    from lqcd_hpc.ml.training.processes import Processes

    comm = SerialCommunicator()
    comm.size = 3
    with pytest.raises(LqcdError, match="batch = 64 cannot be divided among 3 processes: choose a multiple of 3"):
        Trainer(*gaussian(), Training(steps=1, batch=64, learning_rate=1e-3), 1, Processes(comm))


def test_a_flow_without_parameters_is_not_trained():
    flow, target = gaussian()
    flow.requires_grad_(False)
    with pytest.raises(LqcdError, match="nothing to train"):
        Trainer(flow, target, Training(steps=1, batch=64, learning_rate=1e-3), 1)


# ---- several processes


def losses(directory):
    return [r["values"]["loss"] for r in read(directory / "journal.jsonl") if r["name"] == "train"]


@pytest.mark.mpirun
def test_torchrun_trains_to_the_same_losses(quiet, tmp_path):
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python", sys.executable]
    words = [sys.executable, *words, "-c", COMMAND, "train", str(run_file(tmp_path))]
    done = subprocess.run(words, capture_output=True, text=True, env=launcher.environment(), timeout=120)
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "out") == pytest.approx(losses(quiet), abs=1e-10)
    assert done.stdout.count("model:") == 1


def test_srun_without_mpi_trains_to_the_same_losses(quiet, tmp_path):
    """Two tasks that know each other by srun's variables alone."""
    words = [sys.executable, "-c", COMMAND, "train", str(run_file(tmp_path))]
    job = {"SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_TASKS_PER_NODE": "2", "SLURM_JOB_ID": str(os.getpid() % 9973)}
    tasks = [
        subprocess.Popen(words, env=launcher.environment(job | {"SLURM_PROCID": str(n), "SLURM_LOCALID": str(n)}))
        for n in range(2)
    ]
    try:
        assert [task.wait(120) for task in tasks] == [0, 0]
    finally:
        for task in tasks:
            task.kill()
    assert losses(tmp_path / "out") == pytest.approx(losses(quiet), abs=1e-10)


LOSE = """
import os, signal, lqcd_hpc.ml.training.trainer as trainer
original = trainer.Trainer.one
def one(self):
    if self.processes.rank == 1 and self.step == 15:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self)
trainer.Trainer.one = one
"""


@pytest.mark.mpirun
def test_a_lost_rank_ends_all_within_seconds_and_the_training_goes_on(quiet, mpirun, tmp_path):
    import time

    path = run_file(tmp_path)
    begin = time.time()
    job = mpirun(2, ["-c", LOSE + COMMAND, "train", path], timeout=60)
    assert job.code not in (0, None) and time.time() - begin < 40, job
    assert "Traceback" not in job.output, job
    job = mpirun(2, ["-c", COMMAND, "train", path])
    assert job.code == 0 and "resuming after 10" in job.output, job
    assert losses(tmp_path / "out") == pytest.approx(losses(quiet), abs=1e-10)


@pytest.mark.mpirun
def test_sigterm_of_one_rank_ends_all_with_a_checkpoint(mpirun, tmp_path):
    job = mpirun(2, ["-c", TERMINATE + COMMAND, "train", run_file(tmp_path)], timeout=60)
    assert job.code == 128 + signal.SIGTERM and "Traceback" not in job.output, job
    assert job.output.count("SIGTERM: the training ended after 14 of 30 steps") == 1, job
    assert (tmp_path / "out" / "checkpoint_00000014.safetensors").exists()
