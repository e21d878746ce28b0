"""Laws of samplers: detailed balance, reversibility, orders of integrators, forces, jumps, work; and their reports."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from flow_laws import generators  # noqa: E402
from reference import exact2d  # noqa: E402
from scipy.special import iv  # noqa: E402

from lqcd_hpc import LqcdError  # noqa: E402
from lqcd_hpc.actions.complex_phi4 import ComplexPhi4  # noqa: E402
from lqcd_hpc.actions.phi4 import Phi4  # noqa: E402
from lqcd_hpc.actions.sigma import Sigma  # noqa: E402
from lqcd_hpc.actions.symanzik import Symanzik  # noqa: E402
from lqcd_hpc.actions.wilson import Wilson  # noqa: E402
from lqcd_hpc.analysis import effective_sample_size as ess  # noqa: E402
from lqcd_hpc.ml.bridge import KernelAction, field_of, to_field, to_tensor  # noqa: E402
from lqcd_hpc.ml.flow import Flow  # noqa: E402
from lqcd_hpc.ml.flows.affine import Affine  # noqa: E402
from lqcd_hpc.ml.nets.convolutional import Convolutional  # noqa: E402
from lqcd_hpc.ml.noise import Noise  # noqa: E402
from lqcd_hpc.ml.samplers.chain import Chain  # noqa: E402
from lqcd_hpc.ml.samplers.flow_hmc import Dynamics, FlowHMC  # noqa: E402
from lqcd_hpc.ml.samplers.heatbath import Heatbath  # noqa: E402
from lqcd_hpc.ml.samplers.hmc import HMC  # noqa: E402
from lqcd_hpc.ml.samplers.independence import Independence, metropolis  # noqa: E402
from lqcd_hpc.ml.samplers.instantons import instanton, jump  # noqa: E402
from lqcd_hpc.ml.samplers.motion import motion_of  # noqa: E402
from lqcd_hpc.ml.samplers.nonequilibrium import Nonequilibrium  # noqa: E402
from lqcd_hpc.ml.samplers.report import report  # noqa: E402
from lqcd_hpc.ml.samplers.reweighting import log_weights  # noqa: E402
from lqcd_hpc.ml.targets import target  # noqa: E402
from lqcd_hpc.ml.targets.gauge import loop_angle  # noqa: E402
from lqcd_hpc.ml.targets.scalar import ScalarTarget, SpinTarget, free_log_z, kinetic_spectrum  # noqa: E402
from lqcd_hpc.sampling.heatbath import HeatbathSweeps  # noqa: E402
from lqcd_hpc.sampling.hmc import Trajectories  # noqa: E402
from lqcd_hpc.sampling.integrators import SCHEMES, scheme  # noqa: E402

FREE = ScalarTarget(None, (4, 6), hopping=1.0, quadratic=4.0, quartic=0.0)  # m^2 = 4
FREE_PHI2 = float((1 / (kinetic_spectrum((4, 6)) + 4.0)).mean())
PHI4 = ScalarTarget(None, (4, 4), hopping=2.0, quadratic=0.0, quartic=8.0)
U1 = target(Wilson(beta=2.0), (4, 6), "U(1)")
SU2 = target(Wilson(beta=2.0), (4, 4), "SU(2)")
SU3 = target(Symanzik(beta=2.0), (4, 4), "SU(3)")
SCALARS = [
    target(Phi4(m2=-4.0, lam=6.975, normalisation="full"), (4, 6)),
    target(ComplexPhi4(eta=4.1, lam=1.0), (4, 6)),
    target(Sigma(beta=1.0, components=3), (4, 6)),
]
SPINS = SpinTarget(None, (16,), beta=1.0, components=3)
every_target = pytest.mark.parametrize(
    "one", [PHI4, U1, SU2, SU3, SPINS], ids=["phi4", "U(1)", "SU(2)", "SU(3)", "O(3)"]
)


def untrained(one, scale=0.2):
    """A flow with random parameters."""
    torch.manual_seed(3)
    flow = Affine(couplings=2, net=Convolutional(hidden=[4], kernel=3, activation="tanh")).on(one).double()
    for parameter in flow.parameters():
        parameter.data += scale * torch.randn_like(parameter)
    return flow


class Scale(torch.nn.Module):
    """z times a constant."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, z):
        return self.factor * z, z.new_full((len(z),), z[0].numel() * np.log(self.factor))

    def inverse(self, x):
        return x / self.factor, x.new_full((len(x),), -x[0].numel() * np.log(self.factor))


