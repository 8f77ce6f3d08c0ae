"""`health` asks the process that serves here, at the address that the settings name."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        alive = self.path == "/healthz"
        self.send_response(200 if alive else 503)
        self.end_headers()
        self.wfile.write(b'{"status":"ok"}' if alive else b'{"detail":"no database"}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_it_follows_the_address_of_the_settings(invoke, monkeypatch, server, host):
    monkeypatch.setenv("BATCHANATOR_PORT", str(server.server_port))
    monkeypatch.setenv("BATCHANATOR_HOST", host)
    result = invoke("health")
    assert (result.exit_code, result.stdout) == (0, '{"status":"ok"}\n')


def test_a_process_that_is_not_ready_says_why(invoke, server):
    result = invoke("health", "--ready", "--port", server.server_port)
    assert result.exit_code == 1
    assert "answers 503" in result.stderr
    assert "no database" in result.stderr


def test_where_nobody_answers_it_is_not_healthy(invoke, server):
    server.server_close()
    result = invoke("health", "--port", server.server_port)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: 127.0.0.1:{server.server_port} does not answer")
