"""Starts ministack, in its own environment, and teaches it what it lacks to run our template.

`Fn::Split` in conditions; that batches of SQS need the permission of the single action: there is none of their own; and that S3
speaks to a topic over TLS, whoever spoke to S3 without.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


def resolved(value: Any, params: dict[str, Any]) -> Any:
    """A value of a condition with every `Fn::Split` of parameters carried out."""
    match value:
        case {"Fn::Split": [str(separator), {"Ref": str(name)}]} if name in params:
            return str(params[name]["Value"]).split(separator)
        case dict():
            return {key: resolved(each, params) for key, each in value.items()}
        case list():
            return [resolved(each, params) for each in value]
    return value


def teach() -> None:
    """Teaches the engine, wherever its modules have taken the function from."""
    package = importlib.import_module("ministack.services.cloudformation")
    engine = importlib.import_module("ministack.services.cloudformation.engine")

    evaluate = engine._evaluate_conditions  # noqa: SLF001 - what is to be taught

    def evaluated(template: dict[str, Any], params: dict[str, Any]) -> Any:
        return evaluate({**template, "Conditions": resolved(template.get("Conditions", {}), params)}, params)

    for name, module in list(sys.modules.items()):
        if name.startswith(package.__name__) and getattr(module, "_evaluate_conditions", None) is evaluate:
            module._evaluate_conditions = evaluated  # type: ignore[attr-defined]  # noqa: SLF001 - as above

    actions: Any = importlib.import_module("ministack.core.iam_actions")
    extract = actions.extract_iam_action

    def extracted(*given: Any, **named: Any) -> Any:
        action = extract(*given, **named)
        return action.removesuffix("Batch") if str(action).startswith("sqs:") else action

    actions.extract_iam_action = extracted

    sns: Any = importlib.import_module("ministack.services.sns")
    origin = importlib.import_module("ministack.core.iam_evaluator")._request_origin  # noqa: SLF001 - as above
    allows = sns.topic_policy_allows

    def allowed(*given: Any) -> Any:
        before = origin.set((origin.get()[0], True))
        try:
            return allows(*given)
        finally:
            origin.reset(before)

    sns.topic_policy_allows = allowed


if __name__ == "__main__":
    app = importlib.import_module("ministack.app")
    teach()
    sys.exit(app.main())
