"""A tag by which a page asks for its modules at once, not one level of imports after the other."""

from pathlib import Path

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from sheetsync.bundling import order_of

register = template.Library()


@register.simple_tag
def preload_modules(entry: str) -> SafeString:
    """Return a `<link rel="modulepreload">` for each module that a module needs to start.

    In production it is nothing: there they come in one file (`sheetsync.storage`).
    """
    names = order_of(entry, _source) if settings.DEBUG else []
    return format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((static(name),) for name in names)
    )


def _source(name: str) -> str:
    path = finders.find(name)
    if not isinstance(path, str):
        raise LookupError(f"There is no static file {name!r}.")
    return Path(path).read_text()
