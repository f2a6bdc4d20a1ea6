"""What `template.yaml` promises of the running system, each promise a function from the parsed template to what breaks it.

They look at the template as it is written, so that a promise names the line to mend; `test_stack.py` looks at what it becomes.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]  # it ships no types

from tests.hostile.feeds import MOST_SECONDS
from tocsin.adapters.exchange import Limits
from tocsin.pipeline.archive import COUNTED
from tocsin.pipeline.poll import BUSY, ENOUGH, TOGETHER

ROOT = Path(__file__).parents[1]
WEEKS_2 = 14 * 24 * 3600
DELIVERERS = {"Deliver", "Sweep"}
STRANGERS = {"Due", "Fetch", "Receive", "Page"}
"""Functions that ask servers of strangers or take what strangers send, and the one that sends them off."""
TRACED = {"Fetch", "Intake", "Receive", "Page", "Detect"}
"""Functions whose traces X-Ray joins on the way of an article; a stream carries none to Deliver, and what the clock calls would cost a desk something."""
EVERYWHERE = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
"""Actions for which AWS knows no place smaller than all."""
STORED = ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
KEEPING = {
    "Table", "Bucket", "PageQueue", "ArticleQueue", "InboxDeadLetters", "PageDeadLetters", "ArticleDeadLetters",
}  # fmt: skip
"""What holds articles and what became of them, by the names of the first version: under another name CloudFormation would begin anew."""
REPLACING = {"KeySchema", "ImportSourceSpecification", "BucketNamePrefix", "BucketNamespace", "FifoQueue"}
"""Properties whose change, as that of a name, makes CloudFormation put an empty one in the place of a table, bucket or queue."""
KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
DUE = [{"AttributeName": "due_shard", "KeyType": "HASH"}, {"AttributeName": "due_at", "KeyType": "RANGE"}]
GIVEN_UP = "AlertDead: *"
"""The line of the log that says that an alert was given up."""
LARGEST_CALL = 610 + 6 * 8.4
"""Megabytes that fifty feeds of 8 MiB took at most, twenty asked at a time, each of long articles in characters
of four bytes, and six answers more: no more is held of a hundred."""
NAMES = {
    "FunctionName",
    "QueueName",
    "TableName",
    "BucketName",
    "RoleName",
    "LogGroupName",
    "TopicName",
    "LayerName",
    "AlarmName",
}
_SECRET = re.compile(r":(?:secret:\$\{(\w+)\}-\?{6}|parameter\$\{(\w+)\})$")
_WITHIN = re.compile(r"^\$\{(\w+)\.\w+\}(/.+)$")


class Template:
    """The parsed template, with the questions that promises ask of it."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.resources: dict[str, dict[str, Any]] = raw["Resources"]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type by logical id."""
        return {name: one.get("Properties", {}) for name, one in self.resources.items() if one["Type"] == kind}

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """The functions, with what `Globals` gives them all."""
        everywhere = self.raw["Globals"]["Function"]
        return {name: everywhere | own for name, own in self.of_type("AWS::Serverless::Function").items()}

    @property
    def queues(self) -> dict[str, dict[str, Any]]:
        """The queues."""
        return self.of_type("AWS::SQS::Queue")

    def events(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The events of a type, each with the function it calls."""
        for name, function in self.functions.items():
            for event in function.get("Events", {}).values():
                if event["Type"] == kind:
                    yield name, event["Properties"]

    @property
    def readers(self) -> dict[str, str]:
        """The function that reads a queue, by the queue."""
        return {named(event["Queue"]): function for function, event in self.events("SQS")}

    @property
    def letters(self) -> set[str]:
        """The queues of dead letters: those nothing reads."""
        return self.queues.keys() - self.readers.keys()

    def role(self, function: str) -> str:
        """The role a function runs under."""
        return named(self.functions[function].get("Role"))

    def statements(self, function: str) -> list[dict[str, Any]]:
        """Every statement of the role of a function."""
        policies = self.resources.get(self.role(function), {}).get("Properties", {}).get("Policies", [])
        return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]

    def variables(self, function: str) -> dict[str, Any]:
        """The environment a function is given."""
        given: dict[str, Any] = self.functions[function].get("Environment", {}).get("Variables", {})
        return given

    def alarms(self, figure: str) -> list[dict[str, Any]]:
        """The alarms on a figure."""
        return [one for one in self.of_type("AWS::CloudWatch::Alarm").values() if one["MetricName"] == figure]

    def may(self, function: str, service: str) -> set[str]:
        """What a function may touch of a service: places."""
        return {
            place
            for statement in self.statements(function)
            if any(action.startswith(f"{service}:") for action in statement["Action"])
            for place in places(statement["Resource"])
        }


Promise = Callable[[Template], Iterator[str]]
PROMISES: dict[str, Promise] = {}


def promise(check: Promise) -> Promise:
    """Adds a promise to those that are kept."""
    PROMISES[check.__name__] = check
    return check


def read() -> dict[str, Any]:
    """The template, parsed; a copy of one's own."""
    return deepcopy(_parsed())


def broken(template: dict[str, Any]) -> dict[str, list[str]]:
    """The promises a template breaks, each with what breaks it."""
    found = {name: list(check(Template(template))) for name, check in PROMISES.items()}
    return {name: breaches for name, breaches in found.items() if breaches}


def named(value: Any) -> str:
    """The resource or parameter a reference names; a value that is none names itself."""
    match value:
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            return str(name)
    return str(value)


def places(resource: Any) -> list[str]:
    """What a statement's resource names: `Table`, `Table/index/due`, `Bucket/articles/*`, or the parameter of a secret."""
    match resource:
        case list():
            return [place for one in resource for place in places(one)]
        case {"Fn::If": [_, *branches]}:
            return places([one for one in branches if one != {"Ref": "AWS::NoValue"}])
        case {"Fn::Sub": str(text)}:
            if within := _WITHIN.match(text):
                return [within[1] + within[2]]
            return [secret[1] or secret[2] if (secret := _SECRET.search(text)) else text]
    return [named(resource)]


@cache
def _parsed() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    return parsed


# ---------------------------------------------------------------- nothing is lost on the way


@promise
def a_message_stays_hidden_while_its_reader_works(template: Template) -> Iterator[str]:
    """A queue hides a message for six times its reader's timeout and the batching window, as AWS advises."""
    for function, event in template.events("SQS"):
        queue = named(event["Queue"])
        needed = 6 * template.functions[function]["Timeout"] + event.get("MaximumBatchingWindowInSeconds", 0)
        if template.queues[queue].get("VisibilityTimeout", 30) < needed:
            yield f"{queue} hides messages for less than {needed} s"


@promise
def a_queue_gives_up_into_dead_letters_of_its_own(template: Template) -> Iterator[str]:
    """What cannot be handled leaves each queue after three to ten tries, for dead letters no other queue has."""
    found = []
    for queue in template.readers:
        policy = template.queues[queue].get("RedrivePolicy", {})
        found.append(named(policy.get("deadLetterTargetArn")))
        if found[-1] not in template.letters or not 3 <= policy.get("maxReceiveCount", 0) <= 10:
            yield f"{queue} has no dead letters, or tries too seldom or too often"
    calls = (function.get("EventInvokeConfig", {}).get("DestinationConfig") for function in template.functions.values())
    found += [named(config["OnFailure"]["Destination"]) for config in calls if config]
    if len(set(found)) < len(found):
        yield "two queues share their dead letters"


@promise
def dead_letters_are_kept_for_two_weeks(template: Template) -> Iterator[str]:
    """Dead letters stay as long as SQS allows: a holiday is no reason to lose one."""
    for queue in template.letters:
        if template.queues[queue].get("MessageRetentionPeriod") != WEEKS_2:
            yield f"{queue} does not keep for two weeks"


@promise
def a_message_outlives_its_tries(template: Template) -> Iterator[str]:
    """A queue keeps a message for longer than all its tries take, or poison would be forgotten instead of becoming a dead letter."""
    for queue in template.readers:
        one = template.queues[queue]
        tries = one.get("RedrivePolicy", {}).get("maxReceiveCount", 1) * one.get("VisibilityTimeout", 30)
        if one.get("MessageRetentionPeriod", 345_600) <= tries:
            yield f"{queue} forgets a message before it was tried often enough"


@promise
def articles_wait_for_two_weeks(template: Template) -> Iterator[str]:
    """What carries articles keeps them for as long as SQS allows; feeds that are due, which the table knows, and questions may be forgotten."""
    for queue in template.readers:
        if (
            queue not in {"FeedQueue", "QuestionQueue"}
            and template.queues[queue].get("MessageRetentionPeriod") != WEEKS_2
        ):
            yield f"{queue} does not keep for two weeks"


@promise
def a_bad_record_fails_alone(template: Template) -> Iterator[str]:
    """Functions that read queues or the stream report the records that failed."""
    for function, event in (*template.events("SQS"), *template.events("DynamoDB")):
        if event.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{function} fails with its whole batch"


@promise
def a_bad_stream_record_holds_up_nothing(template: Template) -> Iterator[str]:
    """The stream's reader halves a failing batch, tries a few times within an hour, and says what it gave up."""
    for function, event in template.events("DynamoDB"):
        if event.get("BisectBatchOnFunctionError") is not True:
            yield f"{function} does not halve a failing batch"
        if not 1 <= event.get("MaximumRetryAttempts", -1) <= 5:
            yield f"{function} tries for as long as the stream keeps its records"
        if not 60 <= event.get("MaximumRecordAgeInSeconds", -1) <= 3600:
            yield f"{function} tries records of any age"
        letters = named(event.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"))
        if letters not in template.letters or letters not in template.may(function, "sqs"):
            yield f"{function} does not say what it gave up, or may not"


@promise
def the_stream_starts_at_the_first_alert(template: Template) -> Iterator[str]:
    """The stream is read from its beginning, in order, and nothing but alerts to be posted calls the function."""
    for function, event in template.events("DynamoDB"):
        if event["StartingPosition"] != "TRIM_HORIZON" or event.get("ParallelizationFactor", 1) != 1:
            yield f"{function} may miss alerts, or post them side by side"
        filters = [json.loads(one["Pattern"]) for one in event.get("FilterCriteria", {}).get("Filters", [])]
        if [one["dynamodb"]["Keys"]["sk"]["S"] for one in filters] != [["OUTBOX"]]:
            yield f"{function} is called for what is no alert"


@promise
def a_schedule_is_tried_again_and_missed_aloud(template: Template) -> Iterator[str]:
    """What a schedule could not start is tried again for an hour at most, and then becomes a dead letter."""
    for function, event in template.events("ScheduleV2"):
        retry = event.get("RetryPolicy", {})
        if not (1 <= retry.get("MaximumRetryAttempts", 185) <= 5):
            yield f"the schedule of {function} has no sound number of tries"
        if retry.get("MaximumEventAgeInSeconds", 86_400) > 3600:
            yield f"the schedule of {function} starts what is long past"
        if named(event.get("DeadLetterConfig", {}).get("Arn")) not in template.letters:
            yield f"the schedule of {function} is missed in silence"


@promise
def a_call_nobody_waits_for_is_not_lost(template: Template) -> Iterator[str]:
    """What a topic tells of files is tried again for hours if need be, and then a dead letter; an alarm is mailed all the same."""
    for function, event in template.events("SNS"):
        if named(event["Topic"]) == "OpsTopic":
            continue
        config = template.functions[function].get("EventInvokeConfig", {})
        letters = named(config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"))
        if letters not in template.letters or letters not in template.may(function, "sqs"):
            yield f"{function} does not say what it gave up, or may not"
        if config.get("MaximumRetryAttempts") != 2 or config.get("MaximumEventAgeInSeconds", 21_600) < 3_600:
            yield f"{function} gives up too soon"


@promise
def a_scheduled_function_repeats_itself_in_bounds(template: Template) -> Iterator[str]:
    """A function that a schedule calls is not called again and again for hours by Lambda's own retries."""
    for function, _ in template.events("ScheduleV2"):
        config = template.functions[function].get("EventInvokeConfig", {})
        if config.get("MaximumRetryAttempts", 99) > 2 or config.get("MaximumEventAgeInSeconds", 21_600) > 3600:
            yield f"{function} may be repeated for hours"


# ---------------------------------------------------------------- nothing is posted twice


@promise
def a_lease_outlasts_its_function(template: Template) -> Iterator[str]:
    """Nobody else may take up an alert while the function that claimed it can still be running."""
    for function in DELIVERERS:
        if float(template.variables(function)["TOCSIN_LEASE_SECONDS"]) <= template.functions[function]["Timeout"]:
            yield f"{function} may run on after its lease is over"


@promise
def doubt_waits_as_long_as_was_measured(template: Template) -> Iterator[str]:
    """A post of unknown outcome waits for lease and 150 s before the history is asked: shorter ones posted twice."""
    for function in DELIVERERS:
        if float(template.variables(function)["TOCSIN_QUARANTINE_SECONDS"]) < 150:
            yield f"{function} believes the history too early"


@promise
def both_deliverers_agree(template: Template) -> Iterator[str]:
    """Deliver and Sweep have the same settings: two leases would be none."""
    one, other = (template.variables(function) for function in sorted(DELIVERERS))
    differing = [name for name in one.keys() & other.keys() if one[name] != other[name]]
    yield from (f"Deliver and Sweep differ in {name}" for name in differing)


# ---------------------------------------------------------------- nobody takes what others need


@promise
def concurrency_is_bounded(template: Template) -> Iterator[str]:
    """Strangers cannot take the account's concurrency: few pages at a time, few posts a second; Sweep is one if asked."""
    scaling = dict(template.events("SQS"))["Page"].get("ScalingConfig", {})
    if not 2 <= scaling.get("MaximumConcurrency", 1_000) <= 10:
        yield "any number of pages may be asked for at once"
    for name, api in template.of_type("AWS::Serverless::HttpApi").items():
        throttle = api.get("DefaultRouteSettings", {})
        if max(throttle.get(f"Throttling{one}Limit", 10_000) for one in ("Rate", "Burst")) > 10:
            yield f"{name} lets any number of posts through"
    if "Fn::If" not in str(template.functions["Sweep"].get("ReservedConcurrentExecutions")):
        yield "Sweep cannot be held to one"


@promise
def batches_are_small_enough(template: Template) -> Iterator[str]:
    """A page is alone in its call, and no batch of articles is larger than its function has time for."""
    most = {"Page": 1, "Deliver": 20}  # which begins nothing new after 45 s, and leaves it to Sweep
    for function, event in (*template.events("SQS"), *template.events("DynamoDB")):
        if event.get("BatchSize", 100) > most.get(function, 10):
            yield f"{function} takes too many at a time"


@promise
def a_batch_of_feeds_has_room(template: Template) -> Iterator[str]:
    """The slowest and largest feeds fit into one call of Fetch, which takes one message; and it has ended before it is taken to have."""
    fetch = template.functions["Fetch"]
    if dict(template.events("SQS"))["Fetch"].get("BatchSize", 10) != 1:
        yield "a feed that ends Fetch takes other messages along"
    if (
        not ENOUGH.total_seconds() + Limits().deadline + TOGETHER * MOST_SECONDS
        <= fetch["Timeout"]
        < BUSY.total_seconds()
    ):
        yield "Fetch has no time for the slowest feeds, or so much that it is taken to have ended"
    if fetch.get("MemorySize", 512) < 1.5 * LARGEST_CALL:
        yield "Fetch has no memory for the largest feeds"


@promise
def the_gateway_waits_for_receive(template: Template) -> Iterator[str]:
    """The function behind the endpoint ends before the gateway stops waiting, after 30 s."""
    for function, _ in template.events("HttpApi"):
        if template.functions[function]["Timeout"] >= 30:
            yield f"{function} may go on when nobody waits any more"


# ---------------------------------------------------------------- who may do what


@promise
def each_function_has_a_role_of_its_own(template: Template) -> Iterator[str]:
    """A function runs under a role nobody else has, with nothing in it that others wrote."""
    for function, properties in template.functions.items():
        role = template.resources.get(template.role(function), {}).get("Properties", {})
        if template.role(function) != f"{function}Role":
            yield f"{function} runs under {template.role(function)}"
        if "ManagedPolicyArns" in role or "Policies" in properties:
            yield f"{function} has policies that are not in its role"


@promise
def roles_name_actions_and_places(template: Template) -> Iterator[str]:
    """No statement has a wildcard for an action, nor for a place beyond what lies under a named one, where AWS knows any."""
    for function in template.functions:
        for statement in template.statements(function):
            found = places(statement["Resource"])
            if (statement["Action"], found) == (EVERYWHERE, ["*"]):
                continue
            if any("*" in action for action in statement["Action"]) or any("*" in one.rstrip("/*") for one in found):
                yield f"{function}: {statement['Sid']} allows more than it names"
            if any(one.split("/")[0] not in {*template.resources, *template.raw["Parameters"]} for one in found):
                yield f"{function}: {statement['Sid']} names nothing of this stack"


@promise
def secrets_are_read_by_those_who_need_them(template: Template) -> Iterator[str]:
    """The token of Slack is for those that post or open forms, the shared secrets for those that compare them; each may read that one secret."""
    allowed = {
        "Deliver": {"SlackTokenSecret"},
        "Sweep": {"SlackTokenSecret"},
        "Receive": {"ReceiveSecret"},
        "Interact": {"SlackTokenSecret", "SlackSigningSecret"},
    }
    for function in template.functions:
        for service in ("secretsmanager", "ssm"):
            if template.may(function, service) != allowed.get(function, set()):
                yield f"{function} may read {template.may(function, service) or 'no secret'} of {service}"


@promise
def deliverers_read_no_articles(template: Template) -> Iterator[str]:
    """Those that hold the token of Slack read rules in the bucket and nothing else, and no queue; they send only what was given up."""
    for function in DELIVERERS:
        if template.may(function, "s3") - {"Bucket/rules/*"} or template.may(function, "sqs") - template.letters:
            yield f"{function} reaches articles"


@promise
def the_digest_lists_what_it_counts(template: Template) -> Iterator[str]:
    """Digest sees what the batches are called that it counts, and nothing else in the bucket."""
    for statement in template.statements("Digest"):
        if "s3:ListBucket" in statement["Action"]:
            listed = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix")
            if listed != [f"{kind}/*" for kind in COUNTED]:
                yield f"Digest lists {listed}"


@promise
def strangers_reach_no_story(template: Template) -> Iterator[str]:
    """Whatever meets strangers' text or servers may touch feeds, notices and rejected posts, and see which rules are in force; no story or alert."""
    allowed = {"feeds/*", "FEEDS", "ROUNDS", "FEED#*", "NOTICES#*", "ALERT#notices/*", "ARTICLE#post-*"}
    for function in STRANGERS:
        for statement in template.statements(function):
            if any(action.startswith("dynamodb:") for action in statement["Action"]):
                keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
                looks = {"RULES"} if statement["Action"] == ["dynamodb:GetItem"] else set()
                if not keys or set(keys["dynamodb:LeadingKeys"]) - allowed - looks:
                    yield f"{function}: {statement['Sid']} reaches stories"


@promise
def nobody_deletes_what_is_kept(template: Template) -> Iterator[str]:
    """No function may delete from table or bucket, nor look through the whole table."""
    for function in template.functions:
        for statement in template.statements(function):
            for action in statement["Action"]:
                if re.match(r"(dynamodb|s3):(Delete|Scan|PartiQL)", action):
                    yield f"{function} may do {action}"


@promise
def a_queue_is_read_by_its_reader_and_sent_to_by_name(template: Template) -> Iterator[str]:
    """A function receives from the queue its events name, and sends to those its settings name; dead letters aside."""
    for function in template.functions:
        reads = {queue for queue, reader in template.readers.items() if reader == function}
        given_names = template.variables(function).items()
        sends = {place for name, value in given_names if name.endswith("_QUEUE") for place in places(value) if place}
        for action, wanted in (("sqs:ReceiveMessage", reads), ("sqs:SendMessage", sends)):
            given = {
                place
                for statement in template.statements(function)
                if action in statement["Action"]
                for place in places(statement["Resource"])
            }
            if given - template.letters != wanted:
                yield f"{function} may do {action} on {given or 'nothing'}, and needs {wanted or 'nothing'}"


# ---------------------------------------------------------------- what is kept is kept, and kept private


@promise
def everything_is_encrypted_at_rest(template: Template) -> Iterator[str]:
    """Table, bucket and queues are encrypted."""
    for name, table in template.of_type("AWS::DynamoDB::Table").items():
        if table.get("SSESpecification", {}).get("SSEEnabled") is not True:
            yield f"{name} is not encrypted with a key of AWS"
    for name, bucket in template.of_type("AWS::S3::Bucket").items():
        if not bucket.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration"):
            yield f"{name} is not encrypted"
    for name, queue in template.queues.items():
        if queue.get("SqsManagedSseEnabled") is not True:
            yield f"{name} is not encrypted"


@promise
def buckets_are_private(template: Template) -> Iterator[str]:
    """No object can be made public, by policy or by list."""
    for name, bucket in template.of_type("AWS::S3::Bucket").items():
        block = bucket.get("PublicAccessBlockConfiguration", {})
        if list(block.values()) != [True] * 4:
            yield f"{name} can be made public"
        if bucket.get("OwnershipControls") != {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}:
            yield f"{name} heeds access lists"


@promise
def buckets_are_spoken_to_over_tls(template: Template) -> Iterator[str]:
    """Whatever comes without TLS is refused, whoever asks, whatever for."""
    policies = {
        named(one["Bucket"]): one["PolicyDocument"] for one in template.of_type("AWS::S3::BucketPolicy").values()
    }
    for name in template.of_type("AWS::S3::Bucket"):
        refused = [
            statement
            for statement in policies.get(name, {}).get("Statement", [])
            if (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
            and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        if [places(one["Resource"]) for one in refused] != [[name, f"{name}/*"]]:
            yield f"{name} may be spoken to without TLS"


@promise
def only_our_buckets_announce(template: Template) -> Iterator[str]:
    """The topic that tells of files is told by S3 on behalf of this account, and by nobody else; that stands before the bucket tries it."""
    policies = template.of_type("AWS::SNS::TopicPolicy")
    for name, bucket in template.of_type("AWS::S3::Bucket").items():
        for told in bucket["NotificationConfiguration"]["TopicConfigurations"]:
            policy = f"{named(told['Topic'])}Policy"
            allowed = policies.get(policy, {}).get("PolicyDocument", {}).get("Statement", [{}])[0]
            ours = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
            if allowed.get("Principal") != {"Service": ["s3.amazonaws.com"]} or allowed.get("Condition") != ours:
                yield f"{policy} lets others announce"
            if template.resources[name].get("DependsOn") != policy:
                yield f"{name} may be made before it is allowed to tell {named(told['Topic'])}"


@promise
def the_table_can_be_restored(template: Template) -> Iterator[str]:
    """The table can be put back to any second of the last weeks."""
    for name, table in template.of_type("AWS::DynamoDB::Table").items():
        if not table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
            yield f"{name} cannot be put back"


@promise
def what_is_kept_outlives_the_stack(template: Template) -> Iterator[str]:
    """Deleting or replacing the stack's table or bucket leaves the old one with all it holds."""
    for name, resource in template.resources.items():
        if resource["Type"] in STORED and (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) != (
            "Retain",
            "Retain",
        ):
            yield f"{name} goes with the stack"


@promise
def what_is_kept_is_never_replaced(template: Template) -> Iterator[str]:
    """A deployment, forwards or back, finds table, bucket and queues under their names, with nothing changed that would put empty ones in their place."""
    yield from (f"{name} is gone, and what is in it" for name in sorted(KEEPING - template.resources.keys()))
    for name in sorted(KEEPING & template.resources.keys()):
        properties = template.resources[name].get("Properties", {})
        for one in sorted(REPLACING & properties.keys()):
            if (one, properties[one]) != ("KeySchema", KEYS):
                yield f"{one} would replace {name}"
    for name, table in template.of_type("AWS::DynamoDB::Table").items():
        indexes = {one["IndexName"]: one for one in table.get("GlobalSecondaryIndexes", [])}
        if table.get("KeySchema") != KEYS or indexes.get("due", {}).get("KeySchema") != DUE:
            yield f"the keys of {name}, or of its index, are others: CloudFormation refuses that, or replaces it"


@promise
def what_is_kept_is_forgotten_in_time(template: Template) -> Iterator[str]:
    """Rows expire by `expires_at`, files after a while; uploads that were never finished go at once."""
    for name, table in template.of_type("AWS::DynamoDB::Table").items():
        if table.get("TimeToLiveSpecification") != {"AttributeName": "expires_at", "Enabled": True}:
            yield f"{name} forgets nothing"
    for name, bucket in template.of_type("AWS::S3::Bucket").items():
        rules = [one for one in bucket["LifecycleConfiguration"]["Rules"] if one["Status"] == "Enabled"]
        days = {one.get("Prefix"): one.get("ExpirationInDays") for one in rules if "ExpirationInDays" in one}
        if days.keys() != {"inbox/", "articles/", "fates/", "feedback/"} or max(days.values()) > 365:
            yield f"{name} does not forget files, or not all"
        if not any("AbortIncompleteMultipartUpload" in one for one in rules):
            yield f"{name} keeps unfinished uploads"


@promise
def logs_are_kept_for_a_set_time(template: Template) -> Iterator[str]:
    """Every function writes to a log group of its own, and to no other; it is kept as long as the parameter says."""
    for function, properties in template.functions.items():
        group = named(properties.get("LoggingConfig", {}).get("LogGroup"))
        kept = template.of_type("AWS::Logs::LogGroup").get(group, {}).get("RetentionInDays")
        if group != f"{function}Logs" or kept != {"Ref": "LogRetentionDays"}:
            yield f"{function} has no log group of its own, or its logs are kept for ever"
        if template.may(function, "logs") != {f"{function}Logs"}:
            yield f"{function} may not write its log, or another's"


# ---------------------------------------------------------------- what goes wrong is told


@promise
def each_queue_has_its_alarms(template: Template) -> Iterator[str]:
    """A queue whose oldest message waits for an hour is told."""
    for queue in template.readers:
        alarms = template.alarms("ApproximateAgeOfOldestMessage")
        found = [alarm for alarm in alarms if named(alarm["Dimensions"][0]["Value"]) == queue]
        if [alarm["Threshold"] <= 3600 and alarm["Period"] <= 300 for alarm in found] != [True]:
            yield f"{queue} has no alarm that tells in time"


@promise
def dead_letters_are_told(template: Template) -> Iterator[str]:
    """Every few minutes each queue of dead letters is counted, under its own name; the first letter of any is an alarm."""
    told = json.dumps(template.variables("Ops")["TOCSIN_DEAD_LETTERS"])
    counted = template.may("Ops", "sqs")
    for queue in template.letters:
        if f'"{queue}=${{{queue}}}"' not in told or queue not in counted:
            yield f"{queue} is not counted"
    rates = [event["ScheduleExpression"] for function, event in template.events("ScheduleV2") if function == "Ops"]
    if rates != ["rate(5 minutes)"]:
        yield "dead letters are not looked for every five minutes"
    if [one["Threshold"] for one in template.alarms("DeadLetters")] != [1]:
        yield "there is no alarm on the first dead letter"


@promise
def alerts_that_wait_or_fail_are_told(template: Template) -> Iterator[str]:
    """Alerts that are not delivered, of unknown outcome, or refused are told within half an hour."""
    for figure in ("OldestAlert", "UnknownOutcomes"):
        if [one["Period"] * one["EvaluationPeriods"] <= 1800 for one in template.alarms(figure)] != [True]:
            yield f"there is no alarm on {figure} that tells in time"
    enough = [alarm["Threshold"] for alarm in template.alarms("Errors")]
    filters = template.of_type("AWS::Logs::MetricFilter").values()
    for function in sorted(DELIVERERS):
        refused = [
            one["MetricTransformations"][0]
            for one in filters
            if (named(one["LogGroupName"]), one["FilterPattern"])
            == (f"{function}Logs", f'{{ $.message = "{GIVEN_UP}" }}')
        ]
        if [(one["MetricName"], float(one["MetricValue"])) for one in refused] != [("Errors", each) for each in enough]:
            yield f"an alert that {function} gives up rings nowhere"


@promise
def silence_is_told(template: Template) -> Iterator[str]:
    """A day without an article, a Sweep that does not say how it is, and an Ops that does not count are alarms: no figure is a bad figure."""
    for figure, longest in (("NumberOfMessagesSent", 86_400), ("OldestAlert", 1800), ("DeadLetters", 1800)):
        for alarm in template.alarms(figure):
            if alarm["TreatMissingData"] != "breaching" or alarm["Period"] * alarm["EvaluationPeriods"] > longest:
                yield f"silence of {figure} is taken for well"
    if not template.alarms("NumberOfMessagesSent"):
        yield "a day without articles is told to nobody"


@promise
def failing_calls_are_told(template: Template) -> Iterator[str]:
    """Errors of every function are counted, and they, throttled calls and failing feeds have an alarm."""
    filters = template.of_type("AWS::Logs::MetricFilter").values()
    counted = {named(one["LogGroupName"]) for one in filters if "platform.report" in one["FilterPattern"]}
    for function in template.functions:
        if f"{function}Logs" not in counted:
            yield f"errors of {function} are not counted"
    for figure in ("Errors", "Throttles", "FailedPolls"):
        if len(template.alarms(figure)) != 1:
            yield f"there is no alarm on {figure}"


@promise
def an_alarm_reaches_people(template: Template) -> Iterator[str]:
    """Every alarm goes to the topic, says where the runbook tells what to do, and the topic leads to the channel and to an e-mail."""
    for name, alarm in template.of_type("AWS::CloudWatch::Alarm").items():
        if alarm.get("AlarmActions") != [{"Ref": "OpsTopic"}]:
            yield f"{name} is told to nobody"
        if not str(alarm.get("AlarmDescription", "")).endswith(f" See docs/operate.md#{name.lower()}."):
            yield f"{name} does not say where its section is"
    if [function for function, event in template.events("SNS") if named(event["Topic"]) == "OpsTopic"] != ["Ops"]:
        yield "the channel is told of no alarm"
    mails = template.of_type("AWS::SNS::Subscription").values()
    if [(one["Protocol"], named(one["TopicArn"])) for one in mails] != [("email", "OpsTopic")]:
        yield "nobody is mailed an alarm"


@promise
def alarms_are_raised_by_this_account(template: Template) -> Iterator[str]:
    """Only alarms and budgets of this account may speak to the topic, and only over TLS."""
    for name, policy in template.of_type("AWS::SNS::TopicPolicy").items():
        allowed, refused = policy["PolicyDocument"]["Statement"]
        if allowed.get("Condition") != {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}:
            yield f"{name} lets other accounts speak"
        if set(allowed["Principal"]) != {"Service"}:
            yield f"{name} lets others speak than services of AWS"
        if (refused["Effect"], refused["Condition"]) != ("Deny", {"Bool": {"aws:SecureTransport": "false"}}):
            yield f"{name} may be spoken to without TLS"


@promise
def figures_are_told_by_somebody(template: Template) -> Iterator[str]:
    """Each figure of our own that an alarm or the dashboard looks at is told by the code, and each that is told is looked at."""
    told = _figures_told()
    body = json.dumps(template.of_type("AWS::CloudWatch::Dashboard"))
    shown = set(re.findall(r'\\"Tocsin\\", \\"(\w+)\\"', body))
    watched = {
        alarm["MetricName"]
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Namespace"] == "Tocsin"
    }
    yield from (f"nobody tells {one}" for one in sorted((shown | watched) - told))
    yield from (f"nobody looks at {one}" for one in sorted(told - (shown & watched)))


@promise
def an_article_can_be_followed(template: Template) -> Iterator[str]:
    """Functions on the way of an article are traced as the parameter says, and may say so; no other is, which keeps a desk free of charge."""
    for function, properties in template.functions.items():
        traced = function in TRACED
        if properties.get("Tracing") != ({"Ref": "Traces"} if traced else None):
            yield f"{function} is {'not ' * traced}traced"
        if [one["Action"] for one in template.statements(function) if "xray:" in str(one["Action"])] != [
            EVERYWHERE
        ] * traced:
            yield f"{function} may {'not ' * traced}send traces"


# ---------------------------------------------------------------- what is written is meant


@promise
def every_setting_is_used_and_none_is_unknown(template: Template) -> Iterator[str]:
    """A function is given each environment variable that what it runs asks for, and no other."""
    for function in template.functions:
        given, needed = set(template.variables(function)), needed_by(function)
        yield from (f"{function} is given {name} and does not use it" for name in sorted(given - needed))
        yield from (f"{function} needs {name}" for name in sorted(needed - given))


@promise
def stacks_stand_side_by_side(template: Template) -> Iterator[str]:
    """No resource has a name of its own choice, so that a second stack meets no first one."""
    for name, resource in template.resources.items():
        own = {one for one, value in resource.get("Properties", {}).items() if one in NAMES and isinstance(value, str)}
        yield from (f"{name} sets {one}" for one in sorted(own))
    for function, event in template.events("ScheduleV2"):
        if event.get("OmitName") is not True:
            yield f"the schedule of {function} is named alike in every stack"


@promise
def parameters_explain_themselves(template: Template) -> Iterator[str]:
    """Every parameter says what it is, and something uses it."""
    text = json.dumps({key: value for key, value in template.raw.items() if key != "Parameters"})
    for name, parameter in template.raw["Parameters"].items():
        if len(parameter.get("Description", "")) < 20:
            yield f"{name} does not say what it is"
        if f'"Ref": "{name}"' not in text and f"${{{name}}}" not in text:
            yield f"{name} is used by nothing"


@promise
def what_people_look_for_is_an_output(template: Template) -> Iterator[str]:
    """Table, bucket and every queue are among the outputs."""
    told = {named(output["Value"]) for output in template.raw["Outputs"].values()}
    for name, resource in template.resources.items():
        if resource["Type"] in {*STORED, "AWS::SQS::Queue"} and name not in told:
            yield f"{name} is no output"


def needed_by(function: str) -> set[str]:
    """The environment variables that the handler of a function asks for, as its source tells."""
    bodies = _functions_of("tocsin/adapters/aws.py")
    handler = _tree(f"handlers/{function.lower()}.py")
    used, waiting = _settings_in(handler), [node for node in ast.walk(handler) if isinstance(node, ast.Attribute)]
    called = {node.attr for node in waiting if isinstance(node.value, ast.Name) and node.value.id == "aws"}
    seen: set[str] = set()
    while called - seen:
        name = (called - seen).pop()
        seen.add(name)
        if body := bodies.get(name):
            used |= _settings_in(body)
            called |= {node.id for node in ast.walk(body) if isinstance(node, ast.Name)}
    variables = _functions_of("tocsin/settings.py")
    return {_variable(variables[name]) for name in used}


def _figures_told() -> set[str]:
    """The names of all figures that the pipeline tells its meter."""
    calls = (
        node
        for path in sorted((ROOT / "tocsin" / "pipeline").glob("*.py"))
        for node in ast.walk(_tree(str(path.relative_to(ROOT))))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"meter", "self.meter"}
    )
    return {keyword.arg for call in calls for keyword in call.keywords if keyword.arg}


def _settings_in(tree: ast.AST) -> set[str]:
    """The settings that are read in a piece of source: `settings.table`, `Settings(os.environ).table`."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"settings", "Settings(os.environ)"}
    }


def _variable(setting: ast.FunctionDef) -> str:
    """The environment variable a setting is read from."""
    (name,) = {
        str(node.value)
        for node in ast.walk(setting)
        if isinstance(node, ast.Constant) and str(node.value).startswith("TOCSIN_")
    }
    return name


@cache
def _tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


@cache
def _functions_of(path: str) -> dict[str, ast.FunctionDef]:
    """The functions and methods of a module by name."""
    return {node.name: node for node in ast.walk(_tree(path)) if isinstance(node, ast.FunctionDef)}
