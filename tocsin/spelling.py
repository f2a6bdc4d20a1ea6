"""What other systems call the fields of a rule: Sigma, Panther, Prometheus and its Alertmanager."""

from __future__ import annotations

_OURS = {
    "alert": "name", "analysistype": "status", "annotations": "description", "condition": "forms", "contains": "form", "context": "with",
    "dedup": "story", "dedupperiodminutes": "story", "deduplication": "story", "detection": "forms", "detections": "forms", "displayname": "title",
    "disabled": "status", "enabled": "status", "equal": "story", "exclude": "never", "excludes": "never", "exclusions": "never", "expectedresult": "tests",
    "expr": "forms", "expression": "forms", "falsepositive": "falsepositives", "filter": "never", "filters": "never", "for": "story", "globalid": "id",
    "groupby": "story", "groupinterval": "story", "groupwait": "story", "inhibitrules": "never", "keepfiringfor": "story", "keywords": "words",
    "labels": "tags", "match": "forms", "matchers": "forms", "matchre": "forms", "maximum": "above", "mitre": "tags", "muted": "status",
    "notifications": "level", "pattern": "form", "patterns": "forms", "phrases": "words", "priority": "level", "query": "forms", "references": "references",
    "reference": "references", "regex": "form", "repeatinterval": "story", "reports": "tags", "ruleid": "id", "rulename": "name", "runbookurl": "runbook",
    "runbooks": "runbook", "search": "forms", "selection": "forms", "severity": "level", "sourcematchers": "never", "suppress": "never", "summary": "title",
    "synonyms": "words", "targetmatchers": "forms", "terms": "words", "threshold": "story", "timeframe": "story", "throttle": "story", "unittests": "tests",
}  # fmt: skip
"""Their spelling, without case, dashes and underscores → ours."""
_NOTHING = {
    "author": "git knows who wrote what", "continue": "every rule sees every article", "createdby": "git knows who wrote what",
    "date": "git knows what was written when", "fields": "an alert shows its sentences", "filename": "the file's name is the rule's name",
    "groups": "a rule is a file", "groupname": "a rule is a file", "license": "the project has one", "logsource": "every rule reads every article",
    "logtypes": "every rule reads every article", "modified": "git knows what was written when", "receiver": "alerts go to one channel",
    "receivers": "alerts go to one channel", "record": "a rule finds signals", "related": "name related rules in the description",
    "routes": "alerts go to one channel", "route": "alerts go to one channel", "scheduledqueries": "every rule reads every article",
    "scope": "every rule reads every article", "summaryattributes": "an alert shows its sentences", "taxonomy": "there is one",
    "mutetimeintervals": "silences are set in Slack", "version": "it is worked out of the file", "resolvetimeout": "a story ends when it is quiet",
}  # fmt: skip
"""What has no place here, and why."""


def ours(key: str) -> str:
    """What to write instead of another system's field, as the end of a sentence; empty where no system calls a field so."""
    plain = key.lower().replace("_", "").replace("-", "")
    if plain in _OURS:
        return f", did you mean {_OURS[plain]!r}?"
    return f"; remove it: {_NOTHING[plain]}" if plain in _NOTHING else ""


KEYS = (*_OURS, *_NOTHING)
"""Their spellings, to find misspelt ones."""
