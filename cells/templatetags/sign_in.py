"""Where the project that the app lives in lets people sign in."""

from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.shortcuts import resolve_url

register = template.Library()


@register.simple_tag
def sign_in_address(next_page: str = "") -> str:
    """Return LOGIN_URL as an address, going on to `next_page` behind it."""
    address = resolve_url(settings.LOGIN_URL)
    if not next_page:
        return address
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{urlencode({'next': next_page}, safe='/')}"
