"""Spin flows sample O(N) models exactly after reweighting: means by transfer matrices."""

import pytest

torch = pytest.importorskip("torch")

from reference import scalar as oracle  # noqa: E402

from lqcd_hpc.actions.sigma import Sigma  # noqa: E402
from lqcd_hpc.ml.flows.spins import Spins  # noqa: E402
from lqcd_hpc.ml.nets.convolutional import Convolutional  # noqa: E402
from lqcd_hpc.ml.noise import Noise  # noqa: E402
from lqcd_hpc.ml.targets import target  # noqa: E402
from lqcd_hpc.ml.training.settings import Training  # noqa: E402
from lqcd_hpc.ml.training.trainer import Trainer, initialised  # noqa: E402

NET = Convolutional(hidden=[8], kernel=1, activation="silu")
FLOW = Spins(couplings=4, bins=4, vectors=1, kernel=3, net=NET, mask="stripes")


@pytest.mark.parametrize(
    ("beta", "components", "shape", "links", "bond"),
    [(0.6, 2, (2, 4), 16, oracle.xy_ladder(0.6, 4)), (1.3, 3, (6,), 6, oracle.heisenberg_chain(1.3, 6))],
    ids=["ladder of O(2)", "ring of O(3)"],
)
def test_a_trained_flow_has_the_exact_energy(beta, components, shape, links, bond, figure):
    model = target(Sigma(beta=beta, components=components), shape)
    flow = initialised(FLOW, model, seed=1)
    Trainer(
        flow, model, Training(steps=60, batch=128, learning_rate=2e-2, schedule="cosine", samples=500), seed=1
    ).run()
    with torch.no_grad():
        s, log_q = flow.sample(20000, Noise(seed=2, event=0))
        w = torch.softmax(-model.action(s) - log_q, 0)
        values = -model.action(s) / (beta * links)
    mean = float((w * values).sum())
    error = float(((w * (values - mean)) ** 2).sum().sqrt())
    assert 1 / (w * w).sum() / len(w) > 0.5
    assert error < 0.01 * bond and abs(mean - bond) < 3 * error
    figure("bond", mean, error, bond)
