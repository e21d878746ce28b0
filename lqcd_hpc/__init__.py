"""Lattice gauge theory and machine learning from a laptop to a GPU cluster. Public names load on first use."""

from importlib import import_module

from .errors import LqcdError
from .version import __version__

_PUBLIC = {
    "Lattice": "lattice",
    "Field": "fields",
    "Random": "fields",
    "gauge": "fields.gauge",
    "scalar": "fields.scalar",
    "Wilson": "actions.wilson",
    "Symanzik": "actions.symanzik",
    "Iwasaki": "actions.iwasaki",
    "DBW2": "actions.dbw2",
    "Loops": "actions.loops",
    "Phi4": "actions.phi4",
    "Phi4Hopping": "actions.phi4_hopping",
    "ComplexPhi4": "actions.complex_phi4",
    "Sigma": "actions.sigma",
    "operators": "operators",
    "solvers": "solvers",
    "Heatbath": "sampling.heatbath",
    "HMC": "sampling.hmc",
    "Metropolis": "sampling.metropolis",
    "Plaquette": "measurements.plaquette",
    "Polyakov": "measurements.polyakov",
    "Topology": "measurements.topology",
    "WilsonLoops": "measurements.wilson_loops",
    "Flow": "measurements.flow",
    "load": "io.configuration",
    "save": "io.configuration",
    "estimate": "analysis.errors",
    "load_model": "run.model",
}

__all__ = ["LqcdError", "__version__", *_PUBLIC]


def __getattr__(name):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'lqcd_hpc' has no attribute {name!r}")
    module = import_module(f".{_PUBLIC[name]}", __name__)
    return module if _PUBLIC[name].rpartition(".")[2] == name else getattr(module, name)


def __dir__():
    return __all__
