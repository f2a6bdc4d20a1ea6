"""The promises of `template.yaml` are kept, and each is broken by just what it is about."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.promises import PROMISES, ROOT, Template, broken, read

GONE = object()
"""For a value that is taken out."""


def statement(function: str, sid: str) -> str:
    """The path to a statement of a function's role."""
    return f"{function}Role Properties Policies 0 PolicyDocument Statement Sid={sid}"


def event(function: str, name: str) -> str:
    """The path to an event of a function."""
    return f"{function} Properties Events {name} Properties"


def variable(function: str, name: str) -> str:
    """The path to an environment variable of a function."""
    return f"{function} Properties Environment Variables {name}"


def more(*values: Any) -> Callable[[Any], Any]:
    """The list that was there, and these."""
    return lambda old: [*old, *values]


S3_GET = {
    "Sid": "More",
    "Effect": "Allow",
    "Action": ["s3:GetObject"],
    "Resource": {"Fn::Sub": "${Bucket.Arn}/articles/*"},
}
SECRET = {
    "Sid": "More",
    "Effect": "Allow",
    "Action": ["secretsmanager:GetSecretValue"],
    "Resource": {"Ref": "SlackTokenSecret"},
}
STATEMENTS = "Properties Policies 0 PolicyDocument Statement"
KEYS = "Condition ForAllValues:StringLike dynamodb:LeadingKeys"

