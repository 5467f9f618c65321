"""What both clients send, and how they take what comes back."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Optional, Union
from urllib.parse import quote

import httpx

from .errors import ConnectionError, LoopaiError, error_of

RETRIED = {429, 502, 503, 504}
LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    content: Optional[bytes] = None
    headers: Mapping[str, str] = field(default_factory=dict)


def execute(
    loop_app_id: str,
    input_data: Any,
    *,
    version: Union[int, str, None],
    timeout_ms: Optional[int],
    force_validation: Optional[bool],
    client: Optional[str],
    idempotency_key: Optional[str],
) -> Call:
    body = {
        "input": input_data,
        "version": version,
        "timeout_ms": timeout_ms,
        "force_validation": force_validation,
        "client": client,
    }
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    return post(loop_app_id, "execute", body, headers)


def batch(
    loop_app_id: str, inputs: Iterable[Any], max_concurrency: Optional[int], stop_on_first_error: bool
) -> Call:
    body = {
        "items": [{"id": place, "input": one} for place, one in enumerate(inputs)],
        "max_concurrency": max_concurrency,
        "stop_on_first_error": stop_on_first_error,
    }
    return post(loop_app_id, "execute-batch", body)


def lines(loop_app_id: str, items: List[Dict[str, Any]]) -> Call:
    content = b"".join(encode(item) + b"\n" for item in items)
    headers = {"Content-Type": "application/x-ndjson"}
    return Call("POST", path_of(loop_app_id, "execute-batch"), content, headers)


def feedback(loop_app_id: str, execution_id: str, expected: Any, comment: Optional[str]) -> Call:
    body = {"execution_id": execution_id, "expected": expected, "comment": comment}
    return post(loop_app_id, "feedback", body)


HEALTH = Call("GET", "/healthz")


def post(loop_app_id: str, verb: str, body: Dict[str, Any], headers: Optional[Dict[str, str]] = None) -> Call:
    # What was not given is left out; only an input and an expected output may be null.
    given = {name: value for name, value in body.items() if value is not None or name in ("input", "expected")}
    return Call(
        "POST",
        path_of(loop_app_id, verb),
        encode(given),
        {"Content-Type": "application/json", **(headers or {})},
    )


def path_of(loop_app_id: str, verb: str) -> str:
    return f"/loop-apps/{quote(loop_app_id, safe='')}/{verb}"


def encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def read_lines(response: httpx.Response) -> List[Any]:
    # Not splitlines(): it takes other characters for the end of a line, too.
    return [json.loads(line) for line in response.content.split(b"\n") if line]


@dataclass(frozen=True)
class Settings:
    """Where the server is, and how patient a client is."""

    base_url: str
    headers: Mapping[str, str]
    timeout: float
    tries: int

    @staticmethod
    def of(base_url: Optional[str], token: Optional[str], timeout: float, tries: int) -> "Settings":
        url = base_url or os.environ.get("LOOPAI_URL") or "http://127.0.0.1:8080"
        token = token or os.environ.get("LOOPAI_TOKEN")
        return Settings(
            url.rstrip("/"),
            {"Authorization": f"Bearer {token}"} if token else {},
            timeout,
            tries,
        )

    def not_reached(self, error: httpx.TransportError) -> ConnectionError:
        return ConnectionError(f"{self.base_url} does not answer: {error}")

    def failure(self, response: httpx.Response) -> Optional[LoopaiError]:
        return None if response.is_success else error_of(response.status_code, problem_of(response))


def problem_of(response: httpx.Response) -> Dict[str, Any]:
    try:
        problem = response.json()
    except ValueError:
        # A proxy on the way answers in its own words.
        return {}
    return problem if isinstance(problem, dict) else {}


def wait_before(attempt: int, response: Optional[httpx.Response]) -> float:
    """Seconds before the next try: what the server asks for, else twice as long each time, and never the same."""
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    if asked.isdigit():
        return min(float(asked), LONGEST_WAIT)
    return min(10.0, 0.5 * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)
