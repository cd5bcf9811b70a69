"""The public site over its own port: files, subscribing, confirming, leaving."""
