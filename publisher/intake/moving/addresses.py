"""Addresses as exports have them: what cannot be taken apart has no parts."""

from urllib.parse import SplitResult, urljoin, urlsplit


def split_address(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")


def join_address(base: str, address: str) -> str:
    """A relative address as it is meant; one that is whole stays as it is written."""
    try:
        return address if urlsplit(address).scheme else urljoin(base, address)
    except ValueError:
        return address
