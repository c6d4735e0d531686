"""Bytes and attributes of messages, as a person reads and types them."""

import json
from collections.abc import Mapping

from django.core.exceptions import ValidationError


def readable(data: bytes) -> str:
    r"""Return bytes as text; what is not UTF-8, or would act instead of show, as `\xff`.

    That includes marks that turn the direction of writing: they make a text look like another.
    """
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else sign.encode("unicode_escape").decode()
        for sign in data.decode(errors="backslashreplace")
    )


def as_json(attributes: Mapping[str, str]) -> str:
    return json.dumps(dict(attributes), ensure_ascii=False)


def parse_attributes(text: str) -> dict[str, str]:
    """Return a message's attributes as a person typed them. Raises ValidationError."""
    try:
        raw = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"This is no JSON: {error}.") from error
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise ValidationError('Attributes are an object of texts, such as {"type": "trade"}.')
    return raw
