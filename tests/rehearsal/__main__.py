"""``make rehearse-deploy``: `sam build` and `sam deploy` against an emulator; prints ``DEPLOY {json}``.

First a create that fails, then create, update with a changed parameter and a changed tag, delete. In between
a person edits settings and secrets, which must stay.
"""

import json
import sys
from collections import Counter
from typing import Any

import yaml

from local.aws.template import translate
from local.system import ROOT
from tests.packaging.artefacts import BUILD, lambdas_python, sam_build
from tests.rehearsal.emulator import running
from tests.rehearsal.stack import RehearsedStack

Json = dict[str, Any]

_EVERYTHING = {
    "AlarmEmail": "finance@example.com",
    "ImportCustomersSchedule": "rate(1 hour)",
    "ImportProductsSchedule": "rate(1 day)",
    "ImportSubsidiariesSchedule": "rate(7 days)",
}
"""Parameters with which every condition of the template holds, so that no resource is left out by one."""


def main() -> None:
    """Build, create, edit, update, delete; the exit code says whether all is well."""
    sam_build(lambdas_python())
    template: Json = yaml.safe_load((BUILD / "template.yaml").read_text(encoding="utf-8"))
    left_out = _leave_out(template)
    path = BUILD / "rehearsal.yaml"
    resources = translate(ROOT / "template.yaml", _EVERYTHING)["Resources"]
    # By type: the logical ids of layers and versions have a hash of the code.
    wanted = Counter(each["Type"] for name, each in resources.items() if name not in left_out)
    with running() as environment:
        stack = RehearsedStack(environment, path)
        path.write_text(yaml.safe_dump(_that_fails(template), sort_keys=False), encoding="utf-8")
        orphans = stack.orphans_of_a_failed_create(_EVERYTHING)
        path.write_text(yaml.safe_dump(template, sort_keys=False), encoding="utf-8")
        stack.deploy(_EVERYTHING)
        created = stack.resources()
        stack.edit_settings_and_secrets()
        stack.deploy({**_EVERYTHING, "LogLevel": "DEBUG"}, "--tags", "application=renamed")
        result = {
            "resources": created.total(),
            "created": created == wanted,
            "left_out": left_out,
            "orphans_of_a_failed_create": orphans,
            "updated": stack.log_level() == "DEBUG" and stack.resources() == wanted,
            "settings_kept": stack.settings_and_secrets_are_as_edited(),
            "deleted": stack.delete() and stack.settings_and_secrets_are_as_edited(),
        }
    if created != wanted:
        sys.stderr.write(f"missing: {dict(wanted - created)}, unexpected: {dict(created - wanted)}\n")
    sys.stdout.write(f"DEPLOY {json.dumps(result)}\n")
    if orphans or not all(result[step] for step in ("created", "updated", "settings_kept", "deleted")):
        sys.exit(1)


def _leave_out(template: Json) -> list[str]:
    """Remove archives, Slack channels and alarms on an expression, which the emulator refuses; name them."""
    resources = template["Resources"]
    left_out = [
        name
        for name, each in resources.items()
        if each["Type"] == "AWS::Events::Archive"
        or each.get("Condition") == "HasSlackChannel"
        or (each["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in each["Properties"])
    ]
    for name in left_out:
        del resources[name]
    outputs = template["Outputs"]
    lost = [name for name, each in outputs.items() if any(one in str(each["Value"]) for one in left_out)]
    for name in lost:
        del outputs[name]
    return sorted(left_out)


def _that_fails(template: Json) -> Json:
    """The template with a parameter that cannot be created, once the table and the bucket are there."""
    refused = {
        "Type": "AWS::SSM::Parameter",
        "DependsOn": ["LedgerTable", "ReportBucket"],
        "Properties": {"Name": "/aws/refused", "Type": "No such type", "Value": "x"},
    }
    return {**template, "Resources": {**template["Resources"], "Refused": refused}}


if __name__ == "__main__":
    main()
