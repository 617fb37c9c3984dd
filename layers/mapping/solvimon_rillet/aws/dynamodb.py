"""One DynamoDB table of records in plain Python types, with conditional writes."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.aws.batches import send_until_taken
from solvimon_rillet.aws.dynamodb_values import from_dynamodb, to_dynamodb
from solvimon_rillet.errors import RetryLater

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SORT_KEY = "RECORD"
MAX_KEYS = 100
"""Records that ``get_many`` reads at most."""

Item = dict[str, Any]


class ConditionFailed(Exception):
    """A conditional write whose condition does not hold; ``item`` is the record that was found."""

    def __init__(self, item: Item) -> None:
        super().__init__("condition failed")
        self.item = item


class Table:
    """Records by partition key.

    Every method raises ``RetryLater`` when DynamoDB does not answer; conditional ones ``ConditionFailed``.

    Args:
        name: of the table.
        dynamodb: the client.
        sleep: waits before the rest of a batch is sent again.
    """

    def __init__(
        self, name: str, dynamodb: "DynamoDBClient", sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._name = name
        self._dynamodb = dynamodb
        self._sleep = sleep

    def get(self, key: str) -> Item | None:
        """A record (strongly consistent read), or ``None``."""
        with _translate_errors():
            answer = self._dynamodb.get_item(TableName=self._name, Key=_primary_key(key), ConsistentRead=True)
        item = answer.get("Item")
        return from_dynamodb(item) if item else None

    def get_many(self, keys: Iterable[str], attributes: Iterable[str] = ()) -> dict[str, Item]:
        """The existing ones of up to 100 records, by key, in one request.

        Args:
            keys: keys of the records.
            attributes: names of the attributes to return; all if there is none.
        """
        names = {f"#{i}": name for i, name in enumerate(dict.fromkeys(("pk", *attributes)))}
        only: dict[str, Any] = (
            {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
            if len(names) > 1
            else {}
        )
        found: dict[str, Item] = {}

        def read(pending: Any) -> Any:  # noqa: ANN401 - boto3's
            request: Any = {"Keys": pending, "ConsistentRead": True, **only}
            with _translate_errors():
                answer: Any = self._dynamodb.batch_get_item(RequestItems={self._name: request})
            items = map(from_dynamodb, answer["Responses"].get(self._name, ()))
            found.update({str(item["pk"]): item for item in items})
            return answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys")

        if send_until_taken(read, [_primary_key(key) for key in dict.fromkeys(keys)], self._sleep):
            raise RetryLater("The ledger does not keep up with the reads.")
        return found

    def put_many(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        """Write up to 25 whole records by key, unconditionally, in one request."""
        self._put_items([to_dynamodb(facts) | _primary_key(key) for key, facts in records.items()])

    def _put_items(self, items: Iterable[Mapping[str, Any]]) -> None:
        def write(pending: Any) -> Any:  # noqa: ANN401 - boto3's
            with _translate_errors():
                answer = self._dynamodb.batch_write_item(RequestItems={self._name: pending})
            return answer.get("UnprocessedItems", {}).get(self._name)

        if send_until_taken(write, [{"PutRequest": {"Item": item}} for item in items], self._sleep):
            raise RetryLater("The ledger does not keep up with the writes.")

    def put(
        self,
        key: str,
        facts: Mapping[str, Any],
        condition: str = "",
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Write a whole record, if the condition holds."""
        options: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        if values:
            options["ExpressionAttributeValues"] = to_dynamodb(values)
        if names:
            options["ExpressionAttributeNames"] = dict(names)
        item = to_dynamodb(facts) | _primary_key(key)
        with _translate_errors():
            self._dynamodb.put_item(TableName=self._name, Item=item, **options)

    def update(
        self,
        key: str,
        expression: str,
        condition: str,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
    ) -> Item:
        """Change a record if the condition holds, and return the new record."""
        options: dict[str, Any] = {"ExpressionAttributeNames": dict(names)} if names else {}
        with _translate_errors():
            answer = self._dynamodb.update_item(
                TableName=self._name,
                Key=_primary_key(key),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_dynamodb(values),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **options,
            )
        return from_dynamodb(answer["Attributes"])

    def update_attributes(
        self,
        key: str,
        facts: Mapping[str, Any],
        condition: str,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
        remove: Iterable[str] = (),
    ) -> Item:
        """Set and remove attributes of a record if the condition holds, and return the new record.

        Args:
            key: key of the record.
            facts: attributes to set; at least one.
            condition: condition expression.
            values: values in the condition.
            names: attribute names in the condition.
            remove: names of attributes to remove, unless they are set.
        """
        sets = {f"#f{i}": name for i, name in enumerate(facts)}
        removes = {f"#r{i}": name for i, name in enumerate(remove) if name not in facts}
        expression = f"SET {', '.join(f'{name} = :{name[1:]}' for name in sets)}"
        if removes:
            expression += f" REMOVE {', '.join(removes)}"
        set_to = {f":f{i}": value for i, value in enumerate(facts.values())}
        return self.update(
            key, expression, condition, {**values, **set_to}, {**(names or {}), **sets, **removes}
        )

    def pop(self, key: str) -> Item | None:
        """Delete a record and return it; of several callers only one gets it."""
        with _translate_errors():
            answer = self._dynamodb.delete_item(
                TableName=self._name, Key=_primary_key(key), ReturnValues="ALL_OLD"
            )
        item = answer.get("Attributes")
        return from_dynamodb(item) if item else None

    def delete_if(self, key: str, condition: str, values: Mapping[str, Any]) -> None:
        """Delete a record if the condition holds."""
        with _translate_errors():
            self._dynamodb.delete_item(
                TableName=self._name,
                Key=_primary_key(key),
                ConditionExpression=condition,
                ExpressionAttributeValues=to_dynamodb(values),
            )

    def query(self, index: str, name: str, value: str, *, newest_first: bool = False) -> Iterator[Item]:
        """The records with a value in an index, in its order, with the attributes that it keeps."""
        for page in self._pages(index, name, value, ScanIndexForward=not newest_first):
            yield from map(from_dynamodb, page["Items"])

    def query_page(
        self,
        index: str,
        name: str,
        value: str,
        *,
        limit: int,
        after: Item | None = None,
        until: tuple[str, int] | None = None,
    ) -> tuple[list[Item], Item | None]:
        """One page of ``query``, newest first, in one read.

        Args:
            index: the index.
            name: its partition key.
            value: of the partition key.
            limit: records of the page, at most.
            after: where the page before ended; ``None`` for the first page.
            until: the sort key's name and its highest value.

        Returns:
            The records, and where the page ended; ``None`` after the last one.
        """
        start: Any = {"ExclusiveStartKey": to_dynamodb(after)} if after else {}
        page = next(self._pages(index, name, value, until, ScanIndexForward=False, Limit=limit, **start))
        ended = page.get("LastEvaluatedKey")
        return list(map(from_dynamodb, page["Items"])), from_dynamodb(ended) if ended else None

    def put_rows(self, keys: Iterable[tuple[str, str]], facts: Mapping[str, Any]) -> None:
        """Write up to 25 rows, each by its partition and sort key, unconditionally, in one request."""
        item = to_dynamodb(facts)
        self._put_items([item | {"pk": {"S": key}, "sk": {"S": sort_key}} for key, sort_key in keys])

    def delete_row(self, key: str, sort_key: str) -> None:
        """Delete a row of those that share a partition key."""
        with _translate_errors():
            self._dynamodb.delete_item(TableName=self._name, Key={"pk": {"S": key}, "sk": {"S": sort_key}})

    def rows(
        self, key: str, prefix: str = "", *, limit: int, before: str = "", oldest_first: bool = False
    ) -> list[Item]:
        """The rows of a partition key, the highest sort key first, in one read.

        Args:
            key: the partition key.
            prefix: begin of the rows' sort keys.
            limit: number of rows, at most.
            before: sort key of the last row of the page before.
            oldest_first: whether the lowest sort key comes first instead.
        """
        condition, values = "pk = :key", {":key": {"S": key}}
        if prefix:
            condition, values = (
                f"{condition} AND begins_with(sk, :prefix)",
                values | {":prefix": {"S": prefix}},
            )
        start: dict[str, Any] = (
            {"ExclusiveStartKey": {"pk": {"S": key}, "sk": {"S": before}}} if before else {}
        )
        with _translate_errors():
            page = self._dynamodb.query(
                TableName=self._name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ScanIndexForward=oldest_first,
                ConsistentRead=True,
                Limit=limit,
                **start,
            )
        return list(map(from_dynamodb, page["Items"]))

    def count(self, index: str, name: str, value: str, since: tuple[str, int] | None = None) -> int:
        """The number of records with a value in an index.

        Args:
            index: the index.
            name: its partition key.
            value: of the partition key.
            since: the sort key's name and its lowest value.
        """
        pages = self._pages(index, name, value, since=since, Select="COUNT")
        return sum(int(page["Count"]) for page in pages)

    def _pages(
        self,
        index: str,
        name: str,
        value: str,
        until: tuple[str, int] | None = None,
        since: tuple[str, int] | None = None,
        **options: Any,
    ) -> Iterator[Any]:
        condition, names, values = "#name = :value", {"#name": name}, {":value": {"S": value}}
        if since:
            condition, names["#sort"] = f"{condition} AND #sort >= :since", since[0]
            values[":since"] = {"N": str(since[1])}
        if until:
            condition, names["#sort"] = f"{condition} AND #sort <= :until", until[0]
            values[":until"] = {"N": str(until[1])}
        while True:
            with _translate_errors():
                page: Any = self._dynamodb.query(
                    TableName=self._name,
                    IndexName=index,
                    KeyConditionExpression=condition,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=values,
                    **options,
                )
            yield page
            if "LastEvaluatedKey" not in page:
                return
            options["ExclusiveStartKey"] = page["LastEvaluatedKey"]


class _translate_errors:
    """Translate DynamoDB's errors. An invalid request is a bug, so its error is not translated."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ClientError):
            code = error.response.get("Error", {}).get("Code", "")
            if code == "ConditionalCheckFailedException":
                raise ConditionFailed(from_dynamodb(error.response.get("Item", {}))) from None  # type: ignore[arg-type]
            if code != "ValidationException":
                raise RetryLater(f"The ledger does not answer ({code}).") from error
        elif isinstance(error, BotoCoreError):
            raise RetryLater(f"The ledger does not answer ({type(error).__name__}).") from error


def _primary_key(key: str) -> dict[str, Any]:
    return {"pk": {"S": key}, "sk": {"S": _SORT_KEY}}
