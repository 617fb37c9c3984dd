"""What the receiver of webhooks needs of a connection's settings, read without what it does not need.

The whole model costs a cold start about as much as all else that the receiver does, and most connections say
nothing of webhooks. Whatever else is wrong with the settings is found by the workflows, whose work then
waits; a webhook need not.
"""

import json
from dataclasses import dataclass
from typing import Self

from solvimon_rillet.errors import SettingsInvalid
from solvimon_rillet.rillet import webhooks as rillet
from solvimon_rillet.solvimon import webhooks as solvimon


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """How old webhooks may be, in seconds, and how Rillet's token becomes a key."""

    solvimon_max_age_seconds: int = solvimon.MAX_AGE_SECONDS
    rillet_max_age_seconds: int = rillet.MAX_AGE_SECONDS
    rillet_token_form: rillet.TokenForm = rillet.ANY_FORM

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read them from a connection's settings.

        Raises:
            SettingsInvalid: the text is no JSON, or it speaks of webhooks and is not valid as a whole.
        """
        if "webhook_" in text or "\\" in text:  # a name may be written in escapes
            from solvimon_rillet.settings import Settings

            settings = Settings.parse(text)
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
