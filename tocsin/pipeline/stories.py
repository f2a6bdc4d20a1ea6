"""What several steps ask of a story: where it stands, and the id of its root alert."""

from __future__ import annotations

from tocsin.ports import Memory
from tocsin.story import Story

TRIES = 6
"""Times a step tries again that lost against another writer."""


def standing(table: Memory, story_id: str) -> Story | None:
    """A story, or the one it turned out to be part of."""
    story = table.story(story_id)
    for _ in range(TRIES):
        if story is None or not story.merged:
            break
        story = table.story(story.merged)
    return story


def root_alert(story_id: str) -> str:
    """The id of the alert that is a story's root message."""
    return f"{story_id}/first_report"
