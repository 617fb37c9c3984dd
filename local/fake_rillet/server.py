"""The Rillet fake as a program on loopback."""

import time
from collections.abc import Callable

from local.fake_rillet.app import create_app
from local.fake_rillet.state import State
from local.fake_vendor.http_server import HttpServer


class FakeRillet(HttpServer):
    """A Rillet on this machine."""

    def __init__(
        self, clock: Callable[[], float] = time.time, rate_limit: int = 60, rate_window: float = 60.0
    ) -> None:
        """Create a fake that is not started and has no organisation.

        Args:
            clock: Unix seconds.
            rate_limit: calls per window and organisation.
            rate_window: seconds.
        """
        self.state = State(clock, rate_limit, rate_window)
        super().__init__("rillet", create_app(self.state), self.state.deliver_webhooks)

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end.

        Raises:
            RuntimeError: the fake is not started.
        """
        return self.origin
