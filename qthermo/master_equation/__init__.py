"""Thermalising Lindbladians as methods: Davies, coarse-grained, and filtered jumps."""
