"""The learned low-mode model: its layers against their formula, where it starts, and what the best of it is."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fermions import assert_close, fill  # noqa: E402
from learned_samples import LEVELS, TABLES  # noqa: E402
from preconditioner_runs import as_toml, run_file, solve, thermal  # noqa: E402
from reference import block_stencil as reference  # noqa: E402

from lqcd_hpc import Field, Lattice, LqcdError  # noqa: E402
from lqcd_hpc.config import load  # noqa: E402
from lqcd_hpc.ml.bridge import slots  # noqa: E402
from lqcd_hpc.ml.layers.block_convolution import BlockConvolutionLayer  # noqa: E402
from lqcd_hpc.ml.layers.path_convolution import Work  # noqa: E402
from lqcd_hpc.ml.preconditioners.coarse import Classical, Coarse  # noqa: E402
from lqcd_hpc.ml.preconditioners.models import start_from  # noqa: E402
from lqcd_hpc.ml.solvers.learned import Trained  # noqa: E402
from lqcd_hpc.ml.training.inversion import InversionTrainer  # noqa: E402
from lqcd_hpc.ml.training.settings import Inversion  # noqa: E402
from lqcd_hpc.operators.aggregates import coarse_vectors  # noqa: E402
from lqcd_hpc.operators.block_stencil import BlockStencil  # noqa: E402
from lqcd_hpc.operators.wilson import Wilson  # noqa: E402
from lqcd_hpc.run import execute  # noqa: E402

SHAPES = [(4, 2), (2, 4, 6), (2, 2, 2, 4)]


def stencil(shape, seed=5, vectors=1):
    A = BlockStencil(Field(Lattice(shape), coarse_vectors(vectors)))
    fill(A.matrices, seed)
    return A


def operator(mass=0.1, shape=(16, 16), seed=1):
    return Wilson(mass=mass, boundary=(1, -1)).on(thermal(shape, "U(1)", 6.0, seed))


def model(layers, **levels):
    return Coarse(solver=Classical(**{"blocks": [[4, 4]], "vectors": 4} | levels), layers=layers)


def flat(field):
    """A vector of the coarse lattice as a column, halves and vectors together."""
    values = field.to_numpy()
    return values.reshape(*values.shape[:-2], -1)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_stencil_its_adjoint_and_its_gradient_are_those_of_the_formula(shape):
    A = stencil(shape)
    psi, phi, matrices = fill(A.vector(), 1), fill(A.vector(), 2), A.matrices.to_numpy()
    assert_close(flat(A.apply(psi)), reference.apply(matrices, flat(psi)))
    assert_close(flat(A.adjoint(phi)), reference.adjoint(matrices, flat(phi)))
    assert_close(A.gradient(psi, phi)().to_numpy(), reference.gradient(flat(psi), flat(phi)))
    expected = A.dense() @ flat(psi).reshape(-1)
    assert_close(flat(A.apply(psi)).reshape(-1), expected)


def test_the_gradient_sums_over_right_hand_sides():
    A = stencil((4, 2))
    psi, phi, found = fill(A.vector(3), 1), fill(A.vector(3), 2), 0
    for k in range(3):
        one, other = (A.vector().from_numpy(f.to_numpy()[k]) for f in (psi, phi))
        found = found + A.gradient(one, other)().to_numpy()
    assert_close(A.gradient(psi, phi)().to_numpy(), found)


def test_a_layer_holds_what_it_is_given():
    """Its weights are the matrices in canonical order, and with those of D~ it is D~."""
    D = operator()
    coarse = model(1).solver.made(D).level.coarse
    layer = BlockConvolutionLayer(coarse.vector())
    layer.set_matrices(coarse.gathered())
    x = fill(coarse.vector(2))
    found = layer(slots(x).clone(), Work(layer.on(coarse.vector()), 2))
    assert torch.equal(found, slots(coarse.apply(x)))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_training_starts_from_the_neumann_series_about_the_blocks(layers):
    """M~ = (1 + K + .. + K^n) A_0^-1 for D~ = A_0 (1 - K)."""
    D = operator(shape=(16, 8))
    network = model(layers, vectors=2).on(D)
    coarse = network.level(D).coarse
    dense, blocks = coarse.dense(), coarse.gathered()[0]
    inverse = np.zeros_like(dense).reshape(len(blocks), coarse.size, len(blocks), coarse.size)
    inverse[np.arange(len(blocks)), :, np.arange(len(blocks))] = np.linalg.inv(blocks)
    inverse = inverse.reshape(dense.shape)
    K = np.eye(len(dense)) - inverse @ dense
    expected = sum(np.linalg.matrix_power(K, n) for n in range(layers + 1)) @ inverse
    v, found = fill(coarse.vector()), coarse.vector()
    network.solver(coarse).apply(v, found)
    assert_close(flat(found).reshape(-1), expected @ flat(v).reshape(-1), 1e-12)


def test_a_trained_layer_is_nearly_the_best_one(figure):
    """With one layer |M~ D~ - 1|^2 is quadratic in the matrices: rows of least squares, where the hops lead."""
    D = operator(-0.03, shape=(24, 12))
    network = model(1, vectors=2).on(D)
    coarse = network.level(D).coarse
    settings = Inversion(steps=600, batch=8, learning_rate=1e-2, schedule="cosine", precision="double")
    InversionTrainer(network, [D], settings, seed=1).run()
    learnt = network.layers[0].on(coarse.vector()).dense()
    dense, best = coarse.dense(), 0.0
    for row, target in enumerate(np.eye(len(dense))):
        site = np.abs(learnt[row]) > 0
        x = np.linalg.lstsq(dense[site].T, target, rcond=None)[0]
        best += np.linalg.norm(x @ dense[site] - target) ** 2 / len(dense)
    cost = np.linalg.norm(learnt @ dense - np.eye(len(dense))) ** 2 / len(dense)
    start = np.linalg.norm(model(1, vectors=2).on(D).layers[0].on(coarse.vector()).dense() @ dense - np.eye(len(dense)))
    figure("cost of one layer: first, trained, best", f"{start**2 / len(dense):.4g} {cost:.4g} {best:.4g}")
    assert cost <= 1.05 * best


def test_a_trained_model_serves_a_mass_scan(figure):
    """Trained at every mass, where plain FGMRES slows down by three times and more."""
    plain, learned = [], []
    for mass in (0.2, 0.0, -0.05):
        D = operator(mass)
        network = model(3).on(D)
        settings = Inversion(steps=100, batch=4, learning_rate=3e-3, schedule="cosine")
        InversionTrainer(network, [D.to("single")], settings, seed=1).run()
        solution = solve(D, Trained(network), 1e-8)
        assert solution.residual <= 1e-8
        learned.append(solution.iterations)
        plain.append(solve(D, None, 1e-8).iterations)
    figure("iterations of FGMRES without and with a learned coarse model", f"{plain} {learned}")
    assert plain[-1] >= 3 * plain[0]
    assert max(learned) < 0.1 * plain[-1]


# ---- refusals


def test_a_singular_block_is_refused():
    D = operator()
    level = model(1).solver.made(D).level
    level.coarse.matrices.from_numpy(0 * level.coarse.matrices.to_numpy())
    with pytest.raises(LqcdError, match="a block of .* is singular"):
        model(1).on(D)


def test_several_configurations_are_refused(tmp_path):
    with pytest.raises(LqcdError, match="belongs to one gauge field, and there are 2 configurations"):
        execute(run_file(tmp_path, count=2, preconditioner=as_toml(TABLES["coarse"])), say=lambda text: None)


@pytest.mark.parametrize(
    ("change", "message"), [({"vectors": 3}, "for vectors = 2, this"), ({"blocks": [[2, 4]]}, "for blocks = 4x4, this")]
)
def test_a_start_from_other_levels_is_refused(change, message, tmp_path):
    execute(run_file(tmp_path, count=1, steps=10, preconditioner=as_toml(TABLES["coarse"])), say=lambda text: None)
    D = operator(shape=(8, 8))
    network = Coarse(solver=Classical(**{k: v for k, v in LEVELS.items() if k != "kind"} | change), layers=2).on(D)
    with pytest.raises(LqcdError, match=message):
        start_from(network, str(tmp_path / "out"), D)


def test_classical_and_learned_levels_at_once_are_refused(tmp_path):
    both = TABLES["multigrid learned"] | {"solver": LEVELS}
    with pytest.raises(LqcdError, match="solver = {...} for classical coarse levels, or coarse"):
        load(run_file(tmp_path, preconditioner=as_toml(both)))
