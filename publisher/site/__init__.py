"""The archive as a whole: what was published, what changed, what is written."""
