"""The console: where operators run the publication."""
