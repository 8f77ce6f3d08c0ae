import math
import pickle
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from structlog.testing import capture_logs

from batchanator import JobContext, SliceContext


def slice_context(deadline: float = math.inf) -> SliceContext:
    return SliceContext(
        7, 10, 14, 3, keys=["a", "b"], seqs=[10, 14], attempts=[1, 2], monotonic_deadline=deadline
    )


@pytest.mark.parametrize("make", [lambda at: JobContext("k", 7, 17, 1, 3, at), slice_context])
def test_the_deadline_is_an_instant_in_utc_and_the_rest_of_the_time_is_known(make):
    context = make(monotonic() + 60)
    assert context.deadline.tzinfo is UTC
    assert abs(context.deadline - datetime.now(UTC) - timedelta(seconds=60)) < timedelta(seconds=5)
    assert timedelta(seconds=55) < context.remaining() <= timedelta(seconds=60)
    assert make(monotonic() - 1).remaining() == timedelta(0)


@pytest.mark.parametrize("make", [lambda at: JobContext("k", 7, 17, 1, 3, at), slice_context])
def test_without_a_time_out_there_is_always_time(make):
    context = make(math.inf)
    assert context.remaining() == timedelta.max
    assert context.deadline.year == 9999


def test_the_log_names_job_seq_and_attempt_and_never_the_key():
    with capture_logs() as logs:
        JobContext("secret-key", 7, 17, 2, 3).log.info("mail.sent")
        slice_context().log.warning("slice.slow")
    assert logs == [
        {"event": "mail.sent", "log_level": "info", "job": 7, "seq": 17, "attempt": 2},
        {"event": "slice.slow", "log_level": "warning", "job": 7, "slice": 10},
    ]


def test_a_slice_gives_each_payload_its_own_context_in_order():
    context = slice_context(5.0)
    assert list(context.items) == [JobContext("a", 7, 10, 1, 3, 5.0), JobContext("b", 7, 14, 2, 3, 5.0)]
    assert context.items is context.items
    assert (context.job_id, context.first_seq, context.last_seq, context.fence) == (7, 10, 14, 3)


def test_a_context_is_small_cannot_be_changed_and_travels_to_another_process():
    context = JobContext("k", 7, 17, 1, 3, 5.0)
    assert not hasattr(context, "__dict__")
    assert pickle.loads(pickle.dumps(context)) == context
    with pytest.raises(AttributeError):
        context.attempt = 2  # type: ignore[misc]
