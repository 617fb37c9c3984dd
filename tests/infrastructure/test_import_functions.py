"""The imports in the template: durable, invoked by alias, and on a schedule only for those who ask."""

from local.system import ROOT
from solvimon_rillet.workflows.imports.steps import FUNCTION_SECONDS, IMPORT_LEASE_SECONDS
from tests.infrastructure.views import Json, Template, listed

FUNCTIONS = {
    "ImportCustomers": "customers",
    "ImportProducts": "products",
    "ImportSubsidiaries": "subsidiaries",
}


def test_the_imports_and_the_reconciliation_are_the_durable_functions(template: Template) -> None:
    assert template.durable.keys() == {*FUNCTIONS, "Reconcile"}
    for function in template.durable.values():
        assert function["DurableConfig"] == {"ExecutionTimeout": 86400, "RetentionPeriodInDays": 14}


def test_a_lease_outlives_the_function(template: Template) -> None:
    for function in template.durable.values():
        assert function["Timeout"] == FUNCTION_SECONDS < IMPORT_LEASE_SECONDS


def test_a_durable_function_has_an_alias_that_people_and_schedules_use(template: Template) -> None:
    aliases = template.of_type("AWS::Lambda::Alias")

    for name in FUNCTIONS:
        alias = aliases[f"{name}Aliaslive"]
        assert (alias["Name"], alias["FunctionName"]) == ("live", {"Ref": name})
        assert template.body["Outputs"][f"{name}Function"]["Value"] == {"Ref": f"{name}Aliaslive"}


def test_new_layers_make_a_new_version(template: Template) -> None:
    other = (ROOT / "template.yaml").read_text(encoding="utf-8")

    assert other.count("AutoPublishAliasAllProperties: true") == len(template.durable)


def test_a_function_checkpoints_its_own_executions_only(template: Template) -> None:
    for name, kind in FUNCTIONS.items():
        [statement] = [
            each
            for each in template.statements_of(template.functions[name])
            if "lambda:CheckpointDurableExecution" in listed(each["Action"])
        ]
        assert listed(statement["Action"]) == [
            "lambda:CheckpointDurableExecution",
            "lambda:GetDurableExecutionState",
        ]
        assert statement["Resource"]["Fn::Sub"].endswith(f"function:${{AWS::StackName}}-import-{kind}:*")


def test_schedules_are_off_unless_a_parameter_says_when(template: Template) -> None:
    conditions: Json = template.body["Conditions"]

    for name, kind in FUNCTIONS.items():
        timer = template.resources[f"{name}Timer"]
        condition = timer["Condition"]
        assert template.body["Parameters"][f"{name}Schedule"]["Default"] == ""
        assert conditions[condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": f"{name}Schedule"}, ""]}]}
        assert timer["Properties"]["ScheduleExpression"] == {"Ref": f"{name}Schedule"}
        assert timer["Properties"]["Target"]["Arn"] == {"Ref": f"{name}Aliaslive"}
        assert ('"incremental": true' in timer["Properties"]["Target"]["Input"]) == (kind == "customers")
    assert template.resources["ImportTimerRole"]["Condition"] == "ImportsBySchedule"


def test_schedules_may_start_imports_and_nothing_else(template: Template) -> None:
    role = template.of_type("AWS::IAM::Role")["ImportTimerRole"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    [policy] = role["Policies"]
    [allowed] = policy["PolicyDocument"]["Statement"]

    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert allowed["Action"] == "lambda:InvokeFunction"
    assert allowed["Resource"] == [{"Ref": f"{name}Aliaslive"} for name in FUNCTIONS]


def test_rows_that_failed_raise_an_alarm(template: Template) -> None:
    [(alarm, _)] = template.alarms_on_all("RowsFailed")

    assert alarm["Threshold"] == 1
