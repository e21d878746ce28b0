"""Samples of every kind of flow for the contract battery: one file per kind, named like it, with SAMPLES."""
