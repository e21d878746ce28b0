"""Slow, obvious numpy oracles, written like the textbook and never imported by the package.

Every function works on canonical global arrays. Links are ``U[mu, t, z, y, x, a, b]``; with ``d`` directions
the site axes are the reversed shape, so direction ``mu`` is axis ``-3 - mu`` of any field of matrices. The
numbers of directions (2, 3, 4) and of colours (U(1) is ``Nc = 1``) are read off the array.

paths          shifts, products along "+x +y -x -y", plaquette, rectangle, staple of any closed loop
algebra        generators, coefficients, exponential, projection on the algebra, random links
action         gauge action with rectangles, its force, finite-difference force of any action
flow           Wilson flow by Euler and by Luescher's third-order scheme
topology       field strength from plaquettes, clovers and rectangles; energy density; topological charge
polyakov       Polyakov loop
wilson_loops   W(T, R)
random         Philox4x32-10, uniform and normal doubles keyed by site
exact2d        exact two-dimensional gauge theory
integrators    coefficients of the molecular-dynamics schemes
gammas         gamma matrices
dirac          Wilson, clover, twisted-mass and staggered matrices, covariant Laplace operator, dense matrix, solution
block_stencil  matrices on the sites and hops of a coarse lattice
free_fermions  propagators and spectra on unit links from sums over momenta
hadrons        meson, nucleon and staggered correlators from point propagators
readers        readers of the configuration formats in a few lines each
"""
