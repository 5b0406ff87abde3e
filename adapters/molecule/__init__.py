"""Molecules: SMILES and SDF records as typed 2-D grids."""
