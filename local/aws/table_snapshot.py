"""A table of moto, in plain Python types."""

import pickle
from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from moto.dynamodb.models import dynamodb_backends

from local.aws.server import ACCOUNT, REGION, AwsServer

Json = dict[str, Any]

_deserialize = TypeDeserializer().deserialize


class TableView:
    """One DynamoDB table."""

    def __init__(self, aws: AwsServer, name: str) -> None:
        self._aws = aws
        self._name = name

    def items(self) -> list[Json]:
        """Return all items."""
        pages = self._aws.dynamodb.get_paginator("scan").paginate(TableName=self._name, ConsistentRead=True)
        return [_plain_item(item) for page in pages for item in page["Items"]]

    def item(self, pk: str, sk: str) -> Json | None:
        """Return one item, or None."""
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        found = self._aws.dynamodb.get_item(TableName=self._name, Key=key, ConsistentRead=True)
        return _plain_item(found["Item"]) if "Item" in found else None

    def clear(self) -> None:
        """Remove all items."""
        with self._aws.lock:
            self._kept.clear()

    def snapshot(self) -> bytes:
        """Return all items as they are now, as point-in-time recovery keeps them."""
        with self._aws.lock:
            return pickle.dumps(dict(self._kept), -1)

    def restore(self, snapshot: bytes) -> None:
        """Replace all items by those of an earlier moment."""
        with self._aws.lock:
            self._kept.clear()
            self._kept.update(pickle.loads(snapshot))  # noqa: S301 - our own

    @property
    def _kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = dynamodb_backends[ACCOUNT][REGION].get_table(self._name).items
        return kept


def _plain_item(item: Mapping[str, Any]) -> Json:
    return {name: _deserialize(value) for name, value in item.items()}
