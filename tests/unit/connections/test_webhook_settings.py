"""What a receiver of webhooks reads of the settings."""

import pytest

from solvimon_rillet.connections.webhook_settings import WebhookSettings
from solvimon_rillet.errors import SettingsInvalid
from solvimon_rillet.settings import Settings


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"invoice_scope": "AR_ONLY"}',
        '{"solvimon": {"webhook_max_age_seconds": 60}}',
        '{"solvimon": {"webhook\\u005fmax_age_seconds": 60}}',
        '{"rillet": {"webhook_max_age_seconds": 0, "webhook_token_form": "text"}}',
    ],
)
def test_they_are_what_the_whole_model_says(text: str) -> None:
    whole = Settings.parse(text)

    assert WebhookSettings.parse(text) == WebhookSettings(
        whole.solvimon.webhook_max_age_seconds,
        whole.rillet.webhook_max_age_seconds,
        whole.rillet.webhook_token_form,
    )


def test_what_is_wrong_elsewhere_does_not_matter_to_it() -> None:
    assert WebhookSettings.parse('{"invoice_scop": "FULL"}') == WebhookSettings()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "^settings: "),
        ('{"solvimon": {"webhook_max_age_seconds": -1}}', "solvimon.webhook_max_age_seconds"),
        ('{"rillet": {"webhook_token": "text"}}', "rillet.webhook_token: there is no such setting"),
    ],
)
def test_an_invalid_value_is_named(text: str, problem: str) -> None:
    with pytest.raises(SettingsInvalid, match=problem):
        WebhookSettings.parse(text)
