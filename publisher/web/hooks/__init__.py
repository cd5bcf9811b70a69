"""Where relays report bounces and complaints: each is let in by a proof of its own."""
