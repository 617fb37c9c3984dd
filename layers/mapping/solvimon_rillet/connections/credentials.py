"""Credentials as people paste them: trimmed where that is harmless, else named with what is wrong."""

import json
import unicodedata

from solvimon_rillet.errors import ConnectionBroken

MAX_LENGTH = 4096
# Another key is not quoted: it may be a credential that was pasted in the wrong place.
_CREDENTIAL_KEYS = frozenset(
    f"{previous}{key}"
    for previous in ("", "previous_")
    for key in ("api_key", "auth", "client_id", "client_secret", "webhook_secret", "webhook_token")
)
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


def parse_secret(name: str, text: str) -> dict[str, str]:
    """The texts of a secret. Blanks around a text and invisible characters in it are left out.

    Args:
        name: of the secret, for the error.
        text: a JSON object of texts.

    Raises:
        ConnectionBroken: it is none; the message names the key and quotes no value.
    """
    try:
        value = json.loads(text.strip("\ufeff"))
    except json.JSONDecodeError as error:
        place = f"{error.msg} (line {error.lineno}, column {error.colno})" if text.strip() else "it is empty"
        raise _broken(name, f"is not a JSON object of texts: {place}") from None
    except RecursionError:
        raise _broken(name, "is not a JSON object of texts: it is nested too deeply") from None
    if not isinstance(value, dict):
        raise _broken(name, 'is not a JSON object of texts such as {"api_key": "…"}')
    for key, part in value.items():
        if not isinstance(part, str):
            shown = repr(key) if key in _CREDENTIAL_KEYS else "a value"
            raise _broken(name, f"is not a JSON object of texts: {shown} is no text in quotes")
    return {_trimmed(key): _trimmed(part) for key, part in value.items()}


def check_credential(secret: str, key: str, value: str) -> str:
    """Return a credential that a request can carry.

    Args:
        secret: name of the secret, for the error.
        key: its key in the secret.
        value: the credential.

    Raises:
        ConnectionBroken: it has a character that no credential has, or is too long; it is not quoted.
    """
    for position, sign in enumerate(value, 1):
        if not "!" <= sign <= "~":
            label = f"U+{ord(sign):04X} {unicodedata.name(sign, '')}".rstrip()
            raise _broken(
                secret, f"has in {key!r} a character that no credential has: {label}, at position {position}"
            )
    if len(value) > MAX_LENGTH:
        raise _broken(secret, f"has in {key!r} {len(value)} characters, more than any credential")
    return value


def _trimmed(text: str) -> str:
    return text.translate(_INVISIBLE).strip()


def _broken(secret: str, problem: str) -> ConnectionBroken:
    return ConnectionBroken(f"The secret {secret} {problem}. Correct it; the documents wait.")
