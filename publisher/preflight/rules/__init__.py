"""The rules by what they look at, one file each; `publisher.preflight.catalogue` collects them."""
