"""Symplectic integrators as data: lists of kicks and drifts that print themselves.

A step of size eps is a list of (operation, coefficient): "P" kicks the momenta, P <- P + c eps F(U); "U" drifts the
links, U <- exp(i c eps P) U; "G" kicks with the force at links displaced by gradient eps^2 F (arXiv:1112.0509).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import LqcdError

GRADIENT = 1 / 24  # of the force-gradient kick, in units of eps^2


@dataclass(frozen=True)
class Scheme:
    """One step of an integrator; dH of a trajectory scales as eps^order."""

    name: str
    order: int
    step: tuple[tuple[str, float], ...]

    def trajectory(self, length, steps):
        """Operations of `steps` steps of size length/steps, neighbouring kicks and drifts merged.

        >>> LEAPFROG.trajectory(1.0, 2)
        [('P', 0.25), ('U', 0.5), ('P', 0.5), ('U', 0.5), ('P', 0.25)]
        """
        merged = []
        for name, c in self.step * steps:
            amount = c * length / steps
            if merged and merged[-1][0] == name and name != "G":
                merged[-1] = (name, merged[-1][1] + amount)
            else:
                merged.append((name, amount))
        return merged

    def __str__(self):
        return f"{self.name} (order {self.order}): " + " ".join(f"{name}({c:.6g})" for name, c in self.step)


def _mirrored(half):
    return (*half, *half[-2::-1])


LEAPFROG = Scheme("leapfrog", 2, (("P", 0.5), ("U", 1.0), ("P", 0.5)))

# Omelyan, Mryglod and Folk, Comput. Phys. Commun. 151 (2003) 272: eq. (31), and the 4MN5FV scheme of table 2
_LAMBDA = 0.1931833275037836
OMF2 = Scheme("2MN", 2, _mirrored((("P", _LAMBDA), ("U", 0.5), ("P", 1 - 2 * _LAMBDA))))
_RHO, _THETA, _VARTHETA, _LAMBDA4 = 0.2539785108410595, -0.03230286765269967, 0.08398315262876693, 0.6822365335719091
OMF4 = Scheme(
    "OMF4",
    4,
    _mirrored(
        (
            ("P", _VARTHETA),
            ("U", _RHO),
            ("P", _LAMBDA4),
            ("U", _THETA),
            ("P", 0.5 - _LAMBDA4 - _VARTHETA),
            ("U", 1 - 2 * (_THETA + _RHO)),
        )
    ),
)
FORCE_GRADIENT = Scheme("force-gradient", 4, _mirrored((("P", 1 / 6), ("U", 0.5), ("G", 2 / 3))))

SCHEMES = {"leapfrog": LEAPFROG, "2mn": OMF2, "omf4": OMF4, "force-gradient": FORCE_GRADIENT}


def scheme(name):
    """The scheme of a run file's name; raises `LqcdError` for an unknown one."""
    if name not in SCHEMES:
        raise LqcdError(f"integrator {name!r}: choose one of {', '.join(SCHEMES)}")
    return SCHEMES[name]
