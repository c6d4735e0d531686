"""People, their tokens, and a client that speaks JSON in their name."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from cells.models import Scope
from cells.services.tokens import create_token

API = "/api/v1"


class Program:
    """A program with a token, or with none."""

    def __init__(self, token: str | None = None, browser: Client | None = None) -> None:
        self._client = browser or Client()
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        return self.send(method, path, data, headers)

    def send(
        self,
        method: str,
        path: str,
        data: bytes,
        headers: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Any:
        """Call with a body that may be no JSON."""
        return self._client.generic(
            method,
            API + path,
            data,
            content_type=content_type,
            headers={**self._headers, **(headers or {})},
        )

    def get(self, path: str, headers: dict[str, str] | None = None) -> Any:
        return self.call("GET", path, headers=headers)


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def program(alice: User) -> Program:
    """Alice's program, which may write."""
    return Program(token_for(alice))


@pytest.fixture
def program_of() -> Callable[..., Program]:
    """Make a person by name, if there is none yet, and a program of theirs."""

    def make(name: str, scope: Scope = Scope.WRITE) -> Program:
        return Program(token_for(User.objects.get_or_create(username=name)[0], scope))

    return make


def token_for(user: User, scope: Scope = Scope.WRITE) -> str:
    return create_token(user, "test", scope)[1]
