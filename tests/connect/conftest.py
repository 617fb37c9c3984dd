"""Every test here listens to the functions, and fails if one of them tells a secret."""

from collections.abc import Iterator

import pytest

from local.stack import Connection, LocalStack
from tests.connect.support import Heard, add_connection, connected, listening


@pytest.fixture(autouse=True)
def heard(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Heard]:
    """What the functions say during the test: never a token, code, state, verifier, key or secret."""
    with listening(stack, monkeypatch, capsys) as heard:
        yield heard
    assert heard.leaks() == []


@pytest.fixture
def acme(stack: LocalStack) -> Connection:
    """The connection ``acme``, which nobody has authorised yet."""
    return add_connection(stack)


@pytest.fixture
def working(stack: LocalStack, acme: Connection) -> Connection:
    """The connection ``acme``, authorised."""
    return connected(stack, acme)
