"""Bodies that are too long together: the longest of them lose their last blocks."""

from heapq import heapify, heappop, heappush

import msgspec

from publisher.model import content as c

_encoder = msgspec.json.Encoder()


def cut_longest(bodies: tuple[c.Blocks, ...], excess: int) -> tuple[c.Blocks, ...]:
    """Leave out about `excess` bytes, block by block from the end of what is longest by then.

    Of equally long bodies the last in the issue is cut first. Less is left out only where
    nothing is left to leave out.
    """
    weights = [[_weigh(block) for block in body] for body in bodies]
    longest = [(-sum(blocks), -place) for place, blocks in enumerate(weights) if blocks]
    heapify(longest)
    while excess > 0 and longest:
        negative_weight, negative_place = heappop(longest)
        blocks = weights[-negative_place]
        last = blocks.pop()
        excess -= last
        if blocks:
            heappush(longest, (negative_weight + last, negative_place))
    return tuple(
        body if len(blocks) == len(body) else _without_loose_end(body[: len(blocks)])
        for body, blocks in zip(bodies, weights, strict=True)
    )


def weigh_all(bodies: tuple[c.Blocks, ...]) -> int:
    """Estimate the bytes that bodies take in a message, a little below what they will take."""
    return sum(_weigh(block) for body in bodies for block in body)


def _weigh(block: c.Block) -> int:
    # The JSON of a block holds its words and URLs once and some syntax, as its HTML does, and is
    # made a hundred times faster.
    return len(_encoder.encode(block))


def _without_loose_end(body: c.Blocks) -> c.Blocks:
    """Leave out a heading or a thematic break that nothing follows any more."""
    end = len(body)
    while end and isinstance(body[end - 1], c.Heading | c.Rule):
        end -= 1
    return body[:end]
