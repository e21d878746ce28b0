"""What a kernel declares is checked before it runs; domains, sequences and versions do what they say."""

import numpy as np
import pytest
import site_functions
from site_functions import simd

from lqcd_hpc import Field, Lattice, LqcdError, Random, gauge
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.domain import EVERYWHERE, Colour, Parity, Slice, items_of
from lqcd_hpc.fields.field import layout_of
from lqcd_hpc.fields.launch import Sequence, prepare
from lqcd_hpc.smearing.gradient_flow import exponential_kernel

STAR = ((1, 0), (-1, 0), (0, 1), (0, -1))


def numbered(lattice):
    field = Field(lattice, kinds.scalars())
    return field.from_numpy(np.arange(field.to_numpy().size, dtype=float).reshape(field.to_numpy().shape))


def relaxed(field, domain, repeat=1):
    """f <- 2 f + sum of neighbours on a domain, `repeat` times, by numpy."""
    f = field.to_numpy()
    y, x = np.indices(f.shape[-2:])
    inside = domain.contains(np.stack([x, y], axis=-1))
    for _ in range(repeat):
        around = sum(np.roll(f, [-dx, -dy], (-1, -2)) for dx, dy in STAR)
        f = np.where(inside, 2 * f + around, f)
    return f


@pytest.mark.parametrize("size", [8, 16])
@pytest.mark.parametrize("shape", [(8, 8), (5, 6), (12, 4)])
def test_domains_write_their_sites_and_no_others(size, shape):
    domains = [Parity(0), Parity(1), Colour((2, 1), 4, 1), Colour((1, 2), 5, 0), Slice(0, 1), Slice(1, 3)]
    with simd(size):
        for replicas in (1, 4):
            for domain in domains:
                field = Field(Lattice(shape, replicas=replicas), kinds.matrices(1))
                field.from_numpy(np.full(field.to_numpy().shape, 1 + 2j))
                target = field.like()
                gather = site_functions.gather(((0, 0),))
                prepare(gather, domain, **{"in": field, "out": target})(count=1)
                y, x = np.indices(shape[::-1])
                inside = domain.contains(np.stack([x, y], axis=-1))
                assert (target.to_numpy()[..., 0, 0] == np.where(inside, 1 + 2j, 0)).all()


@pytest.mark.parametrize("size", [8, 64])
def test_colours_cover_every_site_once(size):
    with simd(size):
        layout = layout_of(Lattice((8, 6, 4)), "double")
        for domains in ([EVERYWHERE], [Parity(0), Parity(1)], [Colour((2, 1, 3), 4, v) for v in range(4)]):
            count = np.zeros((layout.items, layout.lanes), int)
            for items in (items_of(layout, d) for d in domains):
                chosen = np.arange(items.begin, items.end) if items.items is None else items.items
                lanes = np.ones((len(chosen), layout.lanes), int)
                if items.masks is not None:
                    lanes = items.masks[:, None] >> np.arange(layout.lanes) & 1
                count[chosen] += lanes
            assert (count == 1).all()


@pytest.mark.parametrize("size", [8, 32])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_sequence_is_its_launches_one_after_another(size, threads):
    with simd(size):
        field = numbered(Lattice((8, 8), threads=threads))
        domains = [Parity(0), Parity(1), Colour((2, 1), 4, 2)]
        launches = [prepare(site_functions.relax(STAR), d, f=field).set(count=4, factor=2.0) for d in domains]
        expected, version = field.copy(), field.version
        for domain in domains * 3:
            expected.from_numpy(relaxed(expected, domain))
        Sequence(launches)(repeat=3)
        assert (field.to_numpy() == expected.to_numpy()).all() and field.version > version


def test_a_written_field_may_not_be_given_twice():
    lattice = Lattice((4, 4))
    field = Field(lattice, kinds.matrices(1, 7))
    with pytest.raises(LqcdError, match="out is written and must not also be given as in"):
        prepare(site_functions.gather(STAR), **{"in": field, "out": field})
    with pytest.raises(LqcdError, match="out is written"):
        prepare(site_functions.functions(), **{"in": field, "out": field})


def test_fields_of_a_kernel_live_together():
    lattice, other = Lattice((4, 4)), Lattice((4, 4))
    U, kernel = gauge.unit(lattice, "U(1)"), exponential_kernel(1, 2)
    P = U.like(kinds.algebra(1, 2))
    with pytest.raises(LqcdError, match="takes the fields U, P, not U"):
        prepare(kernel, U=U)
    with pytest.raises(LqcdError, match="takes the fields U, P, not U, P, Q"):
        prepare(kernel, U=U, P=P, Q=P)
    with pytest.raises(LqcdError, match="P is not on the lattice and in the precision of U"):
        prepare(kernel, U=U, P=Field(other, kinds.algebra(1, 2)))
    with pytest.raises(LqcdError, match="P is not on the lattice and in the precision of U"):
        prepare(kernel, U=U, P=Field(lattice, kinds.algebra(1, 2), "single"))
    with pytest.raises(LqcdError, match="has no scalar 'epsilon': eps"):
        prepare(kernel, U=U, P=P)(epsilon=1.0)


def test_scalars_stay_and_again_has_its_own():
    lattice = Lattice((4, 4))
    field = numbered(lattice)
    kernel = site_functions.relax(STAR)
    double = prepare(kernel, f=field).set(count=0, factor=2.0)
    half = double.again().set(factor=0.5)
    before = field.to_numpy()
    double()
    double()
    half()
    assert (field.to_numpy() == 2 * before).all()


def test_threads_do_not_change_a_bit():
    with simd(16):
        links = []
        for count in (1, 2, 3):
            lattice = Lattice((8, 6), threads=count)
            U = gauge.hot(lattice, Random(3), "SU(2)")
            links.append(gauge.transform(U, gauge.random_transformation(U, Random(4))).to_numpy().tobytes())
        assert links[0] == links[1] == links[2]


def test_single_and_double_precision_agree():
    with simd(16):
        double = gauge.hot(Lattice((8, 8)), Random(1), "U(1)")
        single = gauge.hot(double.lattice, Random(1), "U(1)", "single")
    assert np.abs(double.to_numpy() - single.to_numpy()).max() < 2e-6
