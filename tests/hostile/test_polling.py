"""What polling costs, in a short run: `make hostile` does it with ten thousand feeds."""

from __future__ import annotations

from tests.hostile.polling import Cost, CountedQueue, hourly, run


def test_the_cost_grows_with_the_feeds_and_no_faster() -> None:
    """Twice the feeds use twice the requests, and no more for each, of an hour; who has nothing new writes nothing; and the table prints."""
    small, large = hourly(100, warm=1), hourly(200, warm=1)
    assert 1.8 < large.polls / small.polls < 2.2
    for name in ("reads", "writes"):
        assert large.used[name] / large.polls <= small.used[name] / small.polls * 1.1
    assert large.used["writes"] <= 1.3 * large.used["cursors"] + 3 * large.used["moves"] + 60
    assert large.used["cursors"] <= large.articles
    assert large.used["moves"] <= large.polls / 10
    lines: list[str] = []
    assert run((20, 40), lines.append)["extra alerts"] == 0
    assert sum(line.startswith("ok ") for line in lines) == 10
    assert "40 feeds" in lines[-2]


def test_an_article_takes_a_third_of_a_request() -> None:
    """Articles that are sent together are sent, received and deleted in tens."""
    cost = Cost()
    queue = CountedQueue(cost, "to articles")
    queue.send(["x" * 3_000] * 40)
    queue.take()
    assert cost.used["to articles"] / 40 <= 0.35
