"""What each function may do: roles, secrets and parameters, also of functions added later."""

import json
import re

from tests.infrastructure.views import Json, Template, attribute_of, listed

_SECRET = r"arn:\S+:secret:\$\{AWS::StackName\}"
ACCESS = {
    "secretsmanager:GetSecretValue": (
        rf"{_SECRET}/(\*/(solvimon|rillet|webhooks)|rillet-oauth-client)-\?{{6}}"
    ),
    "secretsmanager:CreateSecret": rf"{_SECRET}/\*/rillet-\?{{6}}",
    "secretsmanager:PutSecretValue": rf"{_SECRET}/\*/rillet-\?{{6}}",
    "ssm:GetParameter": r"arn:\S+:parameter/\$\{AWS::StackName\}/(\*/(settings|rillet-token)|api-url)",
    "ssm:GetParametersByPath": r"arn:\S+:parameter/\$\{AWS::StackName\}/\*",
    "ssm:GetParameterHistory": r"arn:\S+:parameter/\$\{AWS::StackName\}/\*/settings",
    "ssm:PutParameter": r"arn:\S+:parameter/\$\{AWS::StackName\}/\*/(settings|rillet-token)",
    "ssm:DeleteParameter": r"arn:\S+:parameter/\$\{AWS::StackName\}/\*/rillet-token",
}
"""The actions that a function may take on secrets and parameters, and their names."""


def _resources(statement: Json) -> list[Json]:
    found = statement["Resource"]
    return found if isinstance(found, list) else [found]


def test_no_policy_allows_an_action_by_wildcard(template: Template) -> None:
    for function_id, statement in template.statements:
        assert statement["Effect"] == "Allow"
        assert "*" not in "".join(listed(statement["Action"])), function_id


def test_only_x_ray_is_allowed_on_every_resource(template: Template) -> None:
    for function_id, statement in template.statements:
        if "*" in listed(statement["Resource"]):
            assert {a.partition(":")[0] for a in listed(statement["Action"])} == {"xray"}, function_id


def test_a_role_has_no_policies_but_its_own_and_the_stacks(template: Template) -> None:
    roles = [template.role_of(function) for function in template.functions.values()]
    managed = template.of_type("AWS::IAM::ManagedPolicy")
    attached = {arn["Ref"] for role in roles for arn in role.get("ManagedPolicyArns", ())}

    assert len({json.dumps(role, sort_keys=True) for role in roles}) == len(template.functions)
    assert attached == managed.keys()
    for policy in managed.values():
        assert policy.keys() == {"Description", "PolicyDocument"}, "roles name policies, not the reverse"
    for role in roles:
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_a_statement_has_a_name_of_its_own_within_a_role(template: Template) -> None:
    names = [(function_id, statement["Sid"]) for function_id, statement in template.statements]

    assert len(names) == len(set(names))


def test_secrets_and_settings_are_used_within_the_stacks_own_names(template: Template) -> None:
    for function_id, statement in template.statements:
        for action in listed(statement["Action"]):
            if action.startswith(("secretsmanager:", "ssm:")):
                for resource in _resources(statement):
                    assert re.fullmatch(ACCESS[action], resource["Fn::Sub"]), function_id


def test_only_functions_that_refresh_tokens_write_secrets_and_only_disconnecting_deletes(
    template: Template,
) -> None:
    allowed: dict[str, set[str]] = {}
    for function_id, statement in template.statements:
        for action in listed(statement["Action"]):
            allowed.setdefault(action, set()).add(function_id)

    callers = {consumer.function_id for consumer in template.consumers} | set(template.durable)

    refreshing = callers | {"Configure", "ConnectRillet", "LinkRecords", "Sweep", "SyncStatus"}
    assert allowed["secretsmanager:PutSecretValue"] == allowed["ssm:PutParameter"] == refreshing
    assert allowed["ssm:DeleteParameter"] == {"ConnectRillet"}


def test_the_functions_behind_public_routes_read_and_delete_only_what_they_need(template: Template) -> None:
    read = [
        resource["Fn::Sub"].rpartition("StackName}")[2]
        for function_id, statement in template.statements
        if function_id == "ReceiveWebhook" and "secretsmanager:GetSecretValue" in listed(statement["Action"])
        for resource in _resources(statement)
    ]
    deleting = {
        function_id: statement.get("Condition")
        for function_id, statement in template.statements
        if "dynamodb:DeleteItem" in listed(statement["Action"])
    }

    assert read == ["/*/webhooks-??????"]
    assert deleting["ConnectRillet"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["(deployment)#oauth-state#*"]}
    }


def test_the_receiver_of_webhooks_writes_nothing_in_the_table_but_its_note(template: Template) -> None:
    statements = [
        statement
        for function_id, statement in template.statements
        if function_id == "ReceiveWebhook" and "dynamodb" in str(statement["Action"])
    ]

    [note] = statements
    assert listed(note["Action"]) == ["dynamodb:PutItem"]
    assert note["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["*#webhook#*"]}}


def test_short_lived_tokens_have_a_key_that_only_roles_of_this_stack_may_use(template: Template) -> None:
    statements = template.resources["AlarmKey"]["Properties"]["KeyPolicy"]["Statement"]
    [denied] = [statement for statement in statements if statement["Effect"] == "Deny"]

    assert denied["Sid"] == "TokensAreForFunctions"
    assert "kms:ViaService" in denied["Condition"]["StringEquals"]
    assert denied["Condition"]["ArnNotLike"]["aws:PrincipalArn"]["Fn::Sub"].endswith(
        "role/${AWS::StackName}-*"
    )


def test_statements_of_one_name_say_the_same_in_every_role(template: Template) -> None:
    own = {"WriteOwnLogs", "WorkOffOwnQueue", "CheckpointOwnExecutions"}
    texts: dict[str, str] = {}

    for _, statement in template.statements:
        if statement["Sid"] not in own:
            text = json.dumps(statement, sort_keys=True)
            assert texts.setdefault(statement["Sid"], text) == text, statement["Sid"]


def test_a_function_may_use_its_own_queue_and_no_other(template: Template) -> None:
    used = {
        (function_id, attribute_of(statement["Resource"]))
        for function_id, statement in template.statements
        if statement["Sid"] not in {"CountDeadLetters", "SetAsideFailedExecutions"}
        and any(action.startswith("sqs:") for action in listed(statement["Action"]))
    }

    assert used == {(consumer.function_id, consumer.queue_id) for consumer in template.consumers}


def test_the_function_that_counts_dead_letters_sees_all_queues_and_no_message(template: Template) -> None:
    function = template.functions["SyncStatus"]
    [counts] = [s for s in template.statements_of(function) if s["Sid"] == "CountDeadLetters"]
    dead_letters = template.dead_letter_queues

    assert listed(counts["Action"]) == ["sqs:GetQueueAttributes"]
    assert {attribute_of(resource) for resource in counts["Resource"]} == dead_letters
    [_, urls] = function["Environment"]["Variables"]["DEAD_LETTERS"]["Fn::Join"]
    assert {url["Ref"] for url in urls} == dead_letters


def test_no_environment_variable_holds_a_secret(template: Template) -> None:
    for function in template.functions.values():
        for name, value in function["Environment"]["Variables"].items():
            assert not re.search("SECRET|PASSWORD|TOKEN|API_KEY", name)
            assert "resolve:" not in json.dumps(value)
