"""Documents of both sides, and a report with a finding of each kind, for the tests of the reconciliation."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from solvimon_rillet.reconciliation.comparison import Comparison, compare
from solvimon_rillet.reconciliation.customers import EditedCustomer, customer_finding
from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, INVOICE, RilletDocument, SolvimonDocument
from solvimon_rillet.reconciliation.findings import Finding, FindingType
from solvimon_rillet.reconciliation.matching import ReconciliationContext
from solvimon_rillet.reconciliation.report.report import Report, UnmappedRecord

BERLIN, TOKYO = "sub_berlin", "sub_tokyo"
SUBSIDIARIES = {BERLIN: "Acme Berlin GmbH", TOKYO: "Acme 東京 K.K."}
KNOWN = ReconciliationContext(
    first="2026-08-01",
    last="2026-10-31",
    customers={"cust_1": "rc_1", "cust_2": "rc_2"},
    subsidiaries={"bill_berlin": BERLIN, "bill_tokyo": TOKYO},
    booked_ids=frozenset({"invo_void"}),
    deleted_ids=frozenset({"ri_deleted"}),
)


def billed(identifier: str, **other: Any) -> SolvimonDocument:
    """A document of Solvimon that was exported: 100.00 EUR and 19.00 tax."""
    fields: dict[str, Any] = {
        "number": f"RE-{identifier}",
        "day": "2026-10-05",
        "currency": "EUR",
        "net": "100.00",
        "tax": "19.00",
        "gross": "119.00",
        "payment_status": "UNPAID",
        "customer_id": "cust_1",
        "biller_id": "bill_berlin",
        "state": "exported",
        "rillet_id": f"ri_{identifier}",
        "rillet_number": other.get("number", f"RE-{identifier}"),
    }
    return SolvimonDocument(**{"kind": INVOICE, "id": f"invo_{identifier}", **fields, **other})


def note(identifier: str, *credits: str, **other: Any) -> SolvimonDocument:
    """A credit note on invoices: the whole amount."""
    return billed(identifier, kind=CREDIT_MEMO, credits=tuple(f"invo_{one}" for one in credits), **other)


def booked(ours: SolvimonDocument, **other: Any) -> RilletDocument:
    """What Rillet has for a document: the same, and all of an invoice is open."""
    same = RilletDocument(
        kind=ours.kind,
        id=ours.rillet_id,
        number=ours.number,
        day=ours.day,
        currency=ours.currency,
        net=ours.net,
        tax=ours.tax,
        gross=ours.gross,
        open=ours.gross,
        status="UNPAID",
        customer_id=KNOWN.customers.get(ours.customer_id, ""),
        subsidiary_id=KNOWN.subsidiaries.get(ours.biller_id, ""),
        references=(ours.id,),
    )
    return replace(same, **other)


def memo(ours: SolvimonDocument, applied: dict[str, str], **other: Any) -> RilletDocument:
    """What Rillet has for a credit note, and what it takes off which invoices."""
    left = Decimal(ours.gross) - sum(map(Decimal, applied.values()), Decimal())
    return booked(ours, **{"open": f"{left:f}", "status": "", "applied": applied, **other})


def compared(
    billed: Iterable[SolvimonDocument],
    booked: Iterable[RilletDocument],
    earlier: Iterable[SolvimonDocument] = (),
    **known: Any,
) -> Comparison:
    """Compare documents of the period that ``KNOWN`` describes."""
    return compare(billed, booked, replace(KNOWN, **known), earlier)


def kinds(comparison: Comparison) -> list[FindingType]:
    """The kinds of what was found."""
    return [finding.kind for finding in comparison.findings]


def sample(**other: Any) -> Report:
    """A report of three months, three currencies and two subsidiaries, with one finding of each kind."""
    ours, theirs = _agreeing()
    for one, there in _apart():
        ours += one
        theirs += there
    comparison = compare(ours, theirs, KNOWN)
    renamed = EditedCustomer("cust_renamed", "Renamed Quay B.V.", "rillet-renamed", is_unsent=True)
    comparison.findings += filter(None, [customer_finding(renamed, None)])
    report = Report(
        connection="default",
        first=KNOWN.first,
        last=KNOWN.last,
        made_at="2026-11-24T18:23:45Z",
        comparison=comparison,
        subsidiaries=SUBSIDIARIES,
        unmapped=UNREADY,
        link=lambda identifier: f"https://desk.solvimon.com/invoices/{identifier}",
        redriven=1,
        remarks=["Rillet was read on 2026-11-24 between 18:20 and 18:23 UTC."],
    )
    return replace(report, **other)


def large(findings: int) -> Report:
    """A report with so many missing invoices."""
    ours = [
        billed(f"{number:026}", number=f"RE-2026-{number:06}", state="", rillet_id="", day="2026-09-30")
        for number in range(findings)
    ]
    return sample(comparison=compare(ours, [], KNOWN))


def empty() -> Report:
    """A report of a period without documents."""
    return sample(comparison=compare([], [], KNOWN), unmapped=(), redriven=0, remarks=())


def finding(**other: Any) -> Finding:
    """A finding about one invoice."""
    fields: dict[str, Any] = {
        "kind": FindingType.MISSING,
        "document": INVOICE,
        "solvimon_id": "invo_1",
        "number": "RE-1",
        "day": "2026-10-05",
        "currency": "EUR",
        "amount": "119.00",
        "rillet_ids": (),
        "cause": "A cause.",
        "remedy": "A remedy.",
    }
    return Finding(**{**fields, **other})


def reporting(*findings: Finding, **other: Any) -> Report:
    """A report of these findings."""
    report = sample(**other)
    return replace(report, comparison=replace(report.comparison, findings=list(findings)))


UNREADY = (
    UnmappedRecord(
        "product",
        "prod_01HZX8Q2W9B1C7D5E3F4G6H8J0",
        "API calls, tier <3>",
        "It has no Rillet product.",
        'Set the custom field "Rillet Product ID", or run import_products.',
    ),
    UnmappedRecord(
        "customer",
        "cust_9",
        "Müller & Söhne",
        "It has no Rillet customer, and none is created.",
        'Set the custom field "Rillet Customer ID".',
    ),
)


def _agreeing() -> tuple[list[SolvimonDocument], list[RilletDocument]]:
    """Documents on which both sides agree, paid and unpaid ones."""
    ours, theirs = list[SolvimonDocument](), list[RilletDocument]()
    tokyo = {"biller_id": "bill_tokyo", "customer_id": "cust_2"}
    amounts: list[dict[str, Any]] = [
        {"currency": "EUR", "net": "12500.50", "tax": "2375.10", "gross": "14875.60"},
        {"currency": "JPY", "net": "1250000", "tax": "125000", "gross": "1375000", **tokyo},
        {"currency": "BHD", "net": "1200.125", "tax": "120.013", "gross": "1320.138", **tokyo},
    ]
    for place, day in enumerate(("2026-08-15", "2026-09-15", "2026-10-15")):
        for row in amounts:
            identifier = f"{row['currency'].lower()}_{place}"
            paid = place == 0
            one = billed(identifier, **row, day=day, payment_status="PAID" if paid else "UNPAID")
            due = {"open": "0", "status": "PAID"} if paid else {}
            ours.append(one)
            theirs.append(booked(one, **due))
    credited = note("credit", "eur_2", net="1000.00", tax="190.00", gross="1190.00", day="2026-10-20")
    theirs[6] = replace(theirs[6], open="13685.60", status="PARTIALLY_CREDITED")
    return [*ours, credited], [*theirs, memo(credited, {"ri_eur_2": "1190.00"})]


def _apart() -> list[tuple[list[SolvimonDocument], list[RilletDocument]]]:
    """Documents on which they do not: one finding of each kind."""
    doubled, cent, customer = billed("doubled"), billed("cent"), billed("customer")
    subsidiary, number, paid = billed("subsidiary"), billed("number"), billed("paid")
    less = billed("less", payment_status="PARTIALLY_PAID", paid="9.00")
    original, unapplied = billed("original"), note("unapplied", "original")
    gone = billed("deleted", rillet_id="ri_deleted", net="2000.00", tax="380.00", gross="2380.00")
    new = {"state": "", "rillet_id": "", "rillet_number": ""}
    rejected = billed(
        "rejected",
        **{**new, "state": "rejected"},
        day="2026-09-02",
        code="product_not_linked",
        message="The product “API calls, tier <3>” (prod_01HZX8Q2W9B1C7D5E3F4G6H8J0) has no Rillet product.",
        remedy='Set the custom field "Rillet Product ID" on the product in Solvimon, then retry.',
    )
    missing = billed(
        "missing", **new, currency="JPY", net="50000", tax="5000", gross="55000", day="2026-08-31"
    )
    missing = replace(missing, biller_id="bill_tokyo", customer_id="cust_2")
    sending = billed("sending", **{**new, "state": "sending"})
    card, moved = billed("card", payment_status="PAID", paid="119.00"), billed("moved")
    again, bad_debt = billed("again", rillet_id="ri_gone"), billed("bad_debt")
    first, later, used = billed("first"), billed("later"), note("used", "first")
    kept, refunded = billed("kept"), note("refunded", "kept")
    strangers = [
        booked(
            billed("write_off", kind=CREDIT_MEMO, number="CM-9"),
            references=(),
            day="2026-11-02",
            open="0",
            applied={"ri_bad_debt": "119.00"},
        ),
        booked(billed("void", number="RE-VOID")),
        booked(billed("other", number="INV-77"), references=("crm_77",)),
    ]
    return [
        ([doubled], [booked(doubled), booked(doubled, id="ri_doubled_again")]),
        ([gone, rejected, missing, sending], []),
        ([cent], [booked(cent, tax="19.01", gross="119.01", open="119.01")]),
        ([customer], [booked(customer, customer_id="rc_9")]),
        ([subsidiary], [booked(subsidiary, subsidiary_id=TOKYO)]),
        ([number], [booked(number, number="INV-000123")]),
        ([original, unapplied], [booked(original), memo(unapplied, {})]),
        ([paid], [booked(paid, open="0", status="PAID")]),
        ([less], [booked(less, open="100.00")]),
        ([card], [booked(card, open="3.20", status="PARTIALLY_PAID")]),
        ([moved], [booked(moved, day="2026-09-30")]),
        ([again], [booked(again, id="ri_again")]),
        ([bad_debt], [booked(bad_debt, open="0", status="CREDITED")]),
        (
            [first, later, used],
            [
                booked(first),
                booked(later, open="0", status="CREDITED"),
                memo(used, {"ri_later": "119.00"}),
            ],
        ),
        ([kept, refunded], [booked(kept), memo(refunded, {}, status="REFUNDED")]),
        (
            [
                billed("self", not_for_rillet="self-billing"),
                billed("old", not_for_rillet="dated before start_date"),
            ],
            [],
        ),
        ([], strangers),
    ]


@dataclass
class Page(HTMLParser):
    """A page as a reader sees it: its tables by id or caption, its links, and the tags that it uses."""

    source: str
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    handlers: set[str] = field(default_factory=set)
    _texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._table: list[list[str]] = []
        self._style = False
        self.feed(self.source)

    @property
    def text(self) -> str:
        """All that is written on the page."""
        return "".join(self._texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.handlers |= {name for name in found if name.startswith("on")}
        self._style = tag == "style"
        if tag == "a":
            self.links.append(found.get("href") or "")
        if tag in {"h2", "h3"}:
            self._heading = found.get("id") or ""
        if tag == "table":
            self._table = self.tables.setdefault(found.get("id") or self._heading, [])
        if tag == "tr":
            self._table.append([])
        if tag in {"td", "th"}:
            self._table[-1].append("")
            self._cell = True
        if tag == "br" and self._table and self._table[-1]:
            self._table[-1][-1] += " "

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._cell = False

    def handle_data(self, data: str) -> None:
        if not self._style:
            self._texts.append(data)
        if self._cell:
            self._table[-1][-1] += data

    _cell = False
    _heading = ""
