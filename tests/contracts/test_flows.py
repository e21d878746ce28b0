"""What every flow promises. A file of lqcd_hpc/ml/flows that defines a description is tested by being there, on the
samples of the file of the same name in tests/flow_samples."""

import pytest

torch = pytest.importorskip("torch")

from flow_laws import build, dense_log_det, distance, draw, samples, transform  # noqa: E402

from lqcd_hpc.ml.noise import Noise  # noqa: E402

SAMPLES = samples()
ALL = pytest.mark.parametrize("sample", [s for _, s in SAMPLES], ids=[n for n, _ in SAMPLES])


@ALL
def test_inverse_undoes_the_flow(sample):
    flow = build(sample)
    with torch.no_grad():
        z = draw(flow, 6)
        x, log_det = flow(z)
        back, inverse_log_det = flow.inverse(x)
    assert torch.isfinite(log_det).all()
    assert distance(back, z, flow.prior) < sample.tolerance
    assert (log_det + inverse_log_det).abs().max() < 100 * sample.tolerance
    assert distance(x, z, flow.prior) > 1e-3, "the sample does not move anything"


@ALL
def test_log_det_is_that_of_the_dense_jacobian(sample):
    if not sample.jacobian:
        pytest.skip("lattice too large")
    flow = build(sample)
    for event in (1, 2):
        z = draw(flow, 1, event=event)
        with torch.no_grad():
            log_det = flow(z)[1][0]
        assert abs(log_det - dense_log_det(flow, z)) < sample.jacobian_tolerance


@ALL
def test_symmetries_hold(sample):
    """f(g z) = g f(z) and the same log q, to 1e-12."""
    flow = build(sample)
    with torch.no_grad():
        z = draw(flow, 4)
        x, log_det = flow(z)
        for name in sample.symmetries:
            moved, moved_log_det = flow(transform(z, flow.prior, name))
            assert distance(moved, transform(x, flow.prior, name), flow.prior) < 1e-12, name
            assert (moved_log_det - log_det).abs().max() < 1e-11, name


@ALL
def test_samples_do_not_depend_on_how_a_batch_is_divided(sample):
    flow = build(sample)
    with torch.no_grad():
        whole, log_q = flow.sample(20, Noise(seed=2, event=7))
        part, part_log_q = flow.sample(9, Noise(seed=2, event=7, first=11))
    assert distance(whole[11:], part, flow.prior) < 1e-11
    assert torch.allclose(log_q[11:], part_log_q, rtol=0, atol=1e-9)


@ALL
def test_single_precision_follows_double(sample):
    flow = build(sample)
    z = draw(flow, 6)
    single = torch.complex64 if z.is_complex() else torch.float32
    with torch.no_grad():
        x, log_det = flow(z)
        flow.to(torch.float32)
        y, single_log_det = flow(z.to(single))
    assert y.dtype == single
    assert distance(x, y.to(x.dtype), flow.prior) < 1e-3
    assert (log_det - single_log_det).abs().max() < 1e-3 * (1 + log_det.abs().max())


@ALL
def test_gradients_of_the_parameters_are_those_of_finite_differences(sample):
    flow = build(sample)
    parameters = [p for p in flow.parameters() if p.requires_grad]
    if not parameters:
        pytest.skip("nothing to learn")
    noise = Noise(seed=4, event=1)
    z = flow.prior.sample(4, noise)

    def loss():
        x, log_det = flow(z)
        return (sample.target.action(x) - log_det).mean()

    gradients = torch.autograd.grad(loss(), parameters, allow_unused=True)
    torch.manual_seed(9)
    direction = [torch.randn_like(p) for p in parameters]
    slope = sum((g * d).sum() for g, d in zip(gradients, direction) if g is not None)
    with torch.no_grad():
        values, step = [], 1e-7  # a kink of leaky_relu is seldom so near
        for sign in (1, -1):
            for p, d in zip(parameters, direction):
                p += sign * step * d
            values.append(loss())
            for p, d in zip(parameters, direction):
                p -= sign * step * d
    assert abs(slope - (values[0] - values[1]) / (2 * step)) < 1e-5 * (1 + abs(slope))


@ALL
def test_state_comes_back_from_a_file(sample, tmp_path):
    from safetensors.torch import load_file, save_file

    flow = build(sample)
    save_file({k: v.contiguous() for k, v in flow.state_dict().items()}, tmp_path / "flow.safetensors")
    again = sample.flow.on(sample.target).double()
    again.load_state_dict(load_file(tmp_path / "flow.safetensors"))
    with torch.no_grad():
        z = draw(flow, 4)
        assert torch.equal(flow(z)[0], again(z)[0])
