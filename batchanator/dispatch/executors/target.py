"""The address that runs handlers for us: one HTTP session, and what is known of whether it is there."""

import asyncio
import random
from collections.abc import Callable
from time import monotonic
from typing import Literal, assert_never

import structlog
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    TCPConnector,
)

from batchanator.dispatch.executor import UnansweredError
from batchanator.dispatch.executors.messages import wait_asked_for
from batchanator.domain import circuit as circuits
from batchanator.domain.circuit import CLOSED, Circuit, CircuitPolicy
from batchanator.domain.outcomes import Failed
from batchanator.domain.tracing import NO_SPANS, Spans

CONNECT_SECONDS = 5.0
KEEPALIVE_SECONDS = (
    15.0  # shorter than a server's, so that no request meets a connection that is being closed
)
ANSWER_TOO_LARGE = "answer_too_large"
_NOBODY_THERE = frozenset({401, 403, 404, 405, 407, 421, 501})
_NOT_NOW = frozenset({429, 503})
_GATEWAY = frozenset({408, 502, 504})
_log = structlog.get_logger("batchanator.dispatch")


class Target:
    """Sends requests while the circuits are closed: one for the address, one for each job type.

    A job type that the target does not know is away by itself; the others go on.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int,
        key: str | None,
        max_answer_bytes: int,
        policy: CircuitPolicy | None = None,
        jitter: Callable[[], float] = random.random,
        spans: Spans = NO_SPANS,
    ) -> None:
        self.url = url
        self._connections = connections
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._max_answer_bytes = max_answer_bytes
        self._policy = policy or CircuitPolicy()
        self._jitter = jitter
        self._spans = spans
        self._session: ClientSession | None = None
        self._circuit: Circuit = CLOSED
        self._types: dict[str, Circuit] = {}
        self._reason = ""

    def open(self) -> None:
        self._session = ClientSession(
            connector=TCPConnector(limit=self._connections, keepalive_timeout=KEEPALIVE_SECONDS),
            timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),  # the rest is the attempt's
            cookie_jar=DummyCookieJar(),
            headers=self._headers,
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def accepts(self, job_type: str) -> bool:
        now = monotonic()
        return circuits.admits(self._circuit, now) and circuits.admits(self._type(job_type), now)

    @property
    def state(self) -> Literal["closed", "open", "trying"]:
        match self._circuit:
            case circuits.Closed():
                return "closed"
            case circuits.Open():
                return "open"
            case circuits.Trying():
                return "trying"
            case _:
                assert_never(self._circuit)

    def describe(self) -> str:
        """Return in a few words whether the target is there, for readiness."""
        if isinstance(self._circuit, circuits.Open):
            wait = max(self._circuit.until - monotonic(), 0.0)
            return f"{self.url} is away ({self._reason}); it is tried again in {wait:.1f} s"
        if isinstance(self._circuit, circuits.Trying):
            return f"{self.url} was away ({self._reason}); it is being tried"
        unknown = ", ".join(sorted(self._types))
        return f"{self.url} has no handler for {unknown}" if unknown else self.url

    async def post(self, path: str, job_type: str, body: bytes) -> bytes | Failed:
        """Send a request and return the body of its answer, or the failure that an answer without one stands for.

        Raises:
            UnansweredError: the target is away or wants to be left alone, or its reply was lost.
        """
        if not self.accepts(job_type):
            raise UnansweredError(f"{self.url} is away", may_have_run=False)
        self._circuit = circuits.sent(self._circuit)
        if job_type in self._types:
            self._types[job_type] = circuits.sent(self._types[job_type])
        assert self._session is not None
        try:
            async with self._session.post(
                self.url + path, data=body, headers=self._spans.headers(), allow_redirects=False
            ) as response:
                answer = await self._read(response)
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise self._away(_words(error), certain=True, may_have_run=False) from error
        except (ClientError, OSError) as error:
            raise self._away(
                f"a reply was lost, {_words(error)}", certain=False, may_have_run=True
            ) from error
        except asyncio.CancelledError:
            self._circuit = circuits.dropped(self._circuit, monotonic())
            raise
        finally:
            if job_type in self._types:
                self._types[job_type] = circuits.dropped(self._types[job_type], monotonic())
        if isinstance(self._circuit, circuits.Trying):
            _log.info("target.back", url=self.url)
        self._circuit = circuits.answered(self._circuit)
        return answer

    def knows(self, job_type: str) -> None:
        """Take note that the target has answered for a job type."""
        if job_type in self._types:
            _log.info("target.knows_job_type", url=self.url, job_type=job_type)
            del self._types[job_type]

    def unknown(self, job_type: str) -> UnansweredError:
        """Take note that the target has no handler for a job type; raise what this returns."""
        before = self._type(job_type)
        self._types[job_type] = circuits.failed(
            circuits.sent(before), self._policy, now=monotonic(), jitter=self._jitter(), certain=True
        )
        if before == CLOSED:
            _log.warning("target.unknown_job_type", url=self.url, job_type=job_type)
        return UnansweredError(f"{self.url} has no handler for {job_type}", may_have_run=False)

    async def _read(self, response: ClientResponse) -> bytes | Failed:
        status = response.status
        if status in _NOT_NOW:
            wait = wait_asked_for(response.headers)
            raise self._away(f"it answered {status}", certain=True, may_have_run=False, wait=wait)
        if status in _NOBODY_THERE or 300 <= status < 400:
            raise self._away(f"it answered {status}", certain=True, may_have_run=False)
        if status in _GATEWAY:
            raise self._away(f"it answered {status}", certain=False, may_have_run=True)
        if not 200 <= status < 300:
            return Failed(f"the target answered {status}", f"http_{status}")
        content = response.content
        if content.is_eof() and content.exception() is None:  # all of it came with the headers
            body = content.read_nowait()
            return body if len(body) <= self._max_answer_bytes else self._too_large()
        parts: list[bytes] = []
        size = 0
        while part := await content.readany():
            size += len(part)
            if size > self._max_answer_bytes:
                response.close()
                return self._too_large()
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _too_large(self) -> Failed:
        return Failed(f"an answer of more than {self._max_answer_bytes} bytes", ANSWER_TOO_LARGE)

    def _type(self, job_type: str) -> Circuit:
        return self._types.get(job_type, CLOSED)

    def _away(
        self, reason: str, *, certain: bool, may_have_run: bool, wait: float | None = None
    ) -> UnansweredError:
        before = self._circuit
        self._circuit = circuits.failed(
            before, self._policy, now=monotonic(), jitter=self._jitter(), certain=certain, wait=wait
        )
        self._reason = reason
        if isinstance(self._circuit, circuits.Open) and self._circuit is not before:
            seconds = round(self._circuit.until - monotonic(), 3)
            _log.warning("target.away", url=self.url, reason=reason, next_try_seconds=seconds)
        return UnansweredError(f"{self.url}: {reason}", may_have_run=may_have_run)


def _words(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
