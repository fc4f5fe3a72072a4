"""Tensor networks: states, operators and MPOs are quimb objects at the door, raw arrays inside."""
