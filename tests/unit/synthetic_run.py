"""A measurement file as a short SU(3) run writes it, made from AR(1) processes with known parameters."""

import json

import h5py
import numpy as np

T0, PLAQUETTE = 3.18, 0.5937
RUN_TOML = """[lattice]
shape = [8, 8, 8, 16]
group = "SU(3)"

[action]
kind = "wilson"
beta = 6.0

[[update]]
kind = "heatbath"
sweeps = 300
overrelaxation = 4

[[update]]
kind = "hmc"
trajectories = 500
"""


def ar1(rng, samples, tau, shape=()):
    """A stationary AR(1) process of unit variance with tau_int = tau (exactly (1 + a) / (2 (1 - a)))."""
    a = (2 * tau - 1) / (2 * tau + 1)
    noise = rng.normal(size=(samples, *shape)) * np.sqrt(1 - a**2)
    x = np.empty((samples, *shape))
    x[0] = rng.normal(size=shape)
    for i in range(1, samples):
        x[i] = a * x[i - 1] + noise[i]
    return x


def write_synthetic_run(path, seed=1, heatbath=300, trajectories=500):
    """Writes `path` (measurements.h5) with all groups and returns it."""
    rng = np.random.default_rng(seed)
    updates = heatbath + trajectories
    step = np.arange(1, updates + 1)
    plaquette = PLAQUETTE + 0.0016 * ar1(rng, updates, 3.0) + 0.4 * np.exp(-step / 9)
    delta_h = np.full(updates, np.nan)
    delta_h[heatbath:] = rng.normal(0.08, 0.4, trajectories)  # <exp(-dH)> = 1 needs mean = variance / 2
    accepted = np.where(np.isnan(delta_h), np.nan, rng.random(updates) < np.exp(np.minimum(0, -np.nan_to_num(delta_h))))
    with h5py.File(path, "w") as file:
        file.attrs.update(
            run_toml=RUN_TOML,
            versions=json.dumps(
                {"lqcd_hpc": "0.1.0", "numpy": np.__version__, "python": "3.11.7", "mpi": "Open MPI 5.0.8"}
            ),
            seed=7,
            ranks="1x1x1x2",
            lattice=json.dumps({"shape": [8, 8, 8, 16], "group": "SU(3)"}),
            created="2026-03-01T12:00:00Z",
        )
        seconds = np.where(np.isnan(delta_h), 0.041, 0.36) * rng.lognormal(0, 0.05, updates)
        kind = np.where(np.isnan(delta_h), b"heatbath", b"hmc").astype("S8")
        _table(
            file,
            "update",
            step,
            kind=kind,
            plaquette=plaquette,
            delta_h=delta_h,
            accepted=accepted,
            seconds=seconds,
        )
        _measured(file, rng, step, plaquette)
        _flowed(file, rng, step[99::10])
    return path


def _measured(file, rng, step, plaquette):
    some = step % 2 == 0
    split = 0.0007 * rng.normal(size=some.sum())
    _table(
        file,
        "plaquette",
        step[some],
        plaquette=plaquette[some],
        plaquette_ss=plaquette[some] + split,
        plaquette_st=plaquette[some] - split,
    )
    loop = 0.018 * (ar1(rng, some.sum(), 4) + 1j * ar1(rng, some.sum(), 4))
    _table(file, "polyakov", step[some], polyakov_re=loop.real, polyakov_im=loop.imag)
    _table(file, "wilson_loops", step[some], w11=plaquette[some], w12=0.38 + 0.002 * rng.normal(size=some.sum()))


def _flowed(file, rng, step):
    time = np.linspace(0, 4, 81)
    n = len(step)
    charge = np.rint(1.6 * ar1(rng, n, 4))
    shape = 0.3 * (time / T0) * (1 - np.exp(-2.2 * time)) / (1 - np.exp(-2.2 * T0))
    energy = shape / np.maximum(time, 1e-3) ** 2 * (1 + 0.05 * ar1(rng, n, 2)[:, None] * np.sqrt(time / 4))
    energy[:, 0] = 36 * (1 - PLAQUETTE)
    part = 0.5 + 0.03 * rng.normal(size=(n, 1)) * np.ones_like(time)
    rough = rng.normal(0, 1.6, (n, 1)) * np.exp(-3 * time)
    along = charge[:, None] * (1 - 0.55 * np.exp(-1.2 * time)) + rough + 0.03 * rng.normal(size=(n, 1))
    smooth = 1 - (1 - PLAQUETTE) * np.exp(-2.5 * np.sqrt(time)) * np.ones((n, 1))
    _table(
        file,
        "flow",
        step,
        time=time,
        energy=energy,
        energy_time=part * energy,
        energy_space=(1 - part) * energy,
        charge=along,
        plaquette=smooth,
    )
    _table(file, "topology", step, charge=along[:, -1])


def _table(file, name, step, **columns):
    group = file.create_group(name)
    group["step"] = step
    for column, values in columns.items():
        group[column] = values
