"""What a deployed stack keeps: secrets and parameters, as an operator writes them, and its tables' items."""

import copy
import json
import pickle
from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from moto.dynamodb.models import dynamodb_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from local.aws.server import ACCOUNT, REGION, AwsServer

Json = dict[str, Any]

_deserialize = TypeDeserializer().deserialize


class StackConfiguration:
    """What a stack keeps in Secrets Manager and Parameter Store.

    Args:
        aws: the running fake of AWS.
        stack: name of the deployed stack; what it has now is what `restore` goes back to.
    """

    def __init__(self, aws: AwsServer, stack: str) -> None:
        self._aws = aws
        self._stack = stack
        with aws.lock:
            self._deployed = copy.deepcopy([self._own(store, prefix) for store, prefix in self._stores()])

    def put_secret(self, name: str, value: Mapping[str, str]) -> None:
        """Write a secret.

        Args:
            name: without the stack's name, such as `default/rillet`.
            value: its keys and values.
        """
        client, identity, text = self._aws.secretsmanager, f"{self._stack}/{name}", json.dumps(value)
        try:
            client.create_secret(Name=identity, SecretString=text)
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=identity, SecretString=text)

    def secret(self, name: str) -> dict[str, str]:
        """Return the keys and values of a secret; there are none if there is no such secret."""
        client = self._aws.secretsmanager
        try:
            text = client.get_secret_value(SecretId=f"{self._stack}/{name}")["SecretString"]
        except client.exceptions.ResourceNotFoundException:
            return {}
        return dict(json.loads(text))

    def put_settings(self, connection: str, settings: Json | str) -> None:
        """Write a connection's settings; a text is written as it is."""
        text = settings if isinstance(settings, str) else json.dumps(settings)
        name = f"/{self._stack}/{connection}/settings"
        self._aws.ssm.put_parameter(Name=name, Value=text, Type="String", Overwrite=True)

    def restore(self) -> None:
        """Restore what the deployment made, which has no connection."""
        with self._aws.lock:
            for (store, prefix), deployed in zip(self._stores(), self._deployed, strict=True):
                for name in self._own(store, prefix):
                    dict.pop(store, name)
                dict.update(store, copy.deepcopy(deployed))

    def _stores(self) -> tuple[tuple[Json, str], tuple[Json, str]]:
        # moto's own dictionaries, since every test begins with this. They override the methods of `dict`,
        # hence the plain ones.
        return (
            (secretsmanager_backends[ACCOUNT][REGION].secrets, f"{self._stack}/"),
            (ssm_backends[ACCOUNT][REGION]._parameters, f"/{self._stack}/"),
        )

    def _own(self, store: Json, prefix: str) -> Json:
        return {name: value for name, value in dict.items(store) if name.startswith(prefix)}


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
