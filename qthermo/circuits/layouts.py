"""Names of the ways in which pair gates can be laid out; see `build_trotter_circuit`."""

from __future__ import annotations

__all__ = ["LAYOUTS"]

LAYOUTS = ("line", "round_robin", "swap_network", "parity_network")
