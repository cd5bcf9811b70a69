"""Which batch a delivery is of."""

from publisher.runtime.batches import Batches
from publisher.runtime.lane import Lane
from publisher.store.batches import Lease
from publisher.store.candidates import Candidate


def test_what_comes_back_after_a_step_that_failed_goes_to_its_batch() -> None:
    """Its lane was read anew meanwhile, behind it: nobody else would ever look for it."""
    batches = Batches(1)
    batches.lanes[7] = Lane(1, None, Lease(7, 3, 100, 599, 1))
    batches.renew()
    assert batches.find(Candidate(100, 3, "reader.example")) is batches.lanes[7]
    assert batches.find(Candidate(599, 3, "reader.example")) is batches.lanes[7]
    for candidate in (Candidate(600, 3, ""), Candidate(99, 3, ""), Candidate(100, 4, "")):
        assert batches.find(candidate) is None
