"""The interface `/api/v1` itself: how it reads bodies, describes itself and refuses."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, reverse
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from cells.api.callers import SessionAuth, TokenAuth
from cells.api.problems import (
    CONTENT_TYPE,
    MethodNotAllowed,
    NoSuchPath,
    answer_refusals,
    problem_response,
)
from cells.streams.values import Literal, decode_json

_decoder = msgspec.json.Decoder(float_hook=Literal)

DESCRIPTION = """\
Read and write sheets. Send a personal token: `Authorization: Bearer sst_…`. Errors are
`application/problem+json` with a stable `code`. HEAD answers as GET does, without the body. The
guide with examples is docs/api.md.
"""


class JsonParser(Parser):
    """Bodies as messages are read: a number keeps the digits that it was written with."""

    def parse_body(self, request: HttpRequest) -> Any:
        return decode_json(_decoder, request.body)


class Interface(NinjaAPI):
    """A NinjaAPI that describes its refusals, answers HEAD, and refuses methods as problems."""

    def _get_urls(self) -> list[Any]:
        urls = super()._get_urls()
        for url in urls:
            if isinstance(url, URLPattern):
                url.callback = _for_every_method(url.callback)
        return urls

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


View = Callable[..., HttpResponseBase]


def _for_every_method(view: View) -> View:
    """Let a view answer HEAD as it answers GET; the server leaves the body out.

    The view sees a GET, and finds the method that was asked for in META.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        method = request.method
        if method == "HEAD":
            request.method = "GET"
        try:
            response = view(request, *args, **kwargs)
        finally:
            request.method = method
        if isinstance(response, HttpResponseNotAllowed):
            return _not_allowed(request, response.headers["Allow"].split(", "))
        return response

    return answer


def _not_allowed(request: HttpRequest, methods: list[str]) -> HttpResponse:
    allowed = ", ".join(sorted({*methods, *(["HEAD"] if "GET" in methods else [])}))
    refusal = MethodNotAllowed(f"{request.method} is nothing that can be done here; use {allowed}")
    response = problem_response(refusal)
    response.headers["Allow"] = allowed  # RFC 9110, section 15.5.6
    return response


def is_head(request: HttpRequest) -> bool:
    """Say whether the answer's body will be left out."""
    return request.META.get("REQUEST_METHOD") == "HEAD"


@csrf_exempt
def no_such_path(request: HttpRequest, anything: str) -> HttpResponse:
    """Answer at addresses below /api that are nothing's, as a problem and not as a page."""
    guide = reverse("cells:api-v1:openapi-view")
    return problem_response(NoSuchPath(f"there is nothing at this address; see {guide}"))
