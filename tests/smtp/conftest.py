"""An authority of our own for all tests of a run: making its key takes the time."""

import pytest
import trustme


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()
