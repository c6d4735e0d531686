"""Tags by which a page asks for its modules at once, not one level of imports after the other."""

import posixpath
import re
from functools import cache
from pathlib import Path

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()

# At the beginning of a line and with a semicolon, as the house writes them; a comment that names
# a type (`import("./x.js")`) and what is loaded later are neither.
IMPORT = re.compile(r"""^(?:import|export)\s[^"';=()]*["'](\.[^"']+)["'];""", re.MULTILINE)


@register.simple_tag
def preload_modules(entry: str) -> SafeString:
    """Return a `<link rel="modulepreload">` for each module that a module needs to start."""
    names = modules_of(entry) if settings.DEBUG else _known(entry)
    return format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((static(name),) for name in names)
    )


def modules_of(entry: str) -> list[str]:
    """Return the static names of a module and of all that it imports, those near to it first.

    Read from the sources themselves: a list kept by hand would go stale unseen.
    """
    found = [entry]
    for name in found:  # which grows
        path = finders.find(name)
        if not isinstance(path, str):
            raise LookupError(f"There is no static file {name!r}.")
        folder = posixpath.dirname(name)
        for url in IMPORT.findall(Path(path).read_text()):
            imported = posixpath.normpath(posixpath.join(folder, url))
            if imported not in found:
                found.append(imported)
    return found


_known = cache(modules_of)