MUTATIONS: list[tuple[str, str | list[str], Any]] = [
    ("a_message_stays_hidden_while_its_reader_works", "ArticleQueue Properties VisibilityTimeout", 360),
    ("a_message_stays_hidden_while_its_reader_works", "PageQueue Properties VisibilityTimeout", GONE),
    ("a_message_stays_hidden_while_its_reader_works", "Fetch Properties Timeout", 241),
    ("a_queue_gives_up_into_dead_letters_of_its_own", "PageQueue Properties RedrivePolicy", GONE),
    ("a_queue_gives_up_into_dead_letters_of_its_own", "PageQueue Properties RedrivePolicy maxReceiveCount", 1),
    (
        "a_queue_gives_up_into_dead_letters_of_its_own",
        "PageQueue Properties RedrivePolicy deadLetterTargetArn",
        {"Fn::GetAtt": ["InboxDeadLetters", "Arn"]},
    ),
    ("dead_letters_are_kept_for_two_weeks", "FeedDeadLetters Properties MessageRetentionPeriod", 345_600),
    ("dead_letters_are_kept_for_two_weeks", "SweepDeadLetters Properties MessageRetentionPeriod", GONE),
    ("a_message_outlives_its_tries", "FeedQueue Properties MessageRetentionPeriod", 3000),
    ("articles_wait_for_two_weeks", "ArticleQueue Properties MessageRetentionPeriod", GONE),
    ("a_bad_record_fails_alone", f"{event('Detect', 'Articles')} FunctionResponseTypes", GONE),
    ("a_bad_record_fails_alone", f"{event('Deliver', 'Outbox')} FunctionResponseTypes", GONE),
    ("a_bad_stream_record_holds_up_nothing", f"{event('Deliver', 'Outbox')} BisectBatchOnFunctionError", False),
    ("a_bad_stream_record_holds_up_nothing", f"{event('Deliver', 'Outbox')} MaximumRetryAttempts", -1),
    ("a_bad_stream_record_holds_up_nothing", f"{event('Deliver', 'Outbox')} MaximumRecordAgeInSeconds", GONE),
    (
        "a_bad_stream_record_holds_up_nothing",
        f"{event('Deliver', 'Outbox')} DestinationConfig OnFailure Destination",
        {"Fn::GetAtt": ["Bucket", "Arn"]},
    ),
    ("the_stream_starts_at_the_first_alert", f"{event('Deliver', 'Outbox')} StartingPosition", "LATEST"),
    ("the_stream_starts_at_the_first_alert", f"{event('Deliver', 'Outbox')} FilterCriteria", GONE),
    ("the_stream_starts_at_the_first_alert", f"{event('Deliver', 'Outbox')} ParallelizationFactor", 10),
    ("a_schedule_is_tried_again_and_missed_aloud", f"{event('Sweep', 'EveryMinute')} RetryPolicy", GONE),
    ("a_schedule_is_tried_again_and_missed_aloud", f"{event('Digest', 'EveryDay')} DeadLetterConfig", GONE),
    ("a_scheduled_function_repeats_itself_in_bounds", "Due Properties EventInvokeConfig", GONE),
    ("a_lease_outlasts_its_function", "Deliver Properties Timeout", 75),
    ("doubt_waits_as_long_as_was_measured", [variable(one, "TOCSIN_QUARANTINE_SECONDS") for one in ("Deliver", "Sweep")], "60"),
    ("both_deliverers_agree", variable("Sweep", "TOCSIN_LEASE_SECONDS"), "90"),
    ("concurrency_is_bounded", f"{event('Page', 'Pages')} ScalingConfig", GONE),
    ("concurrency_is_bounded", "ReceiveApi Properties DefaultRouteSettings ThrottlingBurstLimit", 5000),
    ("concurrency_is_bounded", "Sweep Properties ReservedConcurrentExecutions", GONE),
    ("batches_are_small_enough", f"{event('Page', 'Pages')} BatchSize", 10),
    ("batches_are_small_enough", f"{event('Detect', 'Articles')} BatchSize", 100),
    ("a_batch_of_feeds_has_room", "Fetch Properties MemorySize", 512),
    ("a_batch_of_feeds_has_room", "Fetch Properties Timeout", 120),
    ("the_gateway_waits_for_receive", "Receive Properties Timeout", 60),
    ("each_function_has_a_role_of_its_own", "DetectRole Properties ManagedPolicyArns", ["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
    ("each_function_has_a_role_of_its_own", "Detect Properties Policies", [{"DynamoDBCrudPolicy": {"TableName": "x"}}]),
    ("roles_name_actions_and_places", f"{statement('Detect', 'KeepStories')} Action", more("dynamodb:*")),
    ("roles_name_actions_and_places", f"{statement('Detect', 'KeepStories')} Resource", "*"),
    ("roles_name_actions_and_places", f"{statement('Intake', 'WriteFates')} Resource", "*"),
    ("roles_name_actions_and_places", f"{statement('Digest', 'ReadWhatWasHeldBack')} Resource", "arn:aws:dynamodb:*:*:table/*"),
    ("secrets_are_read_by_those_who_need_them", f"FetchRole {STATEMENTS}", more(SECRET)),
    ("secrets_are_read_by_those_who_need_them", f"{statement('Receive', 'ReadSharedSecret')} Resource", {"Ref": "SlackTokenSecret"}),
    ("deliverers_read_no_articles", f"DeliverRole {STATEMENTS}", more(S3_GET)),
    ("deliverers_read_no_articles", f"SweepRole {STATEMENTS}", more(S3_GET)),
    (
        "the_digest_lists_what_it_counts",
        f"{statement('Digest', 'ListArticlesAndFates')} Condition StringLike s3:prefix",
        ["fates/*"],
    ),
    ("strangers_reach_no_story", f"{statement('Due', 'MoveFeedsOn')} Condition", GONE),
    ("strangers_reach_no_story", f"{statement('Fetch', 'WriteCursorsAndNotices')} {KEYS}", more("STORY#*")),
    ("nobody_deletes_what_is_kept", f"{statement('Detect', 'KeepStories')} Action", more("dynamodb:DeleteItem")),
    ("nobody_deletes_what_is_kept", f"{statement('Page', 'ReadAndWriteArticles')} Action", more("s3:DeleteObject")),
    (
        "a_queue_is_read_by_its_reader_and_sent_to_by_name",
        f"{statement('Detect', 'ReadArticleQueue')} Resource",
        {"Fn::GetAtt": ["FeedQueue", "Arn"]},
    ),
    ("a_queue_is_read_by_its_reader_and_sent_to_by_name", f"{statement('Due', 'SendFeeds')} Resource", {"Fn::GetAtt": ["ArticleQueue", "Arn"]}),
    ("everything_is_encrypted_at_rest", "Table Properties SSESpecification", GONE),
    ("everything_is_encrypted_at_rest", "Bucket Properties BucketEncryption", GONE),
    ("everything_is_encrypted_at_rest", "PageDeadLetters Properties SqsManagedSseEnabled", False),
    ("buckets_are_private", "Bucket Properties PublicAccessBlockConfiguration BlockPublicPolicy", False),
    ("buckets_are_private", "Bucket Properties OwnershipControls", GONE),
    ("buckets_are_spoken_to_over_tls", "BucketPolicy", GONE),
    ("buckets_are_spoken_to_over_tls", "BucketPolicy Properties PolicyDocument Statement 0 Resource", [{"Fn::GetAtt": ["Bucket", "Arn"]}]),
    ("only_our_buckets_announce", "InboxTopicPolicy Properties PolicyDocument Statement 0 Principal", {"Service": ["events.amazonaws.com"]}),
    ("only_our_buckets_announce", "Bucket DependsOn", GONE),
    ("a_call_nobody_waits_for_is_not_lost", "Intake Properties EventInvokeConfig DestinationConfig", GONE),
    ("a_call_nobody_waits_for_is_not_lost", "Intake Properties EventInvokeConfig MaximumEventAgeInSeconds", 60),
    ("a_call_nobody_waits_for_is_not_lost", f"{statement('Intake', 'ReportWhatIsGivenUp')} Resource", {"Fn::GetAtt": ["FeedDeadLetters", "Arn"]}),
    ("the_table_can_be_restored", "Table Properties PointInTimeRecoverySpecification", GONE),
    ("what_is_kept_outlives_the_stack", "Table DeletionPolicy", GONE),
    ("what_is_kept_outlives_the_stack", "Bucket UpdateReplacePolicy", "Delete"),
    ("what_is_kept_is_never_replaced", "PageQueue Properties FifoQueue", True),
    ("what_is_kept_is_never_replaced", "Bucket Properties BucketNamePrefix", "tocsin"),
    ("what_is_kept_is_never_replaced", "Table Properties KeySchema 1 AttributeName", "kind"),
    ("what_is_kept_is_never_replaced", "Table Properties GlobalSecondaryIndexes 0 KeySchema 1 AttributeName", "at"),
    ("what_is_kept_is_forgotten_in_time", "Table Properties TimeToLiveSpecification Enabled", False),
    ("what_is_kept_is_forgotten_in_time", "Bucket Properties LifecycleConfiguration Rules 1 Status", "Disabled"),
    ("logs_are_kept_for_a_set_time", "PageLogs Properties RetentionInDays", GONE),
    ("logs_are_kept_for_a_set_time", "Due Properties LoggingConfig", GONE),
    ("logs_are_kept_for_a_set_time", f"{statement('Due', 'WriteLogs')} Resource", {"Fn::GetAtt": ["FetchLogs", "Arn"]}),
    ("each_queue_has_its_alarms", "PageQueueAlarm", GONE),
    ("each_queue_has_its_alarms", "ArticleQueueAlarm Properties Threshold", 86_400),
    ("dead_letters_are_told", f"{variable('Ops', 'TOCSIN_DEAD_LETTERS')} Fn::Join 1 1", "PageDeadLetters"),
    ("dead_letters_are_told", f"{statement('Ops', 'CountDeadLetters')} Resource 2", {"Fn::GetAtt": ["FeedDeadLetters", "Arn"]}),
    ("dead_letters_are_told", "DeadLettersAlarm Properties Threshold", 10),
    ("dead_letters_are_told", "Ops Properties Events EveryFiveMinutes Properties ScheduleExpression", "rate(1 day)"),
    ("silence_is_told", "DeadLettersAlarm Properties TreatMissingData", "notBreaching"),
    ("alerts_that_wait_or_fail_are_told", "UnknownOutcomesAlarm Properties EvaluationPeriods", 24),
    ("alerts_that_wait_or_fail_are_told", "SweepRefusals", GONE),
    ("alerts_that_wait_or_fail_are_told", "DeliverRefusals Properties FilterPattern", '{ $.message = "Gone: *" }'),
    ("silence_is_told", "NoArticlesAlarm", GONE),
    ("silence_is_told", "NoArticlesAlarm Properties TreatMissingData", "notBreaching"),
    ("silence_is_told", "UndeliveredAlertsAlarm Properties TreatMissingData", "ignore"),
    ("failing_calls_are_told", "ThrottlesAlarm", GONE),
    ("failing_calls_are_told", "SweepErrors", GONE),
    ("an_alarm_reaches_people", "ErrorsAlarm Properties AlarmActions", GONE),
    ("an_alarm_reaches_people", "ErrorsAlarm Properties AlarmDescription", "Something failed."),
    ("an_alarm_reaches_people", "OpsMail", GONE),
    ("alarms_are_raised_by_this_account", "OpsTopicPolicy Properties PolicyDocument Statement 0 Condition", GONE),
    ("alarms_are_raised_by_this_account", "OpsTopicPolicy Properties PolicyDocument Statement 0 Principal", "*"),
    ("figures_are_told_by_somebody", "FeedsAlarm Properties Namespace", "AWS/Lambda"),
    ("figures_are_told_by_somebody", "Dashboard", GONE),
    ("an_article_can_be_followed", "Detect Properties Tracing", "Active"),
    ("an_article_can_be_followed", "Sweep Properties Tracing", {"Ref": "Traces"}),
    ("an_article_can_be_followed", "Deliver Properties Tracing", {"Ref": "Traces"}),
    ("an_article_can_be_followed", statement("Detect", "SendTraces"), GONE),
    ("every_setting_is_used_and_none_is_unknown", variable("Detect", "TOCSIN_TABLE"), GONE),
    ("every_setting_is_used_and_none_is_unknown", variable("Detect", "TOCSIN_MAX_AGE"), "7"),
    ("every_setting_is_used_and_none_is_unknown", variable("Due", "TOCSIN_BUCKET"), {"Ref": "Bucket"}),
    ("stacks_stand_side_by_side", "ArticleQueue Properties QueueName", "articles"),
    ("stacks_stand_side_by_side", f"{event('Due', 'EveryMinute')} OmitName", GONE),
    ("parameters_explain_themselves", "/Parameters DigestHour Description", GONE),
    ("parameters_explain_themselves", "/Parameters Unused", {"Type": "String", "Description": "Something nobody asks for."}),
    ("what_people_look_for_is_an_output", "/Outputs PageDeadLetters", GONE),
]  # fmt: skip


def mutated(path: str | list[str], value: Any) -> dict[str, Any]:
    """The template with one value changed, added or taken out; paths begin among the resources, or with / at the top."""
    template = read()
    for one in [path] if isinstance(path, str) else path:
        *steps, last = one.removeprefix("/").split()
        here: Any = template if one.startswith("/") else template["Resources"]
        for step in steps:
            here = here[_place(here, step)]
        place = _place(here, last)
        if value is GONE:
            del here[place]
        else:
            here[place] = value(here[place]) if callable(value) else value
    return template


def _place(here: Any, step: str) -> Any:
    """The index of a step in a list, or the key it is."""
    if not isinstance(here, list):
        return step
    if step.startswith("Sid="):
        return next(index for index, one in enumerate(here) if one["Sid"] == step.removeprefix("Sid="))
    return int(step)


@pytest.mark.parametrize("promise", PROMISES)
def test_the_template_keeps_its_promise(promise: str) -> None:
    """Each promise holds for `template.yaml`; what breaks one is said by name."""
    assert list(PROMISES[promise](Template(read()))) == []


@pytest.mark.parametrize(("promise", "path", "value"), MUTATIONS)
def test_a_broken_promise_is_seen_by_just_this_promise(promise: str, path: str | list[str], value: Any) -> None:
    """A template that was changed for the worse is caught, and by the promise that is about it."""
    assert list(broken(mutated(path, value))) == [promise]


def test_the_runbook_has_a_section_for_each_alarm() -> None:
    """`docs/operate.md` says what to do about each alarm, each queue of dead letters and the budget, under its name, and about nothing else."""
    template = Template(read())
    sections = re.findall(r"^### (\w+)$", (ROOT / "docs" / "operate.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(sections) == sorted([*template.of_type("AWS::CloudWatch::Alarm"), *template.letters, "Budget"])


def test_every_promise_can_be_broken() -> None:
    """For each promise there is a change that breaks it: none is kept by saying nothing."""
    assert {promise for promise, _, _ in MUTATIONS} == PROMISES.keys()
