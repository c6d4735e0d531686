"""Places: how many sockets one person, and the guests of one address, have in this process."""

from collections import Counter
from collections.abc import Callable
from functools import partial

from django.conf import settings

from cells.services.quotas import household
from cells.services.visitors import Visitor


class Places:
    """Counts sockets by whose they are; of this process, for memory is what they cost."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def take(self, visitor: Visitor, address: str) -> Callable[[], None] | None:
        """Count one more socket; return what counts it out, or None where there are too many."""
        if visitor.is_guest:
            whose, limit = f"guests {household(address)}", settings.SOCKETS_PER_ADDRESS
        else:
            whose, limit = f"user {visitor.user.pk}", settings.SOCKETS_PER_USER
        if self._taken[whose] >= limit:
            return None
        self._taken[whose] += 1
        return partial(self._give_back, whose)

    def _give_back(self, whose: str) -> None:
        self._taken[whose] -= 1
        if self._taken[whose] <= 0:
            del self._taken[whose]
