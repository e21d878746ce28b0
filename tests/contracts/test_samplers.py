"""What every sampler promises: a file of lqcd_hpc/ml/samplers that defines a description is tested by being there, on
U(1) in two dimensions, where plaquette, topological susceptibility and Z are known."""

import importlib
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reference import exact2d  # noqa: E402
from scipy.special import ive  # noqa: E402

import lqcd_hpc.ml.samplers  # noqa: E402
from lqcd_hpc import LqcdError  # noqa: E402
from lqcd_hpc.actions.wilson import Wilson  # noqa: E402
from lqcd_hpc.ml.flow import Flow  # noqa: E402
from lqcd_hpc.ml.samplers.report import report  # noqa: E402
from lqcd_hpc.ml.targets import target  # noqa: E402
from lqcd_hpc.sampling.heatbath import HeatbathSweeps  # noqa: E402
from lqcd_hpc.sampling.hmc import Trajectories  # noqa: E402

BETA, VOLUME = 0.5, 16
U1 = target(Wilson(beta=BETA), (4, 4), "U(1)")
CHAINS = 32


class Bend(torch.nn.Module):
    """theta + c sin(theta - a) of every angle: a map of the circle that no symmetry keeps."""

    def __init__(self, c, a):
        super().__init__()
        self.c, self.a = c, a

    def forward(self, z):
        return z + self.c * torch.sin(z - self.a), torch.log1p(self.c * torch.cos(z - self.a)).flatten(1).sum(1)

    def inverse(self, x):
        z = x
        for _ in range(60):
            z = z - (z + self.c * torch.sin(z - self.a) - x) / (1 + self.c * torch.cos(z - self.a))
        return z, -self(z)[1]


FLOW = Flow(U1.prior, [Bend(0.1, 0.3), Bend(-0.15, 1.0)])
SAMPLES = {
    "flow_hmc": ({"steps": 3, "tau": 2.0, "integrator": "2mn", "chains": CHAINS, "thermalisation": 20}, FLOW),
    "heatbath": ({"overrelaxation": 1, "instantons": True, "chains": CHAINS, "thermalisation": 20}, None),
    "hmc": ({"steps": 3, "tau": 2.0, "integrator": "2mn", "chains": CHAINS, "thermalisation": 20}, None),
    "independence": ({"batch": CHAINS}, FLOW),
    "metropolis": ({"width": 2.0, "hits": 2, "chains": CHAINS, "thermalisation": 20}, None),
    "nonequilibrium": ({"steps": 3, "update": HeatbathSweeps(), "batch": CHAINS}, FLOW),
    "reweighting": ({"batch": CHAINS}, FLOW),
}
COUNTS = {"independence": 24000, "reweighting": 24000, "nonequilibrium": 5000}


def descriptions():
    """The description class of every kind of sampler, by file name."""
    folder = Path(lqcd_hpc.ml.samplers.__file__).parent
    modules = {path.stem: importlib.import_module(f"lqcd_hpc.ml.samplers.{path.stem}") for path in folder.glob("*.py")}
    return {name: cls for name, module in sorted(modules.items()) if (cls := _description(module))}


def _description(module):
    for value in vars(module).values():
        own = isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "__pydantic_fields__")
        if own and hasattr(value, "on"):
            return value


KINDS = descriptions()
ALL = pytest.mark.parametrize("kind", KINDS)


def sampler(kind, **changes):
    settings, flow = SAMPLES[kind]
    return KINDS[kind](**settings | changes).on(U1, flow)


def width(kind):
    return "chains" if "chains" in SAMPLES[kind][0] else "batch"


def test_every_kind_has_a_sample():
    assert set(KINDS) == set(SAMPLES)


@ALL
def test_averages_are_exact(kind):
    told = report(sampler(kind).run(COUNTS.get(kind, 4992), seed=7))
    exact = {"plaquette": exact2d.plaquette_u1(BETA, VOLUME), "chi_q": exact2d.susceptibility_u1(BETA, VOLUME), "q": 0}
    for name, value in exact.items():
        one = told.observables[name].estimate
        assert one.error < {"q": 0.06}.get(name, 0.05 * value), name
        assert one.deviation(value) < 4, (name, str(one), value)
    if told.log_z:
        n = np.arange(-20, 21)
        log_z = np.log(np.sum((ive(n, BETA) / ive(0, BETA)) ** VOLUME)) + VOLUME * np.log(ive(0, BETA))
        assert told.log_z[1] < 0.05 and abs(told.log_z[0] - log_z) < 4 * told.log_z[1]
    if told.exp_minus_dh:
        assert told.exp_minus_dh.deviation(1) < 4 and told.exp_minus_dh.error < 0.02


