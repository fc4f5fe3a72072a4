"""Numerical kernels on arrays and callables; nothing here knows of physics objects."""
