"""CloudFormation resource types that moto lacks, in moto's own way of adding them.

moto finds these classes as subclasses of `CloudFormationModel`, so importing this module is enough.
It resolves references and functions in the properties before it calls them. (`type: ignore`: mypy does
not look into moto, so its classes are untyped.)
"""

import json
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.common_models import CloudFormationModel
from moto.secretsmanager.models import SecretsManagerBackend, secretsmanager_backends
from moto.sqs.models import sqs_backends

Json = dict[str, Any]


class _Resource:
    """What moto asks of a resource once it exists, and what others ask when they refer to it."""

    def __init__(self, physical_resource_id: str, attributes: dict[str, str] | None = None) -> None:
        self.physical_resource_id = physical_resource_id
        self._attributes = attributes or {}

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """Answer `!GetAtt`.

        Raises:
            KeyError: the resource has no such attribute here.
        """
        return self._attributes[attribute_name]

    def is_created(self) -> bool:
        """Tell moto that there is nothing to wait for."""
        return True


class Secret(CloudFormationModel):  # type: ignore[misc]
    """`AWS::SecretsManager::Secret`, with a text or a generated value."""

    @staticmethod
    def cloudformation_name_type() -> str:
        """Return the property that holds the name."""
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type this class stands for."""
        return "AWS::SecretsManager::Secret"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **_: object
    ) -> _Resource:
        """Create the secret in moto's Secrets Manager."""
        properties = cloudformation_json["Properties"]
        backend = secretsmanager_backends[account_id][region_name]
        value = properties.get("SecretString")
        if value is None:
            value = _generate(backend, properties["GenerateSecretString"])
        created = backend.create_secret(
            name=resource_name,
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

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str
    ) -> None:
        """Delete the secret at once."""
        secretsmanager_backends[account_id][region_name].delete_secret(
            secret_id=resource_name, recovery_window_in_days=None, force_delete_without_recovery=True
        )


def _generate(backend: SecretsManagerBackend, wish: Json) -> str:
    password = backend.get_random_password(
        password_length=int(wish.get("PasswordLength", 32)),
        exclude_characters=wish.get("ExcludeCharacters", ""),
        exclude_numbers=wish.get("ExcludeNumbers", False),
        exclude_punctuation=wish.get("ExcludePunctuation", False),
        exclude_uppercase=wish.get("ExcludeUppercase", False),
        exclude_lowercase=wish.get("ExcludeLowercase", False),
        include_space=wish.get("IncludeSpace", False),
        require_each_included_type=wish.get("RequireEachIncludedType", True),
    )
    generated = json.loads(password)["RandomPassword"]
    return json.dumps({**json.loads(wish["SecretStringTemplate"]), wish["GenerateStringKey"]: generated})


class QueuePolicy(CloudFormationModel):  # type: ignore[misc]
    """`AWS::SQS::QueuePolicy`. moto keeps the policy with the queue but lets everybody in."""

    @staticmethod
    def cloudformation_name_type() -> str:
        """Return no property: a queue policy has no name."""
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type this class stands for."""
        return "AWS::SQS::QueuePolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **_: object
    ) -> _Resource:
        """Attach the policy to its queues."""
        properties = cloudformation_json["Properties"]
        policy = json.dumps(properties["PolicyDocument"])
        for url in properties["Queues"]:
            sqs_backends[account_id][region_name].set_queue_attributes(url.split("/")[-1], {"Policy": policy})
        return _Resource(resource_name)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str
    ) -> None:
        """Do nothing: the policy goes with its queues."""


class HttpApi(CloudFormationModel):  # type: ignore[misc]
    """`AWS::ApiGatewayV2::Api`: a name for the local gateway, which does the work."""

    @staticmethod
    def cloudformation_name_type() -> str:
        """Return no property: the id of an API cannot be chosen."""
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type this class stands for."""
        return "AWS::ApiGatewayV2::Api"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Say whether `!GetAtt` knows the attribute."""
        return attr in {"ApiEndpoint", "ApiId"}

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **_: object
    ) -> _Resource:
        """Remember where the local gateway listens."""
        endpoint = cloudformation_json["Properties"]["LocalEndpoint"]
        return _Resource("localapi", {"ApiEndpoint": endpoint, "ApiId": "localapi"})

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str
    ) -> None:
        """Do nothing: the gateway is closed by whoever opened it."""


class Version(CloudFormationModel):  # type: ignore[misc]
    """`AWS::Lambda::Version`; moto's own class does not answer `!GetAtt`, and this later one replaces it."""

    @staticmethod
    def cloudformation_name_type() -> str:
        """Return no property: Lambda counts the versions."""
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type this class stands for."""
        return "AWS::Lambda::Version"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Say whether `!GetAtt` knows the attribute."""
        return attr == "Version"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **_: object
    ) -> _Resource:
        """Publish the version in moto's Lambda."""
        name = cloudformation_json["Properties"]["FunctionName"]
        published = lambda_backends[account_id][region_name].publish_version(name)
        return _Resource(published.function_arn, {"Version": str(published.version)})

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str
    ) -> None:
        """Do nothing: the version goes with its function."""


class Alias(CloudFormationModel):  # type: ignore[misc]
    """`AWS::Lambda::Alias`: another name for a version of a function."""

    @staticmethod
    def cloudformation_name_type() -> str:
        """Return no property: the name is one within its function."""
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type this class stands for."""
        return "AWS::Lambda::Alias"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **_: object
    ) -> _Resource:
        """Create the alias in moto's Lambda."""
        properties = cloudformation_json["Properties"]
        alias = lambda_backends[account_id][region_name].create_alias(
            name=properties["Name"],
            function_name=properties["FunctionName"],
            function_version=properties["FunctionVersion"],
            description="",
            routing_config="",
        )
        return _Resource(alias.arn)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str
    ) -> None:
        """Do nothing: the alias goes with its function."""
