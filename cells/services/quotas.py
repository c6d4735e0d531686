"""Quotas: how often one address may do what anybody may do, counted for all processes."""

import logging
import time
from ipaddress import IPv6Address, ip_address

from django.core.cache import cache
from redis import RedisError

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 3600


def wait_seconds(purpose: str, address: str, *, an_hour: int) -> int:
    """Count one more attempt from an address; return 0, or after how many seconds to come again.

    Counted by the clock's hours. Where the cache does not answer, nobody is kept from anything.
    """
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    key = f"quota.{purpose}.{_household(address)}.{window}"
    try:
        cache.add(key, 0, timeout=WINDOW_SECONDS)
        count = cache.incr(key)
    except (RedisError, OSError, ValueError) as error:  # ValueError: it was swept out in between
        logger.warning("attempts of %s cannot be counted: %s", purpose, error)
        return 0
    return 0 if count <= an_hour else int((window + 1) * WINDOW_SECONDS - now) + 1


def _household(address: str) -> str:
    """Return what stands for an address: of IPv6 the 64 bits that a household is given."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{int(parsed) >> 64:x}"
