"""Feeds are asked when they are due, and what is new in them is sent on once, whatever the feeds do to their entries."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.system import World, rule_set
from tests.twins import MemoryFeeds, MemoryQueue, MemoryWeb
from tocsin.article import Article
from tocsin.errors import Conflict, FeedFault, FetchFault
from tocsin.feed import Answer, Feed, FeedEntry
from tocsin.message import notices as told
from tocsin.pipeline.poll import Poller, send_due
from tocsin.ports import FateRecord, Notice, Queue
from tocsin.subscription import Subscription, feed_id

URL = "https://news.example/rss"
FEED = Subscription(feed_id(URL), URL, "Example News", every=timedelta(minutes=5), slowest=timedelta(hours=2))
