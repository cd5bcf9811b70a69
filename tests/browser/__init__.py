"""What a browser and axe-core say about the pages and the message, in a real Chromium."""