class Stretch(torch.nn.Module):
    """sinh(z)/2 at every site."""

    def forward(self, z):
        return torch.sinh(z) / 2, (torch.cosh(z) / 2).log().flatten(1).sum(1)


def dynamics(one, flow=None, name="leapfrog", tau=0.5, steps=5):
    return Dynamics(one, flow, scheme(name), tau, steps)


def start(one, flow=None, count=6, **settings):
    """A point and momenta; scalars not far out, where forces are steep."""
    md = dynamics(one, flow, **settings)
    z = md.prior.sample(count, Noise(1, 0))
    here = md.at(z / 3 if one is PHI4 else z)
    return md, here, md.motion.momenta(here.z, Noise(1, 1))


# ---- Metropolis tests of independent proposals


def test_detailed_balance_of_three_states():
    """pi_i q_j A_ij is symmetric, with A_ij the share of test numbers that let the chain go from i to j."""
    pi, q = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.1, 0.3])
    w = np.log(pi / q)
    tests = ((np.arange(4000) + 0.5) / 4000).tolist()
    accept = np.array([[np.mean([metropolis(a, [b], [t])[1][0] for t in tests]) for b in w] for a in w])
    flow = pi[:, None] * q[None] * accept
    assert np.abs(flow - flow.T).max() < 1e-4


def test_a_chain_of_three_states_has_their_probabilities():
    pi, q = np.array([0.2, 0.5, 0.3]), np.array([0.3, 0.4, 0.3])
    rng = np.random.default_rng(4)
    proposals = rng.choice(3, size=2_000_000, p=q)
    order, _ = metropolis(
        np.log(pi / q)[0], np.log(pi / q)[proposals].tolist(), rng.uniform(size=proposals.size).tolist()
    )
    states = np.concatenate([[0], proposals])[order]
    assert np.abs(np.bincount(states) / states.size - pi).max() < 1e-3


def test_independence_leaves_an_exact_ensemble_where_it_is():
    """Each of many states of the target makes one step with poor proposals of its own."""
    ensemble = FlowHMC(steps=10, tau=1.0, integrator="2mn", chains=4000, thermalisation=15).on(PHI4).run(4000, seed=1)
    x, flow = ensemble.state, Flow(PHI4.prior, [Scale(0.35)])
    fresh, log_q = flow.sample(len(x), Noise(2, 0))
    old, new = log_weights(PHI4, flow, x), -PHI4.action(fresh) - log_q
    tests = Noise(2, 1).uniform(len(x))
    moved = [metropolis(*row)[1][0] for row in zip(old.tolist(), new[:, None].tolist(), tests[:, None].tolist())]
    moved = torch.tensor(moved)
    after = torch.where(moved[:, None, None], fresh, x)
    change = PHI4.observables(after)["phi2"] - PHI4.observables(x)["phi2"]
    assert 0.01 < moved.double().mean() < 0.5
    assert abs(change.mean()) < 3.5 * change.std() / len(x) ** 0.5
    assert change.std() / len(x) ** 0.5 < 0.02 * PHI4.observables(x)["phi2"].mean()


def test_independence_goes_on_from_a_given_state():
    """A state of enormous weight is kept by every test."""
    flow = Flow(U1.prior, [])
    chain = Independence(batch=8).on(U1, flow).run(8, seed=1, start=torch.zeros(1, 2, 6, 4, dtype=torch.float64))
    assert not chain.accepted.any() and np.all(chain.observables["plaquette"] == 1)


# ---- hybrid Monte Carlo in the variables of a flow


