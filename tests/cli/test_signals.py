"""A signal releases what runs, says how to go on, and going on loses and repeats nothing."""

import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.cli.conftest import HANDLERS, line
from tests.cli.demo_handlers import GATE, STARTED

GATED = ("--job-type", "gated", *HANDLERS)
AT_ONCE = {"BATCHANATOR_SHUTDOWN_GRACE_SECONDS": "0"}
IN_BITS = {**AT_ONCE, "BATCHANATOR_MAX_CONCURRENCY_PER_WORKER": "1"}


def wait_until(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.process
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_gives_the_rest_back_and_resume_goes_on(start, command, write, tmp_path, number, code):
    path = write(*(line(f"k{n}") for n in range(20)))
    process = start("process", path.name, *GATED, **IN_BITS)
    wait_until((tmp_path / STARTED).exists, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    (tmp_path / GATE).touch()
    assert "Job 1 processing" in out
    assert "still open" in out
    assert "The same command with --resume 1 goes on with it." in err
    assert "Traceback" not in err
    again = command("process", path.name, *GATED, "--resume", 1)
    assert again.returncode == 0, again.stderr
    assert "Job 1 completed" in again.stdout
    assert command("verify").returncode == 0


@pytest.mark.process
def test_a_second_signal_leaves_at_once(start, write, tmp_path):
    process = start("process", write(line("a")).name, *GATED)
    wait_until((tmp_path / STARTED).exists, process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "once more leaves at once" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


@pytest.mark.process
def test_a_job_can_be_watched_and_read_while_another_process_runs_it(start, command, write, tmp_path):
    process = start("process", write(line("a"), line("b"), line("c")).name, *GATED)
    wait_until((tmp_path / STARTED).exists, process)
    assert "processing" in command("jobs").stdout
    assert command("results", 1, "--status", "unprocessed").stdout.count("\n") == 3
    watching = start("job", 1, "--watch")
    (tmp_path / GATE).touch()
    out, err = watching.communicate(timeout=30)
    assert watching.returncode == 0, err
    assert "Job 1 completed" in out
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.process
def test_a_killed_process_goes_on_with_resume(start, command, write, tmp_path):
    path = write(*(line(f"k{n}") for n in range(6)))
    process = start("process", path.name, *GATED)
    wait_until((tmp_path / STARTED).exists, process)
    process.kill()
    process.communicate()
    (tmp_path / GATE).touch()
    again = command("process", path.name, *GATED, "--resume", 1)
    assert again.returncode == 0, again.stderr
    assert "Job 1 completed" in again.stdout
    assert command("verify").returncode == 0


@pytest.mark.process
def test_serve_is_the_default_and_runs_what_ingest_submits(start, command, write, tmp_path):
    (tmp_path / GATE).touch()
    serving = start(*HANDLERS, "--port", "0")
    try:
        wait_until((tmp_path / "batchanator.db").exists, serving)
        assert command("ingest", write(line("a")).name, *GATED).returncode == 0
        assert command("job", 1, "--watch").returncode == 0
    finally:
        serving.terminate()
        _, err = serving.communicate(timeout=30)
    assert serving.returncode == 0, err
    assert command("verify").returncode == 0


@pytest.mark.process
def test_a_handler_that_does_not_come_back_holds_nobody_up(start, write, tmp_path):
    process = start("process", write(line("a")).name, *GATED, **AT_ONCE)
    wait_until((tmp_path / STARTED).exists, process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "--resume 1" in err
