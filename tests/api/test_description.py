"""What the interface says of itself is so: requests made of its own description, good and bad."""

import io
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from cells.api import api
from cells.api.importing import SUFFIXES
from cells.models import Sheet
from cells.services.access import create_sheet

from .conftest import token_for

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = 10  # of each address, good and bad alike: some seconds in all
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@schemathesis.serializer(*SUFFIXES)
def file_as_it_is(context: Any, value: Any) -> bytes:
    """Send the bytes that were made for a file: as a text they are none."""
    return getattr(value, "data", None) or str(value).encode(errors="replace")


_interface = get_wsgi_application()


def answered_whole(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Call the interface as a server does: with the length of a body, and an answer is closed."""
    body = environ["wsgi.input"].read()
    environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    answer = _interface(environ, start_response)
    try:
        return [b"".join(answer)]
    finally:
        if close := getattr(answer, "close", None):
            close()


DESCRIPTION = schemathesis.openapi.from_dict(dict(api.get_openapi_schema()))
DESCRIPTION.app = answered_whole
OPERATIONS = {
    found.ok().label: found.ok()
    for found in DESCRIPTION.get_all_operations()
    if isinstance(found, Ok)
}


def test_all_of_the_description_is_tried() -> None:
    paths = api.get_openapi_schema()["paths"]
    assert len(OPERATIONS) == sum(map(len, paths.values())) > 0


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_one_that_the_description_knows(
    label: str, mode: GenerationMode, alice: User, settings_of_site: None
) -> None:
    headers = {"Authorization": f"Bearer {token_for(alice)}"}
    checks = [*CHECKS, negative_data_rejection] if mode == GenerationMode.NEGATIVE else CHECKS

    @given(case=OPERATIONS[label].as_strategy(mode), is_ours=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case[Any], *, is_ours: bool) -> None:
        if is_ours and "slug" in case.path_parameters:
            Sheet.objects.filter(slug="plan").update(deleted_at=None)
            case.path_parameters["slug"] = "plan"
        if case.path.endswith("/changes"):
            case.query["wait"] = 0  # what waits is tried in test_changes.py
        case.call_and_validate(headers=headers, checks=checks)

    ask()


@pytest.fixture
def settings_of_site(settings: Settings, alice: User) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.API_REQUESTS_A_MINUTE = 1_000_000
    create_sheet(alice, "Plan", slug="plan")
