"""What happens to a test whose service is not on this machine."""

import os
from typing import NoReturn

import pytest

IS_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def missing_service(name: str, remedy: str) -> NoReturn:
    """Skip the test with a sentence that says what to install; fail it in CI, where nothing is."""
    sentence = f"{name} is not on this machine: {remedy}"
    if IS_CI:
        pytest.fail(f"{sentence} (CI=true, so this is a failure and no skip)", pytrace=False)
    pytest.skip(sentence)