def test_an_identity_flow_is_plain_hmc_to_the_bit():
    """... and plain HMC is that of the textbook, with the same random numbers."""
    hmc = FlowHMC(steps=5, tau=1.0, integrator="leapfrog", chains=16)
    plain, identity = (hmc.on(PHI4, flow).run(16 * 6, seed=5) for flow in (None, Flow(PHI4.prior, [])))
    assert torch.equal(plain.state, identity.state) and np.array_equal(plain.delta_h, identity.delta_h)
    phi = torch.zeros(16, 4, 4, dtype=torch.float64)
    for event in range(1, 7):
        noise = Noise(5, event)
        p = noise.normal(16, (4, 4))
        end, momenta = textbook(phi, p)
        dh = PHI4.action(end) + (momenta**2).sum((1, 2)) / 2 - PHI4.action(phi) - (p**2).sum((1, 2)) / 2
        accepted = torch.log(noise.uniform(16)) < -dh
        phi = torch.where(accepted[:, None, None], end, phi)
        assert np.array_equal(plain.accepted[:, event - 1], accepted)
    assert (plain.state - phi).abs().max() < 1e-12 and 0.2 < plain.accepted.mean() < 1


def textbook(phi, p, eps=0.2, steps=5):
    """Leapfrog for S = sum -2 phi phi' + 8 phi^4."""

    def force(phi):
        near = sum(torch.roll(phi, step, axis) for step in (1, -1) for axis in (1, 2))
        return 2 * near - 32 * phi**3

    p = p + eps / 2 * force(phi)
    for number in range(steps):
        phi = phi + eps * p
        p = p + (eps if number < steps - 1 else eps / 2) * force(phi)
    return phi, p


@every_target
def test_trajectories_are_reversible(one):
    flow = untrained(one) if one is PHI4 else None
    for name in ("leapfrog", "omf4"):
        md, here, p = start(one, flow, name=name)
        there, q = md.integrate(here, p)
        assert (there.z - here.z).abs().max() > 0.1
        back, r = md.integrate(there, -q)
        assert (back.z - here.z).abs().max() < 1e-9 and (r + p).abs().max() < 1e-9


@every_target
@pytest.mark.parametrize("name", SCHEMES)
def test_energy_violation_has_the_order_of_the_integrator(one, name):
    if one is SPINS and name == "force-gradient":
        with pytest.raises(LqcdError, match="choose omf4"):
            motion_of(one.prior, scheme(name))
        return
    flow = untrained(one, 0.1) if one is PHI4 else None
    violation = []
    for steps in (8, 16):
        md, here, p = start(one, flow, count=8, name=name, tau=0.4, steps=steps)
        there, q = md.integrate(here, p)
        dh = there.action + md.motion.kinetic(q) - here.action - md.motion.kinetic(p)
        violation.append((dh**2).mean().sqrt())
    assert np.log2(float(violation[0] / violation[1])) == pytest.approx(scheme(name).order, abs=0.3)


@every_target
def test_the_force_is_the_slope_of_the_action(one):
    """d/dt [S(f(z)) - log det] along the free motion is -(force, p)."""
    md, here, p = start(one, untrained(one) if one is PHI4 else None)
    ends = [md.at(md.motion.drift(here.z, p, eps)[0]).action for eps in (1e-5, -1e-5)]
    product = (here.force.conj() * p).real.flatten(1).sum(1) * (2 if p.is_complex() else 1)
    assert ((ends[0] - ends[1]) / 2e-5 + product).abs().max() < 1e-6 * (1 + product.abs().max())


@pytest.mark.parametrize("one", [U1, SU2, SU3, SPINS], ids=["U(1)", "SU(2)", "SU(3)", "O(3)"])
def test_momenta_have_one_half_per_direction(one):
    md, here, p = start(one, count=400)
    generators = {U1: 1, SU2: 3, SU3: 8, SPINS: 2}[one]
    half = generators * np.prod(one.prior.shape[: -2 if p.is_complex() else -1 if one is SPINS else None]) / 2
    energy = md.motion.kinetic(p)
    assert abs(energy.mean() - half) < 4 * (half / 400) ** 0.5 and 0.7 < energy.var() / half < 1.4


@pytest.mark.parametrize("make", [lambda: untrained(FREE, 0.1), lambda: Flow(FREE.prior, [Stretch()])])
def test_a_flow_that_is_far_from_the_target_biases_nothing(make):
    hmc = FlowHMC(steps=2, tau=0.7, integrator="2mn", chains=512, thermalisation=20)  # no frequency is near pi/tau
    told = report(hmc.on(FREE, make()).run(512 * 40, seed=3))
    one = told.observables["phi2"].estimate
    assert one.error < 0.005 * FREE_PHI2 and one.deviation(FREE_PHI2) < 3.5
    assert told.exp_minus_dh.error < 0.02 and told.exp_minus_dh.deviation(1) < 3.5 and 0.5 < told.acceptance < 0.99


