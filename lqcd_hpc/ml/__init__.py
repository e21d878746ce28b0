"""Machine learning for sampling: densities, flows, exact samplers and their training, in torch.

A *target* (`targets/`) is a density e^{-S(x)}; a *flow* (`flows/`, made of `layers/` and `nets/`) maps samples of a
simple prior to it; a *sampler* (`samplers/`) makes exact averages of a target, with or without a flow; `training/` fits
flows to targets. Batches come first in every tensor. `bridge.py` joins torch and the kernels.

Lattice tensors have the canonical order of the package: scalars (batch, t, z, y, x), angles of U(1) links
(batch, mu, t, z, y, x), SU(Nc) links (batch, mu, t, z, y, x, Nc, Nc); in two dimensions the sites are (y, x).
Densities are with respect to the Lebesgue measure of real fields, and to the normalised invariant measure of groups
and spheres, on which the uniform density is 1.
"""
