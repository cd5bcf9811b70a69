"""Measurements, each with its command: `make bench`."""
