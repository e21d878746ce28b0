"""Learned preconditioners: networks and their gradients, training as a run, and what they are worth in a solver."""

import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fermions import assert_close, fill  # noqa: E402
from learned_samples import TABLES  # noqa: E402
from preconditioner_runs import as_toml, run_file, solve, thermal  # noqa: E402

from lqcd_hpc import Lattice, LqcdError, Random, gauge  # noqa: E402
from lqcd_hpc.config import described, load  # noqa: E402
from lqcd_hpc.lattice import SerialCommunicator  # noqa: E402
from lqcd_hpc.ml.bridge import slots  # noqa: E402
from lqcd_hpc.ml.layers.path_convolution import LocalPathConvolutionLayer, Work, product  # noqa: E402
from lqcd_hpc.ml.preconditioners.gammas import gammas  # noqa: E402
from lqcd_hpc.ml.preconditioners.models import SHIPPED, description_of  # noqa: E402
from lqcd_hpc.ml.preconditioners.multigrid import Classical, Multigrid  # noqa: E402
from lqcd_hpc.ml.preconditioners.smoother import Smoother  # noqa: E402
from lqcd_hpc.ml.solvers.learned import Learned, Trained  # noqa: E402
from lqcd_hpc.ml.training.inversion import InversionTrainer  # noqa: E402
from lqcd_hpc.ml.training.processes import Processes  # noqa: E402
from lqcd_hpc.ml.training.settings import Inversion  # noqa: E402
from lqcd_hpc.ml.training.state import read_model  # noqa: E402
from lqcd_hpc.operators.chain import Chain  # noqa: E402
from lqcd_hpc.operators.clover import Clover  # noqa: E402
from lqcd_hpc.operators.finish import Finish  # noqa: E402
from lqcd_hpc.operators.path_links import Transport  # noqa: E402
from lqcd_hpc.operators.wilson import Wilson  # noqa: E402
from lqcd_hpc.run import execute  # noqa: E402
from lqcd_hpc.run.journal import read  # noqa: E402
from lqcd_hpc.run.train_preconditioner import prepared  # noqa: E402

WILSON = Wilson(mass=0.3, boundary=(1, -1), twist=(0.2, 0.0))
NETWORKS = {
    "chain": Smoother(features=(1, 1, 1)),
    "two features": Smoother(features=(1, 2, 1)),
    "two steps": Smoother(features=(1, 1), steps=2),
    "long": Smoother(features=(1, 1, 1, 1), lengths=(1, 2, 4), skip=True),
}
every_network = pytest.mark.parametrize("name", NETWORKS)


def operator(shape=(8, 8), group="SU(2)"):
    return WILSON.on(gauge.hot(Lattice(shape), Random(1), group))


def network_of(name, D, seed=3):
    """A network with random weights."""
    network = NETWORKS[name].on(D)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=generator, dtype=p.dtype))
    return network


@every_network
def test_what_learns_is_what_kernels_apply(name):
    D = operator()
    network = network_of(name, D)
    psi = fill(D.vector(3))
    y = network(slots(psi).clone(), network.works(D, 3))
    assert_close(y.detach().numpy(), slots(network.kernels(D).apply(psi)).numpy(), 1e-14)


def test_a_layer_with_matrices_of_every_site_has_the_gradients_of_finite_differences():
    D = operator((4, 8))
    there = Transport(paths=("", "+x", "-y -y"), boundary=(1, -1))
    layer = LocalPathConvolutionLayer(there, D.U, 1, 2)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        layer.weights.copy_(torch.randn(layer.weights.shape, generator=generator, dtype=layer.weights.dtype))
    work, x = Work(layer.on(D.U), 1), slots(fill(D.vector(), 1)).clone().requires_grad_()
    target = slots(fill(D.vector(2), 2)).clone()
    (layer(x, work) - target).square().sum().backward()
    for one in (x, layer.weights):
        direction, found = torch.randn(one.shape, generator=generator, dtype=one.dtype), []
        for h in (1e-3, -1e-3):
            with torch.no_grad():
                one.add_(h * direction)
                found.append(float((layer(x, work) - target).square().sum()))
                one.sub_(h * direction)
        assert float((one.grad * direction).sum()) == pytest.approx((found[0] - found[1]) / 2e-3, rel=1e-8)


