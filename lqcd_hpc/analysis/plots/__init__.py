"""Pictures: every function takes arrays and returns a matplotlib `Figure` in one common look.

| file | function | shows |
| --- | --- | --- |
| `scalar.py` | `history`, `histories` | a scalar along the run, thermalisation, mean and error, histogram |
| `hmc.py` | `hmc_history` | dH, rejected trajectories, acceptance |
| `flow.py` | `flow_energy`, `flow_charge` | t^2 <E> with t0 and w0; Q(t) per configuration |
| `topology.py` | `charge_history` | charge along the run and its distribution |
| `polyakov.py` | `polyakov_scatter` | Polyakov loop in the complex plane with the centre of the group |
| `correlation.py` | `autocorrelation` | rho(t), window, tau_int |
| `correlators.py` | `correlators` | hadron correlators, effective masses and plateaus |
| `mass_scan.py` | `mass_scan` | what solvers cost against the bare mass |
| `training.py` | `training_curve`, `loss_curve` | loss and effective sample size of a training; a loss alone |
| `speed.py` | `speed_bars`, `speed_groups` | kernel speeds against the roofline |
| `scaling.py` | `scaling` | efficiency over ranks, where the time goes, a model against measurements |
| `style.py` | `encode`, `figure` | the common look; a figure as SVG or PNG bytes |

>>> picture = history([1, 2, 3], [0.5, 0.6, 0.55], "plaquette")
>>> encode(picture, "png")[:4]
b'\\x89PNG'
"""

from .correlation import autocorrelation
from .correlators import correlators
from .flow import flow_charge, flow_energy
from .hmc import hmc_history
from .mass_scan import mass_scan
from .polyakov import polyakov_scatter
from .scalar import histories, history
from .scaling import scaling
from .speed import speed_bars, speed_groups
from .style import encode, figure
from .topology import charge_history
from .training import loss_curve, training_curve

__all__ = [
    "autocorrelation",
    "charge_history",
    "correlators",
    "encode",
    "figure",
    "flow_charge",
    "flow_energy",
    "histories",
    "history",
    "hmc_history",
    "loss_curve",
    "mass_scan",
    "polyakov_scatter",
    "scaling",
    "speed_bars",
    "speed_groups",
    "training_curve",
]
