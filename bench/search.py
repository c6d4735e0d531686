"""The highest rate that holds: doubled or halved from a guess, then narrowed, then confirmed."""

from collections.abc import Callable
from math import sqrt

PRECISION = 1.12  # the answer is within so much of the first rate that does not hold
STEP_DOWN = 1.08  # what a rate that is not confirmed gives way to; squared each time, up to 2
MAX_STEPS_DOWN = 8


def bracket(holds: Callable[[int], bool], guess: int, *, at_most: int, step: float = 2) -> int:
    """Return a rate that held, none a PRECISION above being found to; 0 where not even 1 does.

    `step` is the first factor; it is squared each time, up to 2: a good guess needs few tries.
    """
    low, high = 0, at_most + 1
    rate = max(1, min(guess, at_most))
    while True:
        if holds(rate):
            low = rate
        else:
            high = rate
        if low == 0:
            if high == 1:
                return 0
            rate = max(1, int(high / step))
        elif high > at_most:
            if low == at_most:
                return low
            rate = min(at_most, max(low + 1, round(low * step)))
        else:
            rate = round(sqrt(low * high))
            if high <= low * PRECISION or rate in (low, high):
                return low
        step = min(2, step * step)


def confirm(holds_median: Callable[[int], bool], rate: int) -> int:
    """Return the first rate from `rate` down whose repeated runs hold; 0 if none of some does."""
    step = STEP_DOWN
    for _ in range(MAX_STEPS_DOWN):
        if rate < 1:
            return 0
        if holds_median(rate):
            return rate
        rate = min(rate - 1, int(rate / step))
        step = min(2, step * step)
    return 0
