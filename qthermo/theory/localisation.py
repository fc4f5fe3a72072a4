"""The localised side: the typical level broadening vanishes with s, and populations keep their memory."""

from __future__ import annotations

__all__ = ["report_localisation"]

_LOCALISED_SLOPE = 0.5


def report_localisation(slope: float) -> dict[str, float | bool]:
    """Return `broadening_slope`, d log Gamma_typ / d log s, and whether it means localisation.

    The slope is 0 deep in the thermal phase, where the broadening stays finite, and 1 deep in the localised one.
    """
    return {"broadening_slope": slope, "localised": slope > _LOCALISED_SLOPE}