def test_links_and_spins_move_to_their_exact_averages():
    told = report(FlowHMC(steps=4, tau=1.0, integrator="2mn", chains=256, thermalisation=10).on(SU2).run(256 * 10, 3))
    one, exact = told.observables["plaquette"].estimate, exact2d.plaquette_sun(2, 2.0, 16)
    assert one.error < 0.01 * exact and one.deviation(exact) < 3.5 and told.exp_minus_dh.deviation(1) < 3.5
    told = report(FlowHMC(steps=6, tau=1.5, integrator="2mn", chains=256, thermalisation=10).on(SPINS).run(256 * 15, 3))
    one, exact = told.observables["energy"].estimate, 1 / np.tanh(1.0) - 1  # the ring of 16 is long
    assert one.error < 0.01 * exact and one.deviation(-exact) < 3.5 and told.exp_minus_dh.deviation(1) < 3.5


def test_a_flow_of_other_variables_is_refused():
    with pytest.raises(LqcdError, match="build it with"):
        FlowHMC(steps=1, tau=1.0, integrator="2mn").on(PHI4, Flow(FREE.prior, []))
    with pytest.raises(LqcdError, match="build it with"):
        FlowHMC(steps=1, tau=1.0, integrator="2mn").on(SU2, Flow(U1.prior, []))


def test_a_trajectory_that_overflows_is_rejected():
    chain = FlowHMC(steps=2, tau=1e200, integrator="leapfrog", chains=4).on(PHI4).run(8, seed=1)
    assert not chain.accepted.any() and np.isfinite(chain.observables["phi2"]).all()


# ---- kernels


@pytest.mark.parametrize("one", [U1, SU2, SU3, *SCALARS], ids=["U(1)", "SU(2)", "SU(3)", "phi4", "complex", "O(3)"])
def test_kernels_have_the_value_and_the_force_of_torch(one):
    x = one.prior.sample(3, Noise(1, 0)).requires_grad_()
    kernel = KernelAction(one, replicas=3)
    assert (to_tensor(to_field(x, field_of(one, 3))) - x).abs().max() < 1e-14
    weight = torch.tensor([1.0, -0.5, 2.0], dtype=torch.float64)
    assert (kernel(x) - one.action(x)).abs().max() < 1e-11
    ours, theirs = (torch.autograd.grad((weight * value).sum(), x)[0] for value in (kernel(x), one.action(x)))
    if one is SCALARS[2]:
        theirs = theirs - (theirs * x).sum(-1, keepdim=True) * x
    if x.is_complex():
        t = generators(x.shape[-1])
        ours, theirs = (torch.einsum("aij,...jk,...ik->...a", t, x, g.conj()).imag for g in (ours, theirs))
    assert theirs.abs().max() > 0.1 and (ours - theirs).abs().max() < 1e-12


def test_kernels_and_torch_sample_the_same_phi4():
    """<phi^2> of the 6^2 lattice of arXiv:1904.12072 (m^2 = -4, lambda = 6.975), by plain HMC and by flow HMC."""
    e1 = target(Phi4(m2=-4.0, lam=6.975, normalisation="full"), (6, 6))
    settings = {"steps": 8, "tau": 1.0, "integrator": "2mn", "chains": 64, "thermalisation": 30}
    for hmc in (HMC(**settings), FlowHMC(**settings)):
        one = report(hmc.on(e1).run(64 * 120, seed=6)).observables["phi2"].estimate
        assert one.error < 0.001 and abs(one.mean - 0.16139) < 3.5 * np.hypot(one.error, 4e-5)


def test_kernels_refuse_a_second_derivative():
    x = U1.prior.sample(2, Noise(1, 0)).requires_grad_()
    (g,) = torch.autograd.grad(KernelAction(U1, replicas=2)(x).sum(), x, create_graph=True)
    with pytest.raises(LqcdError, match="second derivative"):
        g.sum().backward()


def test_an_instanton_has_charge_one_and_the_least_action():
    angle = loop_angle(instanton((4, 6))[None], (1, 2, -1, -2))
    assert (torch.remainder(angle, 2 * torch.pi) - 2 * torch.pi / 24).abs().max() < 1e-14
    assert U1.observables(instanton((4, 6))[None])["q"] == 1


