"""What each night must show: the reconciliation and the auditor find what is stated, and nothing else.

Some differences repair themselves, such as a document whose webhook was lost. They may be found once, and
must be gone by the next look: a night later for the reconciliation, two hours later for the auditor.
"""

import json

from local.books_check.audit import audit
from local.sample_data.identity import Json
from local.system import LocalSystem
from tests.soak.company_simulation import Company

HOUR = 3600
_REPAIRED = {
    *("missing", "on_its_way", "payment_differs", "customer_outdated"),
    *("memo_unapplied", "open_amount_differs"),
}
"""Differences that the product repairs."""
Found = set[tuple[str, str]]


class NightlyCheck:
    """Compares what the product and the auditor say with what people remember.

    Attributes:
        problems: what was wrong in any night, in plain words.
    """

    def __init__(self, system: LocalSystem, company: Company) -> None:
        self._system, self._company = system, company
        self._repairing: Found = set()
        self._audited: dict[str, str] = {}
        self.problems: list[str] = []

    def read(self, night: Json, day: int) -> list[Json]:
        """Return all findings of a reconciliation's report, and judge them."""
        if "report" not in night:
            return []
        findings = self._findings(night)
        self._judge({(one["solvimon_id"], one["kind"]) for one in findings}, day)
        return findings

    def _findings(self, night: Json) -> list[Json]:
        bucket, _, key = str(night["report"]["json"]).removeprefix("s3://").partition("/")
        body = self._system.aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        findings: list[Json] = json.loads(body)["findings"]
        return findings

    def _judge(self, found: Found, day: int) -> None:
        stated = self._company.expected.stated
        expected = {(key, result.value) for key, result in stated.items()}
        settled = {(key, kind) for key, kind in found | expected if self._is_settled(key)}
        repairing = {(key, kind) for key, kind in found - expected if kind in _REPAIRED}
        for key, kind in sorted((found - expected - repairing) & settled):
            self.problems.append(
                f"Night {day}: the reconciliation names {key} {kind}, which nobody has made."
            )
        for key, kind in sorted((expected - found) & settled):
            self.problems.append(f"Night {day}: the reconciliation does not name {key} {kind}.")
        for key, kind in sorted(repairing & self._repairing):
            self.problems.append(f"Night {day}: {key} is still {kind}, a night later.")
        self._repairing = repairing

    def audit_first(self) -> None:
        """Note what the auditor finds now."""
        self._audited = {
            one.text: one.solvimon_id for one in audit(self._system, self._company.expected).findings
        }

    def audit_again(self, day: int) -> None:
        """Report what the auditor finds still."""
        if not self._audited:
            return
        again = {one.text for one in audit(self._system, self._company.expected).findings}
        for text in sorted(again & self._audited.keys()):
            self.problems.append(f"Day {day}: for two hours: {text}")
        self._audited = {}

    def _is_settled(self, key: str) -> bool:
        """Whether nobody has changed a document for two hours."""
        changed = self._company.changed_at.get(key, 0)
        return self._system.clock.now() - changed > 2 * HOUR
