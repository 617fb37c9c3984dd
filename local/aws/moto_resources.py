"""CloudFormation resource types that moto lacks, in moto's own way of adding them.

moto finds these classes as subclasses of `CloudFormationModel`, so importing this module is enough.
It resolves references and functions in the properties before it calls them. (`type: ignore`: mypy does
not look into moto, so its classes are untyped.)
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.common_models import CloudFormationModel
from moto.sqs.models import sqs_backends

Json = dict[str, Any]


@dataclass
class _Resource:
    """What moto asks of a resource once it exists, and what others ask when they refer to it."""

    physical_resource_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """Answer `!GetAtt`.

        Raises:
            KeyError: the resource has no such attribute here.
        """
        return self.attributes[attribute_name]

    def is_created(self) -> bool:
        """Tell moto that there is nothing to wait for."""
        return True


Create = Callable[[str, Json, str, str], _Resource]
"""Makes a resource from its name, its properties, the account and the region."""


def _add_type(resource_type: str, create: Create, attributes: tuple[str, ...] = ()) -> type:
    """Add a resource type to moto.

    Args:
        resource_type: such as `AWS::Lambda::Alias`.
        create: makes it.
        attributes: what `!GetAtt` knows of it.
    """

    class Model(CloudFormationModel):  # type: ignore[misc]
        @staticmethod
        def cloudformation_name_type() -> str:
            return ""

        @staticmethod
        def cloudformation_type() -> str:
            return resource_type

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            return attr in attributes

        @classmethod
        def create_from_cloudformation_json(
            cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **_: object
        ) -> _Resource:
            return create(resource_name, cloudformation_json["Properties"], account_id, region_name)

        @classmethod
        def delete_from_cloudformation_json(
            cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str
        ) -> None:
            """Do nothing: it goes together with another resource."""

    return Model


def _queue_policy(name: str, properties: Json, account: str, region: str) -> _Resource:
    """A policy, kept with its queues; moto lets everybody in all the same."""
    policy = json.dumps(properties["PolicyDocument"])
    for url in properties["Queues"]:
        sqs_backends[account][region].set_queue_attributes(url.split("/")[-1], {"Policy": policy})
    return _Resource(name)


def _http_api(_name: str, properties: Json, *_: str) -> _Resource:
    """An id for the local gateway, which does the work, and where that listens."""
    return _Resource("localapi", {"ApiEndpoint": properties["LocalEndpoint"], "ApiId": "localapi"})


def _publish_version(_name: str, properties: Json, account: str, region: str) -> _Resource:
    published = lambda_backends[account][region].publish_version(properties["FunctionName"])
    return _Resource(published.function_arn, {"Version": str(published.version)})


def _alias(_name: str, properties: Json, account: str, region: str) -> _Resource:
    alias = lambda_backends[account][region].create_alias(
        name=properties["Name"],
        function_name=properties["FunctionName"],
        function_version=properties["FunctionVersion"],
        description="",
        routing_config="",
    )
    return _Resource(alias.arn)


# Kept by name: Python forgets a class that nothing refers to. A version of moto's own does not answer
# `!GetAtt`; the one that was added last counts.
MODELS = (
    _add_type("AWS::SQS::QueuePolicy", _queue_policy),
    _add_type("AWS::ApiGatewayV2::Api", _http_api, ("ApiEndpoint", "ApiId")),
    _add_type("AWS::Lambda::Version", _publish_version, ("Version",)),
    _add_type("AWS::Lambda::Alias", _alias),
)
