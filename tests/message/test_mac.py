"""A MAC is the standard library's, whatever the key and the data, and however often it is made."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from publisher.message.mac import hmac_sha256


@given(st.binary(max_size=150), st.binary(max_size=200))
def test_it_is_the_standard_library_s(key: bytes, data: bytes) -> None:
    for _ in range(2):
        assert hmac_sha256(key, data) == hmac.digest(key, data, "sha256")
