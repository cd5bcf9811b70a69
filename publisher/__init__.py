"""Compile one issue file into feeds, a newsletter and pages, and send it to every reader once."""

__version__ = "0.1.0"
