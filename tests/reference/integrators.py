"""Coefficients of the molecular-dynamics schemes, from their papers, and a bare integrator to try them on.

A scheme is a list of (letter, coefficient): "P" kicks p += c h F(q), "Q" drifts q += c h p. The step
("G", c, g) is a force-gradient kick p += c h F(q + g h^2 F(q)).
"""

LEAPFROG = [("P", 1 / 2), ("Q", 1), ("P", 1 / 2)]

# Omelyan, Mryglod, Folk, Comput. Phys. Commun. 151 (2003) 272; Takaishi, de Forcrand, hep-lat/0505020
LAMBDA = 0.1931833275037836
OMF2 = [("P", LAMBDA), ("Q", 1 / 2), ("P", 1 - 2 * LAMBDA), ("Q", 1 / 2), ("P", LAMBDA)]

# the same paper, eqs. (63) and (71): fourth order, five drifts, begins and ends with a kick
P1, Q1, P2, Q2 = 0.08398315262876693, 0.2539785108410595, 0.6822365335719091, -0.03230286765269967
P3, Q3 = 1 / 2 - P1 - P2, 1 - 2 * (Q1 + Q2)
OMF4 = [("P", P1), ("Q", Q1), ("P", P2), ("Q", Q2), ("P", P3), ("Q", Q3)]
OMF4 += OMF4[-2::-1]

# Chin, Phys. Lett. A 226 (1997) 344, scheme A; Kennedy, Clark, Silva, arXiv:0910.2950; the displaced force
# that replaces the gradient is that of Yin and Mawhinney, arXiv:1111.5059
FORCE_GRADIENT = [("P", 1 / 6), ("Q", 1 / 2), ("G", 2 / 3, 1 / 24), ("Q", 1 / 2), ("P", 1 / 6)]

SCHEMES = {"leapfrog": LEAPFROG, "omf2": OMF2, "omf4": OMF4, "force_gradient": FORCE_GRADIENT}
ORDERS = {"leapfrog": 2, "omf2": 2, "omf4": 4, "force_gradient": 4}


def integrate(scheme, q, p, force, step, number):
    """(q, p) after ``number`` steps for dq/dt = p, dp/dt = force(q)."""
    for _ in range(number):
        for letter, coefficient, *gradient in scheme:
            if letter == "Q":
                q = q + coefficient * step * p
            else:
                moved = q + gradient[0] * step**2 * force(q) if gradient else q
                p = p + coefficient * step * force(moved)
    return q, p
