"""A value that is not a number: found in the update where it appears, with its place; checkpoints before it stay."""

import fault_jobs
import fault_runs
import numpy as np
import pytest

from lqcd_hpc import Field, Lattice, LqcdError
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.finite import require_finite


def spoiled_after(update, direction=1, site=(2, 3)):
    """In the job: after so many updates a link becomes NaN, as by a bit that flips in memory."""

    def prepare():
        from lqcd_hpc.run.generate import Chain

        original = Chain._updated

        def updated(self, stage, one):
            report = original(self, stage, one)
            if self.step + 1 == update:
                u = self.U.to_numpy()
                u[direction, site[1], site[0], 0, 1] = np.nan
                self.U.from_numpy(u)
            return report

        Chain._updated = updated

    return prepare


@pytest.mark.parametrize("update", [2, 8, 11])
def test_a_spoiled_link_is_found_in_its_update(update, quiet, tmp_path, tried):
    path = fault_runs.run_file(tmp_path, "generate")
    ended = fault_runs.run(path, spoiled_after(update))
    kind, kept = "heatbath" if update <= 4 else "hmc", (update - 1) // 3 * 3
    assert ended.code == 2 and "Traceback" not in ended.output, ended
    told = f"update {update} ({kind}), after the last checkpoint at update {kept}: 1 of 32 links are not finite"
    assert f"{told}, the first at site (2, 3), direction 1 (on host" in ended.output, ended.output
    assert fault_jobs.checkpoints(tmp_path / "generate")[-1].name == f"checkpoint_{kept:08d}.h5"
    assert fault_runs.run(path).code == 0
    assert fault_runs.history(tmp_path / "generate") == quiet[1]["generate"]
    tried("NaN in a field", f"links, in {kind}", "exit 2, update and site told, goes on to the bits of a quiet run")


def test_a_trajectory_that_starts_from_a_spoiled_field_tells_where(tmp_path):
    from lqcd_hpc.run.generate import Chain

    def prepare():
        original = Chain._updated

        def updated(self, stage, one):
            if self.step == 7:
                u = self.U.to_numpy()
                u[0, 1, 2] = np.inf
                self.U.from_numpy(u)
            return original(self, stage, one)

        Chain._updated = updated

    ended = fault_runs.run(fault_runs.run_file(tmp_path, "generate"), prepare)
    assert ended.code == 2 and "update 8 (hmc)" in ended.output and "site (2, 1), direction 0" in ended.output, ended


def test_steps_that_are_too_long_are_told_from_a_spoiled_field(tmp_path):
    def longer(text):
        return text.replace("tau = 1.0", "tau = 1e200").replace("steps = 4", "steps = 1")

    ended = fault_runs.run(fault_runs.run_file(tmp_path, "generate", change=longer))
    assert ended.code in (0, 2) and "not finite, the first" not in ended.output, ended


def test_a_checkpoint_is_never_written_of_a_spoiled_field(tmp_path):
    from lqcd_hpc import Random
    from lqcd_hpc.sampling import checkpoint

    U = Field(Lattice((4, 4)), kinds.links(2, 2)).from_numpy(np.full((2, 4, 4, 2, 2), np.nan, complex))
    with pytest.raises(LqcdError, match="32 of 32 links are not finite, the first at site"):
        checkpoint.write(tmp_path, 5, U, Random(1), 0, "")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [kinds.scalars(), kinds.complex_scalars(), kinds.spins(3), kinds.links(1, 2)])
@pytest.mark.parametrize("replicas", [1, 3])
def test_the_place_is_told_for_every_kind(kind, replicas):
    field = Field(Lattice((4, 6), replicas=replicas), kind)
    values = np.ones(field.to_numpy().shape)
    require_finite(field.from_numpy(values))
    values.reshape(-1, *values.shape[-2 - len(kind.shape) :])[-1, 5, 2] = np.inf
    with pytest.raises(LqcdError, match=r"update 3: \d of \d+ .* first at site \(2, 5\)"):
        require_finite(field.from_numpy(values), "update 3")


@pytest.mark.parametrize("kind", ["train", "sample"])
def test_trainings_and_samplings_end_too(kind, quiet, tmp_path, tried):
    def prepare():
        import torch

        from lqcd_hpc.ml.samplers import chain
        from lqcd_hpc.ml.training import trainer

        def spoiled(original):
            def advance(self):
                if getattr(self, "step", getattr(self, "events", 0)) == 12:
                    if kind == "train":
                        with torch.no_grad():
                            next(iter(self.parameters.values())).fill_(float("nan"))
                    else:
                        self._stream = iter([chain.Batch(torch.full((8, 4, 4), float("nan")))])
                return original(self)

            return advance

        trainer.Trainer.one = spoiled(trainer.Trainer.one)
        chain.History.advance = spoiled(chain.History.advance)

    path = fault_runs.run_file(tmp_path, kind)
    ended = fault_runs.run(path, prepare)
    assert ended.code == 2 and "not finite" in ended.output and "Traceback" not in ended.output, ended
    assert ("at step 13" if kind == "train" else "in batch") in ended.output, ended
    assert fault_runs.run(path).code == 0
    assert fault_runs.history(tmp_path / kind) == quiet[1][kind]
    tried("NaN in a field", kind, "exit 2, the step told, goes on to the bits of a quiet run")