@ALL
def test_numbers_do_not_depend_on_how_chains_are_divided(kind):
    whole = sampler(kind).run(4 * CHAINS, seed=5)
    part = sampler(kind, **{width(kind): 16}).run(4 * 16, seed=5, first=16)
    name = "log_weights" if whole.log_weights is not None else "observables"
    a, b = (c.log_weights if name == "log_weights" else c.observables["plaquette"] for c in (whole, part))
    if a.shape[0] == 1:
        a, b = a.reshape(4, CHAINS), b.reshape(4, 16)
        assert np.abs(a[:, 16:] - b).max() < 1e-11
    else:
        assert a.shape == (CHAINS, 4) and np.abs(a[16:] - b).max() < 1e-11


@ALL
def test_a_chain_goes_on_where_it_stopped_to_the_same_bits(kind):
    whole = sampler(kind).run(6 * CHAINS, seed=5)
    begun = sampler(kind).run(4 * CHAINS, seed=5)
    rest = sampler(kind).run(2 * CHAINS, seed=5, start=begun)
    for name, values in whole.observables.items():
        joined = np.concatenate([begun.observables[name], rest.observables[name]], axis=1)
        assert np.array_equal(values, joined), name
    assert rest.events == whole.events


@ALL
@pytest.mark.parametrize("advances", [3, 24])
def test_a_stored_history_goes_on_to_the_same_bits(kind, advances):
    """Stored while the chain is brought to equilibrium, and after."""
    whole = sampler(kind).run(8 * CHAINS, seed=5)
    begun = sampler(kind).begin(seed=5)
    for _ in range(advances if "thermalisation" in SAMPLES[kind][0] else 3):
        begun.advance()
    history = sampler(kind).begin(seed=5, stored=begun.state())
    while history.batches < 8:
        history.advance()
    rest = history.chain(8 * CHAINS)
    for name, values in whole.observables.items():
        assert np.array_equal(values, rest.observables[name]), name
    assert rest.events == whole.events


@ALL
def test_there_are_as_many_samples_as_were_asked_for(kind):
    if "batch" in SAMPLES[kind][0]:
        chain, whole = (sampler(kind).run(n, seed=5) for n in (CHAINS + 7, 2 * CHAINS))
        assert chain.samples == CHAINS + 7 and chain.log_weights.shape == (1, CHAINS + 7)
        for name, values in chain.observables.items():
            assert np.array_equal(values, whole.observables[name][:, : CHAINS + 7])
        return
    with pytest.raises(LqcdError, match=r"samples = 71 cannot be shared by 32 chains: choose 64 or 96"):
        sampler(kind).run(71, seed=5)


@ALL
def test_single_precision_samples_the_same(kind):
    count = 3000 if kind in COUNTS else 1600
    chain = sampler(kind).run(count, seed=3, dtype=torch.float32)
    assert chain.state.dtype == torch.float32
    one = report(chain).observables["plaquette"].estimate
    assert one.deviation(exact2d.plaquette_u1(BETA, VOLUME)) < 4


@ALL
def test_batches_are_seen_and_costs_are_told(kind):
    seen = []
    chain = sampler(kind).run(3 * CHAINS, seed=1, on_batch=lambda number, batch: seen.append((number, len(batch.x))))
    assert [number for number, _ in seen] == [0, 1, 2]
    assert chain.samples == 3 * CHAINS and chain.core_seconds > 0 and chain.sampler == kind
    free, trained = report(chain), report(chain, training_core_seconds=9.0)
    for name, one in trained.observables.items():
        if one.independent > 0:
            extra = one.core_seconds_with_training - free.observables[name].core_seconds
            assert extra == pytest.approx(9.0 / one.independent)


@ALL
def test_a_flow_is_asked_for_or_refused(kind):
    settings, flow = SAMPLES[kind]
    if kind in ("flow_hmc", "nonequilibrium"):
        KINDS[kind](**settings).on(U1)
        return
    with pytest.raises(LqcdError, match="flow"):
        KINDS[kind](**settings).on(U1, FLOW if flow is None else None)


def test_paths_in_torch_are_exact_too():
    settings = {"steps": 3, "update": Trajectories(steps=3, tau=1.5, integrator="2mn"), "batch": 512}
    told = report(KINDS["nonequilibrium"](**settings).on(U1, FLOW).run(8000, seed=2))
    one = told.observables["plaquette"].estimate
    assert one.error < 0.01 and one.deviation(exact2d.plaquette_u1(BETA, VOLUME)) < 4
