"""Issue -> bytes: pages, message and feeds, from one model."""
