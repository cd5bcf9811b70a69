"""SMTP (RFC 5321): one connection to a relay, and what its replies mean."""
