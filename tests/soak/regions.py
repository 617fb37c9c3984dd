"""Where the company's customers are, and what their invoices look like; the rows are in `regions.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from local.sample_data.drafts import Tax, read_tax
from local.sample_data.identity import Json
from local.sample_data.parties import Place


@dataclass(frozen=True)
class Region:
    """One row of the file."""

    share: int
    like: str
    entity: str
    currency: str
    timezone: str
    country: str
    place: Place
    taxes: tuple[Tax, ...]
    low: Tax


def _region(row: Json) -> Region:
    taxes = tuple(map(read_tax, row["taxes"]))
    return Region(**row | {"place": Place(**row["place"]), "taxes": taxes, "low": read_tax(row["low"])})


_ROWS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
REGIONS: Mapping[str, Region] = {name: _region(row) for name, row in _ROWS.items()}
_SHARES = [name for name, region in REGIONS.items() for _ in range(region.share)]


def region_of(customer: int) -> str:
    """Return the region of a customer of the first day."""
    return _SHARES[customer % len(_SHARES)]
