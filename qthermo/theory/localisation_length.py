"""Localisation length of the Anderson chain by products of transfer matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qthermo.checks import check_choice, check_integer, check_real
from qthermo.models import sample_anderson_lattice
from qthermo.models.anderson_lattice import DISTRIBUTIONS

__all__ = ["LocalisationLength", "localisation_length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalisationLength:
    """Localisation length in sites, its standard error, and the Lyapunov exponent 1 / length with its own."""

    length: float
    stderr: float
    lyapunov_exponent: float
    lyapunov_stderr: float


def localisation_length(
    *,
    disorder: float,
    energy: float = 0.0,
    distribution: str = "box",
    num_sites: int = 1_000_000,
    num_chains: int = 16,
    seed: int = 0,
) -> LocalisationLength:
    """Return the length over which eigenstates of an infinite Anderson chain decay, |psi(x)| ~ e^{-|x|/length}.

    psi(x+1) = (v(x) - E) psi(x) - psi(x-1); the Lyapunov exponent is the mean growth of its logarithm per site. Weak
    box disorder: length = 24 (4 - E^2) / W^2, at E = 0 about 105 / W^2 instead of 96 / W^2. Lorentzian disorder of half
    width W: 4 cosh(1/length) = |2 + E + iW| + |2 - E + iW|.

    Args:
        disorder: W >= 0 as in `sample_anderson_lattice`, energy.
        energy: E.
        distribution: of the potential.
        num_sites: length of every chain.
        num_chains: independent chains, at least 2, for the standard error.
        seed: entropy of the random numbers; chain k is realization k.

    Raises:
        InputError: a number is out of range.

    Cost: num_sites * num_chains steps, about 5 ns each.
    Reference: B. Kramer, A. MacKinnon, Rep. Prog. Phys. 56, 1469 (1993); D. J. Thouless, J. Phys. C 5, 77 (1972).
    """
    check_real("disorder", disorder, minimum=0, exclusive=True)
    check_choice("distribution", distribution, DISTRIBUTIONS)
    E = check_real("energy", energy)
    sites = check_integer("num_sites", num_sites, minimum=1000)
    chains = check_integer("num_chains", num_chains, minimum=2)
    from qthermo.linalg.transfer_kernels import grow

    rates = np.empty(chains)
    for k in range(chains):
        model = sample_anderson_lattice(
            shape=(sites,), disorder=disorder, seed=seed, realization=k, distribution=distribution
        )
        rates[k] = grow(model.potential, E) / sites
    rate, spread = float(rates.mean()), float(rates.std(ddof=1) / np.sqrt(chains))
    return LocalisationLength(length=1 / rate, stderr=spread / rate**2, lyapunov_exponent=rate, lyapunov_stderr=spread)