def test_a_second_derivative_is_refused():
    D = operator((4, 8))
    network = network_of("chain", D)
    x = slots(fill(D.vector())).clone().requires_grad_()
    for y in (network(x, network.works(D, 1)), product(x, Work(D, 1))):
        (slope,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
        with pytest.raises(LqcdError, match="differentiated once"):
            slope.square().sum().backward()


@pytest.mark.parametrize("skip", [False, True])
def test_training_starts_from_the_neumann_series(skip):
    """M = (1 + K + K^2 + K^3)/a for D = a (1 - K)."""
    D = operator()
    psi = fill(D.vector())
    a, M = WILSON.diagonal(2), Smoother(features=(1, 1, 1, 1), skip=skip).on(D).kernels(D)
    term = total = psi.to_numpy()
    for _ in range(3):
        term = term - D.apply(D.vector().from_numpy(term)).to_numpy() / a
        total = total + term
    assert_close(M.apply(psi), total / a)


def test_a_chain_is_a_product_and_ends_as_operators_do():
    D = operator()
    psi, left = fill(D.vector(), 1), fill(D.vector(), 2)
    product = D.apply(D.apply(psi)).to_numpy()
    assert_close(Chain([D, D]).apply(psi), product)
    assert_close(Chain([D, D]).adjoint(psi), D.adjoint(D.adjoint(psi)))
    out = D.vector()
    *_, last = (launch() for launch in Chain([D, D], [0.5]).launches(psi, out, finish=Finish(dot=True, left=left)))
    expected = product + 0.5 * psi.to_numpy()
    assert_close(out, expected)
    assert last["re0"] + 1j * last["im0"] == pytest.approx(np.vdot(left.to_numpy(), expected))
    with pytest.raises(LqcdError, match="no adjoint"):
        Chain([D, D], [0.5]).adjoint(psi)


def test_first_weights_have_the_gamma_matrices_of_the_kernels():
    from reference import gammas as reference

    for ndim in (2, 4):
        assert np.array_equal(gammas(ndim), reference.gammas(ndim))


# ---- what it is worth


@pytest.mark.parametrize("name, gain", [("chain", 1.7), ("long", 3.5)])
def test_a_trained_smoother_saves_iterations_also_on_fields_it_has_not_seen(name, gain, figure):
    wilson = Wilson(mass=-0.03, boundary=(1, -1))
    seen, unseen = (wilson.on(thermal((16, 16), "U(1)", 6.0, seed)) for seed in (1, 2))
    network = NETWORKS[name].on(seen)
    settings = Inversion(steps=150, batch=4, learning_rate=1e-2, schedule="cosine")
    InversionTrainer(network, [seen.to("single")], settings, seed=1).run()
    M, gains = Trained(network), []
    for D in (seen, unseen):
        solution = solve(D, M, 1e-4, restart=100)
        assert solution.residual <= 1e-4
        gains.append(solve(D, None, 1e-4, restart=100).iterations / solution.iterations)
        figure(f"gain in iterations, {name}", gains[-1])
    assert gains[0] >= gain and gains[1] >= 0.9 * gains[0]


def test_iterations_with_a_learned_multigrid_do_not_grow_towards_the_critical_mass(figure):
    """Trained at one mass on one gauge field, used at others on another, where plain FGMRES slows down."""
    description = Multigrid(solver=Classical(blocks=[[4, 4]], vectors=4), smoother=Smoother(features=(1, 1, 1)))
    seen, unseen = (thermal((16, 16), "U(1)", 6.0, seed) for seed in (1, 2))
    wilson = Wilson(mass=-0.03, boundary=(1, -1))
    network = description.on(wilson.on(seen))
    settings = Inversion(steps=60, batch=4, learning_rate=1e-2, schedule="cosine")
    InversionTrainer(network, [wilson.on(seen).to("single")], settings, seed=1).run()
    plain, learned = [], []
    for mass in (0.2, 0.0, -0.05):
        D = Wilson(mass=mass, boundary=(1, -1)).on(unseen)
        solution = solve(D, Trained(network), 1e-8)
        assert solution.residual <= 1e-8
        learned.append(solution.iterations)
        plain.append(solve(D, None, 1e-8).iterations)
    figure("iterations of FGMRES without and with the learned multigrid", f"{plain} {learned}")
    assert plain[-1] >= 3 * plain[0]
    assert max(learned) <= 1.2 * min(learned)


def test_a_learned_multigrid_is_the_correction_then_the_smoother():
    description = Multigrid(solver=Classical(blocks=[[4, 4]], vectors=4), smoother=NETWORKS["chain"])
    D = WILSON.on(thermal((16, 16), "U(1)", 6.0, 1))
    network = description.on(D)
    A = network.level(D).A
    r, u, z = fill(A.vector(), 1), A.vector(), A.vector()
    network.correction(D).apply(r, u)
    left = A.vector().from_numpy(r.to_numpy() - A.apply(u).to_numpy())
    expected = u.to_numpy() + network.smoother.kernels(A).apply(left).to_numpy()
    network.kernels(D).apply(r, z)
    assert_close(z, expected, 1e-12)


# ---- runs


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("preconditioner")
    execute(run_file(folder), say=lambda text: None)
    return folder / "out"


@pytest.mark.parametrize("name", ["multigrid", "coarse", "multigrid learned"])
def test_a_run_trains_what_has_coarse_levels(name, tmp_path):
    path = run_file(tmp_path, preconditioner=as_toml(TABLES[name]), count=1, steps=10, train="learning_rate = 3e-3")
    path.write_text(path.read_text().replace("learning_rate = 1e-2\n", ""))
    execute(path, say=lambda text: None)
    D = Wilson(mass=0.1, boundary=(1, -1)).on(gauge_fields(load(path))[0])
    assert solve(D, Learned(model=str(tmp_path / "out"))).iterations < 0.3 * solve(D).iterations


def gauge_fields(run):
    """The configurations that a run file makes."""
    return prepared(run, Processes(SerialCommunicator())).fields


def losses(directory):
    return [r["values"]["loss"] for r in read(directory / "journal.jsonl") if r["name"] == "train"]


def test_a_run_leaves_a_model_that_solvers_take_by_its_name(model):
    card = json.loads((model / "model" / "card.json").read_text())
    assert (
        card["steps"] == 20 and card["group"] == "U(1)" and card["iterations"]["with"] < card["iterations"]["without"]
    )
    table = {"kind": "fgmres", "tol": 1e-8, "preconditioner": {"kind": "learned", "model": str(model)}}
    D = Wilson(mass=0.1, boundary=(1, -1)).on(thermal((8, 8), "U(1)", 6.0, 4, 5))
    b = fill(D.vector(2))
    plain, solver = described("solver", {"kind": "fgmres", "tol": 1e-8}, "solver"), described("solver", table, "solver")
    solution = solver(D, b)
    assert solution.residual <= 1e-8 and solution.iterations < 0.6 * plain(D, b).iterations


def test_a_training_goes_on_from_its_checkpoint_and_does_not_depend_on_groups(model, tmp_path):
    shutil.copytree(model, tmp_path / "out")
    execute(run_file(tmp_path, steps=30), say=lambda text: None)
    execute(run_file(tmp_path, "whole", steps=30), say=lambda text: None)
    assert losses(tmp_path / "out") == losses(tmp_path / "whole")
    assert losses(tmp_path / "out")[:20] == losses(model)


def test_a_training_starts_from_a_model_at_another_mass_and_volume(model, tmp_path):
    path = run_file(tmp_path, mass=0.05, shape=[4, 8], train=f'start = "{model}"', steps=10)
    execute(path, say=lambda text: None)
    execute(run_file(tmp_path, "fresh", mass=0.05, shape=[4, 8], steps=10), say=lambda text: None)
    assert losses(tmp_path / "out")[0] < losses(tmp_path / "fresh")[0]


@pytest.mark.parametrize("name", sorted(path.name for path in SHIPPED.iterdir()))
def test_models_that_come_with_the_package_help_on_fields_of_another_volume(name):
    """Trained on 8^3 x 16 at beta = 6 and csw = 1 (jobs/preconditioner-*.toml)."""
    if name.startswith("multigrid"):
        pytest.skip("its kernels take long to compile")
    D = Clover(mass=-0.3, csw=1.0, boundary=(1, 1, 1, -1)).on(thermal((4, 4, 4, 8), "SU(3)", 6.0, 1, 20))
    found = solve(D, Learned(model=name), 1e-4)
    assert found.residual <= 1e-4 and solve(D, None, 1e-4).iterations >= 1.7 * found.iterations


@pytest.mark.parametrize("name", sorted(path.name for path in SHIPPED.iterdir() if path.is_dir()))
def test_models_that_come_with_the_package_are_whole(name):
    tensors, card = read_model(SHIPPED / name)
    assert tensors and description_of(card["preconditioner"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"more": "width = 3"}, "unknown key 'width'"),
        ({"features": [1]}, "before and after every layer"),
        ({"more": "steps = 2\nlengths = [1]"}, "not both"),
        ({"features": [1, 2, 1], "more": "skip = true"}, "must be equal"),
        ({"train": "together = 3\ngroups = 2"}, "not a multiple of groups"),
        ({"count": '2\nfiles = ["a"]'}, "files = "),
    ],
)
def test_faulty_run_files_are_refused(options, message, tmp_path):
    with pytest.raises(LqcdError, match=message):
        load(run_file(tmp_path, **options))


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path):
    path = run_file(tmp_path)
    path.write_text(path.read_text().replace("1e-2", "1e30"))
    with pytest.raises(LqcdError, match="diverged"):
        execute(path, say=lambda text: None)


def test_a_model_of_something_else_is_refused(model, tmp_path):
    D = Wilson(mass=0.1, boundary=(1, -1)).on(gauge.hot(Lattice((8, 8)), Random(1), "SU(2)"))
    with pytest.raises(LqcdError, match=r"group = U\(1\), this operator has SU\(2\)"):
        Learned(model=str(model)).on(D)
    copy = shutil.copytree(model / "model", tmp_path / "model")
    card = json.loads((copy / "card.json").read_text())
    (copy / "card.json").write_text(json.dumps(card | {"gammas": "Dirac's"}))
    D = Wilson(mass=0.1, boundary=(1, -1)).on(gauge.hot(Lattice((8, 8)), Random(1), "U(1)"))
    with pytest.raises(LqcdError, match="gammas = Dirac's"):
        Learned(model=str(copy)).on(D)
    with pytest.raises(LqcdError, match="no trained model"):
        Learned(model=str(tmp_path / "none")).on(D)
