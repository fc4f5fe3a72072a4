"""Thermalising Lindbladians with KMS detailed balance: rates, filters, jumps, coherent term, circuits' schedules."""
