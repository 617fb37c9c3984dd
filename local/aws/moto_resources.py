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
from moto.secretsmanager.models import SecretsManagerBackend, secretsmanager_backends
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
Delete = Callable[[str, str, str], None]
"""Removes a resource by its name, the account and the region."""


def _add_type(
    resource_type: str,
    create: Create,
    *,
    name_property: str = "",
    attributes: tuple[str, ...] = (),
    delete: Delete = lambda *_: None,
) -> type:
    """Add a resource type to moto.

    Args:
        resource_type: such as `AWS::Lambda::Alias`.
        create: makes it.
        name_property: the property that holds its name, if it has one.
        attributes: what `!GetAtt` knows of it.
        delete: removes it; without one it goes together with another resource.
    """

    class Model(CloudFormationModel):  # type: ignore[misc]
        @staticmethod
        def cloudformation_name_type() -> str:
            return name_property

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
            delete(resource_name, account_id, region_name)

    return Model


def _secret(name: str, properties: Json, account: str, region: str) -> _Resource:
    """A secret with a text or a generated value."""
    backend = secretsmanager_backends[account][region]
    value = properties.get("SecretString")
    if value is None:
        value = _generate(backend, properties["GenerateSecretString"])
    created = backend.create_secret(
        name=name,
        secret_string=value,
        secret_binary=None,
        description=properties.get("Description"),
        tags=None,
        kms_key_id=None,
        client_request_token=None,
        replica_regions=[],
        force_overwrite=False,
    )
    return _Resource(json.loads(created)["ARN"])


def _generate(backend: SecretsManagerBackend, rule: Json) -> str:
    password = backend.get_random_password(
        password_length=int(rule.get("PasswordLength", 32)),
        exclude_characters=rule.get("ExcludeCharacters", ""),
        exclude_numbers=rule.get("ExcludeNumbers", False),
        exclude_punctuation=rule.get("ExcludePunctuation", False),
        exclude_uppercase=rule.get("ExcludeUppercase", False),
        exclude_lowercase=rule.get("ExcludeLowercase", False),
        include_space=rule.get("IncludeSpace", False),
        require_each_included_type=rule.get("RequireEachIncludedType", True),
    )
    generated = json.loads(password)["RandomPassword"]
    return json.dumps({**json.loads(rule["SecretStringTemplate"]), rule["GenerateStringKey"]: generated})


def _delete_secret(name: str, account: str, region: str) -> None:
    secretsmanager_backends[account][region].delete_secret(
        secret_id=name, recovery_window_in_days=None, force_delete_without_recovery=True
    )


def _queue_policy(name: str, properties: Json, account: str, region: str) -> _Resource:
    """A policy, kept with its queues; moto lets everybody in all the same."""
    policy = json.dumps(properties["PolicyDocument"])
    for url in properties["Queues"]:
        sqs_backends[account][region].set_queue_attributes(url.split("/")[-1], {"Policy": policy})
    return _Resource(name)


def _http_api(_name: str, properties: Json, *_: str) -> _Resource:
    """An id for the local gateway, which does the work, and where that listens."""
    return _Resource("localapi", {"ApiEndpoint": properties["LocalEndpoint"], "ApiId": "localapi"})


def _version(_name: str, properties: Json, account: str, region: str) -> _Resource:
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
    _add_type("AWS::SecretsManager::Secret", _secret, name_property="Name", delete=_delete_secret),
    _add_type("AWS::SQS::QueuePolicy", _queue_policy),
    _add_type("AWS::ApiGatewayV2::Api", _http_api, attributes=("ApiEndpoint", "ApiId")),
    _add_type("AWS::Lambda::Version", _version, attributes=("Version",)),
    _add_type("AWS::Lambda::Alias", _alias),
)
