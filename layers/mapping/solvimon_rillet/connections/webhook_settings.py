"""The settings of webhooks, read without the full settings model.

The full model doubles the cold start of the webhook receiver, and most connections do not set anything about
webhooks. Other errors in the settings are found by the workflows, whose work then waits; a webhook need not.
"""

import json
from dataclasses import dataclass
from typing import Self

from solvimon_rillet.errors import SettingsInvalid
from solvimon_rillet.http.allowed_hosts import AllowedHosts
from solvimon_rillet.rillet import webhooks as rillet
from solvimon_rillet.solvimon import webhooks as solvimon


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """The maximum age of webhooks in seconds, and the form of Rillet's token."""

    solvimon_max_age_seconds: int = solvimon.MAX_AGE_SECONDS
    rillet_max_age_seconds: int = rillet.MAX_AGE_SECONDS
    rillet_token_form: rillet.TokenForm = rillet.ANY_FORM

    @classmethod
    def parse(cls, text: str, hosts: AllowedHosts | None = None) -> Self:
        """The webhook settings from a connection's settings; ``hosts`` as in ``Settings.parse``.

        Raises:
            SettingsInvalid: the text is no JSON, or it sets webhook settings and is invalid as a whole.
        """
        if "webhook_" in text or "\\" in text:  # a name may be written with escapes
            from solvimon_rillet.settings import Settings

            settings = Settings.parse(text, hosts)
            return cls(
                settings.solvimon.webhook_max_age_seconds,
                settings.rillet.webhook_max_age_seconds,
                settings.rillet.webhook_token_form,
            )
        try:
            json.loads(text or "{}")
        except ValueError as error:
            raise SettingsInvalid(f"settings: {error}") from None
        return cls()
