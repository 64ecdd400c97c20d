"""Drawn parts: what the simulated line sees, every pixel a function of (seed, part number)."""
