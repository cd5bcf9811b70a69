"""The catalogue of diagnostics, and what finds them."""
