"""The real adapters keep the promises the twins keep."""

from __future__ import annotations

from tests.simulation.moto import drawn, on_moto, ran, runs
from tests.simulation.scenes import CHANNELS, DESK

SAMPLE = 4


def test_a_sample_of_single_faults_with_the_real_adapters() -> None:
    """Calls of boto3 to DynamoDB, S3 and SQS that fail, crash or are repeated lose and repeat nothing; `make simulate-moto` runs them all."""
    with on_moto():
        tally = ran([*drawn(runs(DESK), SAMPLE, 1), *drawn(runs(CHANNELS), SAMPLE, 1)])
    assert tally.holds, [str(verdict) for verdict in tally.broken]
    assert tally.schedules == 2 * SAMPLE
