"""Readers: their addresses, subscribing, consent, import and suppression."""
