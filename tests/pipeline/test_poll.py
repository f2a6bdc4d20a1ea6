"""Feeds are asked when they are due, and what is new in them is sent on once, whatever the feeds do to their entries."""

from __future__ import annotations

from datetime import timedelta

from tocsin.subscription import Subscription, feed_id

URL = "https://news.example/rss"
FEED = Subscription(feed_id(URL), URL, "Example News", every=timedelta(minutes=5), slowest=timedelta(hours=2))
