"""The reference instance: L spins, fields and bonds drawn by NumPy's default generator, fields first."""

from __future__ import annotations

import numpy as np

import qthermo as qt


def reference_chain(num_sites: int, disorder: float, seed: int = 1) -> qt.models.SpinModel:
    rng = np.random.default_rng(seed)
    fields = disorder * rng.uniform(-1, 1, num_sites - 1)
    bonds = rng.uniform(0.8, 1.2, num_sites - 2)
    return qt.models.imbrie_chain(fields=fields, bonds=bonds)
