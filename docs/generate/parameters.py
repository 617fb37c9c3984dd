"""The page of the template's parameters, made from the template."""

from pathlib import Path
from typing import Any

from local.aws.template import parse

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
_INTRO = """# Parameters of the deployment

What `sam deploy --guided` asks for. Every parameter has a default that works. A parameter that a deployment
does not name keeps the value of the last one; environments of your own go into `samconfig.toml`.
Settings of a connection are no parameters: they are edited without a deployment ([settings.md](settings.md)).

This page is made from `template.yaml` (`make docs`)."""


def parameters_page() -> str:
    """Return the page that says what each parameter means."""
    template: dict[str, Any] = parse(TEMPLATE.read_text(encoding="utf-8"))
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    lines = _INTRO.splitlines()
    for group in interface["ParameterGroups"]:
        lines += ["", f"## {group['Label']['default']}", ""]
        lines += ["| Parameter | Default | Allowed | What it does |", "|---|---|---|---|"]
        for name in group["Parameters"]:
            spec = template["Parameters"][name]
            default = f"`{spec['Default']}`" if spec["Default"] != "" else "empty"
            lines.append(f"| `{name}` | {default} | {_allowed(spec)} | {spec['Description'].strip()} |")
    return "\n".join(lines) + "\n"


def _allowed(spec: dict[str, Any]) -> str:
    if "AllowedValues" in spec:
        return ", ".join(str(value) for value in spec["AllowedValues"])
    if "rate|cron" in spec.get("AllowedPattern", ""):
        return "`rate(…)`, `cron(…)` or empty"
    if "MaxValue" in spec:
        return f"{spec['MinValue']} to {spec['MaxValue']}"
    return f"at least {spec['MinValue']}" if "MinValue" in spec else "any text"
