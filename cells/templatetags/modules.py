"""Tags by which a page gets its scripts: early, and its modules at once."""

from functools import cache
from pathlib import Path

import rjsmin
from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from cells.bundling import order_of

register = template.Library()


@register.simple_tag
def preload_modules(entry: str) -> SafeString:
    """Return a `<link rel="modulepreload">` for each module that a module needs to start.

    In production it is nothing: there they come in one file (`cells.storage`).
    """
    names = order_of(entry, _source) if settings.DEBUG else []
    return format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((static(name),) for name in names)
    )


@register.simple_tag(takes_context=True)
def inline_script(context: template.Context, name: str) -> SafeString:
    """Return a script that runs before anything is fetched."""
    text = mark_safe(_source(name) if settings.DEBUG else _short(name))  # noqa: S308 - our own file
    return format_html("<script{}>{}</script>", nonce(context), text)


@register.simple_tag(takes_context=True)
def nonce(context: template.Context) -> SafeString:
    """Return the attribute by which a content security policy knows what is inline as ours.

    Where the project has such a policy, by django-csp or Django 6, it is the request's; elsewhere,
    nothing.
    """
    # As a text: django-csp's is false until it has been asked for.
    found = context.get("csp_nonce") or getattr(context.get("request"), "csp_nonce", "")
    return format_html(' nonce="{}"', found) if str(found) else SafeString()


def _source(name: str) -> str:
    path = finders.find(name)
    if not isinstance(path, str):
        raise LookupError(f"There is no static file {name!r}.")
    return Path(path).read_text()


@cache
def _short(name: str) -> str:
    return str(rjsmin.jsmin(_source(name)))
