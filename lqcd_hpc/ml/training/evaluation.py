"""How good a flow is, on fresh samples."""

from __future__ import annotations

import numpy as np
import torch

from ...analysis.effective_sample_size import equilibrium_acceptance, forward_ess, log_z, reverse_ess
from ..noise import Noise


def evaluate(flow, target, samples, noise, processes, batch=1024, data=None):
    """ess, acceptance (of independence Metropolis), log_z and its error, loss, on fresh samples of all processes;
    with samples of the target also ess_forward.

    The numbers do not depend on how many processes there are. Collective.
    """
    low, high = (samples * r // processes.size for r in (processes.rank, processes.rank + 1))
    fresh = _gathered(_fresh(flow, target, low, high, noise, batch), processes)
    finite = np.where(np.isfinite(fresh), fresh, -np.inf)
    if not np.isfinite(finite).any():
        return {"ess": 0.0, "acceptance": 0.0, "log_z": np.nan, "log_z_error": np.nan, "loss": np.nan}
    value, error = log_z(finite)
    found = {
        "ess": reverse_ess(finite),
        "acceptance": equilibrium_acceptance(finite),
        "log_z": value,
        "log_z_error": error,
        "loss": float(-fresh.mean()),
    }
    if data is not None:
        low, high = (min(len(data), samples) * r // processes.size for r in (processes.rank, processes.rank + 1))
        found["ess_forward"] = forward_ess(_gathered(_given(flow, target, data[low:high], batch), processes))
    return found


def _fresh(flow, target, low, high, noise, batch):
    parts = []
    for first in range(low, high, batch):
        count = min(batch, high - first)
        with torch.no_grad():
            x, log_q = flow.sample(count, Noise(noise.seed, noise.event, first, noise.dtype, noise.device))
            parts.append(-target.action(x) - log_q)
    return parts


def _given(flow, target, x, batch):
    with torch.no_grad():
        return [-target.action(part) - flow.log_prob(part) for part in x.split(batch)]


def _gathered(parts, processes):
    own = torch.cat(parts).double().cpu().numpy() if parts else np.zeros(0)
    return np.concatenate(processes.comm.allgather(own))
