"""From histories of numbers to values with errors, pictures and one HTML page.

Needs only numpy, scipy, h5py, pyerrors, matplotlib and jinja2; imports no other part of the package.

| file | what it holds |
| --- | --- |
| `errors.py` | Gamma-method estimates of means and of functions of means |
| `autocorrelation.py` | rho(t) with errors and the summation window |
| `thermalisation.py` | where a history becomes stationary |
| `correlators.py` | effective masses and plateaus of hadron correlators |
| `flow_scales.py` | t0 and w0 from the energy along the gradient flow |
| `measurement_file.py` | reads `measurements.h5` of a run |
| `observables.py` | the table of observables with errors |
| `sampling_quality.py` | acceptance, energy violation and timing |
| `plots/` | functions that return matplotlib figures |
| `pictures.py`, `report.py`, `templates/` | which pictures a run gets; the self-contained HTML page |

Everything is in lattice units. Public names load on first use, because pyerrors takes seconds to import.
"""

from importlib import import_module

_PUBLIC = {
    "Estimate": "errors",
    "estimate": "errors",
    "derived": "errors",
    "exp_minus_dh": "errors",
    "susceptibility": "errors",
    "autocorrelation_function": "autocorrelation",
    "thermalisation_cut": "thermalisation",
    "channels": "correlators",
    "effective_masses": "correlators",
    "plateau": "correlators",
    "flow_scale_t0": "flow_scales",
    "flow_scale_w0": "flow_scales",
    "read_measurements": "measurement_file",
    "write_report": "report",
}

__all__ = ["plots", *_PUBLIC]


def __getattr__(name):
    if name == "plots":
        return import_module(".plots", __name__)
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
