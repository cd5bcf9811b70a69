"""What is served over HTTP, asked over a real port."""
