"""Exact diagonalisation and exact time evolution."""
