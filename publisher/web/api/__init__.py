"""The REST API below /api/v1: for programs, with tokens and without cookies."""
