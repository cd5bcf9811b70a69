"""Text -> Issue and Problems; every problem of a file at once, each with its line."""
