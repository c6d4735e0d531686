"""Quotas: how often one address may do what anybody may do, counted for all processes."""

import logging
import time
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis import RedisError

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 3600


def wait_seconds(purpose: str, address: str, *, an_hour: int) -> int:
    """Count one more attempt from an address; return 0, or after how many seconds to come again.

    Counted by the clock's hours. Where the cache does not answer, nobody is kept from anything.
    """
    return count_seconds(purpose, household(address), limit=an_hour, window_seconds=WINDOW_SECONDS)


def count_seconds(purpose: str, who: str, *, limit: int, window_seconds: int) -> int:
    """Count one more in the present window of the clock; return as wait_seconds does."""
    now = time.time()
    window = int(now // window_seconds)
    key = f"quota.{purpose}.{who}.{window}"
    try:
        cache.add(key, 0, timeout=window_seconds)
        count = cache.incr(key)
    except (RedisError, OSError, ValueError) as error:  # ValueError: it was swept out in between
        logger.warning("attempts of %s cannot be counted: %s", purpose, error)
        return 0
    return 0 if count <= limit else int((window + 1) * window_seconds - now) + 1


def address_of(request: HttpRequest) -> str:
    """Return where a request comes from; behind a proxy that is believed, what that says last."""
    told: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return believed_address(told, request.META.get("REMOTE_ADDR", ""))


def believed_address(told: str, peer: str) -> str:
    """Return the end of X-Forwarded-For where a proxy is believed, else who is connected."""
    if told and settings.SECURE_PROXY_SSL_HEADER:
        return told.rpartition(",")[2].strip()
    return peer


def household(address: str) -> str:
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
