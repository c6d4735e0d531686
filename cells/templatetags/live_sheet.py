"""`{% live_sheet "demo" %}`: a sheet as a part of any page of a project."""

import re
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cells.embedding import EMBED, READ_ONLY, WITHOUT_TOOLBAR
from cells.models import Sheet

register = template.Library()

SIZE = re.compile(r"(\d+(?:\.\d+)?)(px|%|em|rem|vh|dvh|svh|vw)?")
SLUG = re.compile(r"[-a-zA-Z0-9_]+")
THEMES = ("", "light", "dark")
UNKNOWN = "-"  # a slug that no sheet has; its frame says so


@register.simple_tag
def live_sheet(
    sheet: Sheet | str,
    height: str = "480px",
    width: str = "100%",
    title: str = "",
    theme: str = "",
    *,
    toolbar: bool = True,
    read_only: bool = False,
) -> SafeString:
    """Return a frame with a sheet in it, or with a sentence that says why it cannot be shown.

    `sheet` is a Sheet or its slug; `height` and `width` are lengths of CSS; `title` is what screen
    readers say of the frame. Without a `theme` the sheet is light or dark as the page's own
    `color-scheme` says. `read_only` takes the means to edit away; who may edit is not its matter.

    Raises TemplateSyntaxError for sizes and themes that are none.
    """
    slug = sheet.slug if isinstance(sheet, Sheet) else str(sheet)
    if theme not in THEMES:
        raise template.TemplateSyntaxError(f'live_sheet: theme is "light" or "dark", not {theme!r}')
    options = {EMBED: "", WITHOUT_TOOLBAR: not toolbar, READ_ONLY: read_only}
    query = urlencode({name: "" for name, is_on in options.items() if is_on is not False})
    path = reverse("cells:sheet", args=[slug if SLUG.fullmatch(slug) else UNKNOWN])
    sizes = [_sized("width", width), _sized("height", height)]
    style = ";".join(rule for _, rule in sizes if rule)
    if theme:
        style = f"{style};color-scheme:{theme}".lstrip(";")
    attributes = [
        ("class", "live-sheet"),
        ("src", f"{path}?{query.replace('=', '')}"),
        ("title", title or _("Live sheet %(slug)s") % {"slug": slug}),
        *(attribute for attribute, _ in sizes if attribute),
        # An attribute, for a content security policy may forbid styles; so may it be with theirs.
        ("frameborder", "0"),
        ("loading", "lazy"),
        *([("style", style)] if style else []),
    ]
    return format_html("<iframe{}></iframe>", format_html_join("", ' {}="{}"', attributes))


def _sized(name: str, text: str) -> tuple[tuple[str, str] | None, str]:
    """Return a size as an attribute, or, where HTML has none for its unit, as a rule of CSS."""
    found = SIZE.fullmatch(str(text).strip())
    if found is None:
        raise template.TemplateSyntaxError(
            f'live_sheet: {name} is a length such as "480px", "60vh" or "100%", not {text!r}'
        )
    number, unit = found[1], found[2] or "px"
    if unit in ("px", "%"):
        return (name, number + unit.removeprefix("px")), ""
    return None, f"{name}:{number}{unit}"