def test_jumps_keep_the_distribution_and_change_sectors():
    """From an exact ensemble, jumps alone leave chi_q and the plaquette where they are."""
    x = HMC(steps=8, tau=1.5, integrator="2mn", chains=512, thermalisation=20).on(U1).run(512, seed=3).state
    after, accepted = jump(U1)(x, Noise(1, 0))
    old, new = U1.observables(x), U1.observables(after)
    changed = (new["q"] - old["q"]).abs()
    assert 0.2 < accepted.double().mean() < 0.9 and torch.equal(changed > 0, accepted & (changed > 0))
    for name in ("plaquette", "chi_q", "q"):
        change = new[name] - old[name]
        assert abs(change.mean()) < 3.5 * change.std() / 512**0.5, name


def test_jumps_thaw_the_charge_where_hmc_freezes():
    """U(1) on 16^2 at beta = 7: the susceptibility of the torus."""
    deep = target(Wilson(beta=7.0), (16, 16), "U(1)")
    settings = {"overrelaxation": 1, "chains": 64, "thermalisation": 40}
    thawed = report(Heatbath(instantons=True, **settings).on(deep).run(64 * 200, seed=2))
    exact = exact2d.susceptibility_u1(7.0, 256)
    one = thawed.observables["chi_q"].estimate
    assert one.error < 0.04 * exact and one.deviation(exact) < 3.5
    frozen = HMC(steps=8, tau=1.0, integrator="2mn", chains=16, thermalisation=20).on(deep).run(16 * 30, seed=2)
    assert (np.ptp(frozen.observables["q"], axis=1) == 0).mean() > 0.5
    assert any("too short" in text or "never changed" in text for text in report(frozen).warnings)


def test_jumps_are_for_two_dimensional_u1():
    with pytest.raises(LqcdError, match="instantons = false"):
        Heatbath(instantons=True).on(SU2)


# ---- work


def test_work_tells_log_z_of_u1_and_of_the_free_field():
    told = report(Nonequilibrium(steps=30, update=HeatbathSweeps(), batch=64).on(U1).run(1280, seed=4))
    exact = np.log(np.sum((iv(np.arange(-20, 21), 2.0)) ** 24)) - 2.0 * 24
    assert told.log_z[1] < 0.15 and abs(told.log_z[0] - exact) < 3.5 * told.log_z[1]
    path = Nonequilibrium(steps=20, update=Trajectories(steps=3, tau=1.0, integrator="2mn"), batch=1024)
    told = report(path.on(FREE).run(3072, seed=4))
    assert told.log_z[1] < 0.15 and abs(told.log_z[0] - free_log_z((4, 6), 4.0)) < 3.5 * told.log_z[1]


def test_what_a_sampler_cannot_do_is_refused_at_once():
    with pytest.raises(LqcdError, match="has no kernels"):
        HMC(steps=1, tau=1.0, integrator="2mn").on(PHI4)
    with pytest.raises(LqcdError, match="choose hmc or metropolis"):
        Heatbath().on(PHI4)
    with pytest.raises(LqcdError, match="choose an hmc update"):
        Nonequilibrium(steps=2, update=HeatbathSweeps()).on(PHI4)
    with pytest.raises(LqcdError, match="a heatbath or an hmc update"):
        Nonequilibrium(steps=2, update=None).on(PHI4)
    with pytest.raises(LqcdError, match="begins at"):
        Nonequilibrium(steps=2, update=HeatbathSweeps()).on(U1, Flow(FREE.prior, []))


def test_one_step_of_a_path_with_a_flow_is_reweighting():
    flow = untrained(PHI4)
    path = Nonequilibrium(steps=1, update=Trajectories(steps=1, tau=1.0, integrator="2mn"), batch=16)
    chain = path.on(PHI4, flow).run(16, seed=3)
    x, log_q = flow.sample(16, Noise(3, 0))
    assert np.abs(chain.log_weights[0] - (-PHI4.action(x) - log_q).detach().numpy()).max() < 1e-11


# ---- effective sample sizes and reports


