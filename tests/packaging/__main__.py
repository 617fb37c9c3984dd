"""``make packaging``: builds what is deployed, runs it as AWS would, and prints ``PACKAGING {json}``.

The functions run at DEBUG, and their logs are searched for every secret of the run.
"""

import json
import platform
import sys

from local.system import LocalSystem
from tests.packaging.artefacts import lambdas_python, sam_build, sandbox_for
from tests.packaging.built_functions import BuiltFunctions
from tests.packaging.scenario import Invocation, Scenario
from tests.support.secrets import leaked, stored_secrets

_LIMIT = 250 * 1024 * 1024
"""Bytes that a function with its layers may take unzipped (Lambda quotas)."""
_SKIPPED = "python3.13, which Lambda runs, is not on this machine: Python {} stands in for it"


def main() -> None:
    """Build, import, invoke; the exit code says whether all is well."""
    if platform.system() != "Linux":
        sys.stdout.write('PACKAGING {"skipped": "Lambda\'s runtime client exists for Linux only"}\n')
        return
    python = lambdas_python()
    artefacts = sam_build(python)
    sandbox, note = sandbox_for(artefacts, python or sys.executable)
    sizes = {layer: artefacts.size(layer) for layer in artefacts.layers}
    unzipped = sum(size.unzipped for size in sizes.values())
    unavailable = {
        name: sandbox.unavailable(code, sandbox.modules(f"{name}.handler", code).values())
        for name, code in artefacts.functions.items()
    }
    with LocalSystem() as system, BuiltFunctions(system, sandbox, artefacts.functions) as built_functions:
        invocations = list(Scenario(system, built_functions.last_answer).invoke_all())
        secrets = _secrets_of(system)
        in_logs = leaked(secrets, built_functions.log)
    failed = [invocation.function for invocation in invocations if not invocation.as_expected]
    result = {
        "functions": len(artefacts.functions),
        "imported_alone": sum(not files for files in unavailable.values()),
        "invoked_under_awslambdaric": len({invocation.function for invocation in invocations}),
        "answered_as_expected": len(invocations) - len(failed),
        "failed": failed,
        "secrets": len(secrets),
        "secrets_in_logs": len(in_logs),
        "layers_mb": {
            layer: {"zipped": _mb(size.zipped), "unzipped": _mb(size.unzipped)}
            for layer, size in sizes.items()
        },
        "unzipped_mb_of_250": _mb(unzipped),
        "python": "3.13" if python else _SKIPPED.format(platform.python_version()),
        "ran_on": note,
    }
    for name, files in unavailable.items():
        for file in files:
            sys.stderr.write(f"{name} imports what Lambda does not have: {file}\n")
    for name in in_logs:
        sys.stderr.write(f"in the functions' logs: {name}\n")
    for each in invocations:
        sys.stdout.write(f"{'ok  ' if each.as_expected else 'FAIL'} {each.function}: {_short(each)}\n")
    sys.stdout.write(f"PACKAGING {json.dumps(result)}\n")
    if (
        any(unavailable.values())
        or failed
        or in_logs
        or len(invocations) != len(artefacts.functions)
        or unzipped > _LIMIT
    ):
        sys.exit(1)


def _secrets_of(system: LocalSystem) -> set[tuple[str, str]]:
    """The secrets of the run, each with its name: what AWS holds, and what Rillet issued."""
    oauth = system.rillet.state.oauth
    issued = {f"a token of Rillet {value[-4:]}": value for value in oauth.tokens}
    issued |= {f"a code of Rillet {value[-4:]}": value for value in oauth.codes}
    return {*stored_secrets(system).items(), *issued.items()}


def _short(invocation: Invocation) -> str:
    text = json.dumps(invocation.answer, default=str)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _mb(size: int) -> float:
    return round(size / 1024 / 1024, 1)


if __name__ == "__main__":
    main()
