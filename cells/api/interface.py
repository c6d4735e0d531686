"""The interface `/api/v1` itself: how it reads bodies, describes itself and refuses."""

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from cells.api.callers import SessionAuth, TokenAuth
from cells.api.problems import CONTENT_TYPE, NoSuchPath, answer_refusals, problem_response
from cells.streams.values import Literal, decode_json

_decoder = msgspec.json.Decoder(float_hook=Literal)

DESCRIPTION = """\
Read and write sheets. Send a personal token: `Authorization: Bearer sst_…`. Errors are
`application/problem+json` with a stable `code`. The guide with examples is docs/api.md.
"""


class JsonParser(Parser):
    """Bodies as messages are read: a number keeps the digits that it was written with."""

    def parse_body(self, request: HttpRequest) -> Any:
        return decode_json(_decoder, request.body)


class Interface(NinjaAPI):
    """A NinjaAPI that says in its description what its refusals look like."""

    def get_openapi_schema(self, **arguments: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**arguments)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    content = answer.get("content", {})
                    if int(status) >= 400 and "application/json" in content:
                        content[CONTENT_TYPE] = content.pop("application/json")
        return schema


api = Interface(
    title="SheetSync",
    version="1",
    description=DESCRIPTION,
    urls_namespace="cells:api-v1",
    auth=[TokenAuth(), SessionAuth()],
    parser=JsonParser(),
    # Else the page asks a server of Swagger's whether the description is valid.
    docs=Swagger(settings={"validatorUrl": None}),
)
answer_refusals(api)


@csrf_exempt
def no_such_path(request: HttpRequest, anything: str) -> HttpResponse:
    """Answer at addresses below /api that are nothing's, as a problem and not as a page."""
    guide = reverse("cells:api-v1:openapi-view")
    return problem_response(NoSuchPath(f"there is nothing at this address; see {guide}"))