def test_effective_sample_sizes_of_gaussians():
    """q = N(0, 1), p = N(0, s^2): <w>^2/<w^2> = sqrt(2 s^2 - s^4)/s^2 ... both estimates agree."""
    rng, s = np.random.default_rng(1), 0.8

    def log_w(x):
        return -(x**2) / (2 * s**2) + x**2 / 2

    exact = s * np.sqrt(2 - s**2)
    q, p = rng.normal(size=400_000), s * rng.normal(size=400_000)
    assert ess.reverse_ess(log_w(q)) == pytest.approx(exact, abs=0.005)
    assert ess.forward_ess(log_w(p)) == pytest.approx(exact, abs=0.005)
    value, error = ess.log_z(log_w(q))
    assert error < 0.01 and abs(value - np.log(s)) < 4 * error
    pairs = np.minimum(1, np.exp(log_w(rng.permutation(q)) - log_w(p)))
    assert ess.equilibrium_acceptance(log_w(q)) == pytest.approx(pairs.mean(), abs=0.005)


def test_the_bound_on_tau_holds_for_a_chain():
    rng = np.random.default_rng(2)
    x = rng.normal(size=200_000)
    w = -(x**2) / (2 * 0.6**2) + x**2 / 2
    _, accepted = metropolis(w[0], w.tolist(), rng.uniform(size=x.size).tolist())
    assert np.mean(accepted) == pytest.approx(ess.equilibrium_acceptance(w), abs=0.005)
    assert ess.tau_int_bound(w) == pytest.approx(1 / np.mean(accepted) - 0.5, abs=0.02)


def test_a_lost_mode_is_noticed():
    """q covers one of two modes: the reverse size is 1, the forward one collapses."""
    rng = np.random.default_rng(3)
    own = rng.normal(5.0, 1.0, 10_000)
    both = own * rng.choice([-1, 1], own.size)

    def log_w(x):
        return np.logaddexp(-((x - 5) ** 2) / 2, -((x + 5) ** 2) / 2) + (x - 5) ** 2 / 2

    reverse, forward = ess.reverse_ess(log_w(own)), ess.forward_ess(log_w(both))
    assert reverse > 0.99 and forward < 0.01
    assert "mode collapse" in ess.diagnose(reverse, forward)[0]
    assert "training" in ess.diagnose(0.1, training=0.6)[0] and not ess.diagnose(0.5, 0.45, 0.55)


def test_weights_that_are_not_numbers_are_refused():
    with pytest.raises(LqcdError, match="not finite"):
        ess.reverse_ess([0.0, np.nan])


def test_costs_count_independent_samples():
    """tau_int of an AR(1) chain is (1 + a)/(1 - a)/2; independent samples are N/2 tau."""
    rng, a = np.random.default_rng(4), 0.8
    x = np.zeros((4, 20_000))
    noise = rng.normal(size=x.shape)
    for t in range(1, x.shape[1]):
        x[:, t] = a * x[:, t - 1] + noise[:, t]
    told = report(Chain("test", {"x": x}, core_seconds=10.0), training_core_seconds=90.0).observables["x"]
    assert told.estimate.tau_int == pytest.approx(4.5, rel=0.1)
    assert told.independent == pytest.approx(80_000 / 9, rel=0.1)
    assert told.core_seconds_with_training == pytest.approx(10 * told.core_seconds)


@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_reweighted_errors_are_those_of_repeated_runs(shift):
    """... also where the observable is large and hardly varies."""
    rng, s = np.random.default_rng(5), 0.4

    def one(count):
        x = rng.normal(size=(1, count))
        return Chain("test", {"x2": x**2 + shift}, 1.0, log_weights=-(x**2) / (2 * s**2) + x**2 / 2, weighted=True)

    runs = [report(one(400)).observables["x2"].estimate for _ in range(60)]
    means = np.array([run.mean for run in runs])
    assert abs(means.mean() - s**2 - shift) < 4 * means.std() / 60**0.5
    assert np.mean([run.error for run in runs]) == pytest.approx(means.std(), rel=0.3)


def test_a_report_prints_and_becomes_plain_numbers():
    flow = Flow(U1.prior, [])
    chain = Independence(batch=64).on(U1, flow).run(640, seed=1)
    told = report(chain, target_log_weights=np.zeros(10), training_core_seconds=3.0, training_ess=1.0)
    assert "independence" in str(told) and "plaquette" in str(told) and "WARNING" in str(told)
    assert told.to_dict()["observables"]["plaquette"]["estimate"]["samples"] == 640
    assert told.warnings and told.ess_forward == 1.0
