"""What the tests of `configure` share."""

from typing import Any

from local.system import LocalSystem

Json = dict[str, Any]
ADA = "Ada Lovelace"
NAME = "/solvimon-rillet/default/settings"


def ask(system: LocalSystem, **event: object) -> Json:
    """Invoke ``configure``."""
    answer: Json = system.invoke("configure", event)
    return answer


def version(system: LocalSystem) -> int:
    """The version of the settings that is in force."""
    return int(system.aws.ssm.get_parameter(Name=NAME)["Parameter"]["Version"])


def change(system: LocalSystem, changes: Json, **more: object) -> Json:
    """Set values on the version that is in force."""
    return ask(system, set=changes, **{"version": version(system), "by": ADA, **more})


def stored(system: LocalSystem) -> str:
    """The settings as they are stored."""
    return str(system.aws.ssm.get_parameter(Name=NAME)["Parameter"]["Value"])


def field(answer: Json, path: str) -> Json:
    """A row of the form."""
    [row] = [each for each in answer["fields"] if each["path"] == path]
    found: Json = row
    return found
