"""RFC 5322: what a rendered issue needs to become a message."""
