"""The nouns: frozen, without behaviour, without I/O."""
