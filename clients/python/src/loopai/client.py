"""The two clients: one that blocks, one to be awaited."""

from __future__ import annotations

import asyncio
import time
from typing import Any, AsyncIterable, AsyncIterator, Dict, Iterable, Iterator, List, Optional, Union, cast

import httpx

from . import call as calls
from .call import Call, Settings
from .types import Batch, BatchResult, Execution, Feedback, Health


class LoopaiClient:
    """Calls one Loop App.

    >>> spam_detector = LoopaiClient("spam-detector-001")
    >>> spam_detector.execute({"text": "You have won!"})["output"]
    """

    def __init__(
        self,
        loop_app_id: str,
        *,
        base_url: Optional[str] = None,
        token: Optional[str] = None,
        timeout: float = 30.0,
        tries: int = 3,
    ):
        self.loop_app_id = loop_app_id
        self._settings = Settings.of(base_url, token, timeout, tries)
        self._http = httpx.Client(headers=dict(self._settings.headers), timeout=timeout)

    def execute(
        self,
        input_data: Any,
        *,
        version: Union[int, str, None] = None,
        timeout_ms: Optional[int] = None,
        force_validation: Optional[bool] = None,
        client: Optional[str] = None,
        idempotency_key: Optional[str] = None,
    ) -> Execution:
        """Raises ValidationError when the input does not fit, and ExecutionError when the program fails."""
        call = calls.execute(
            self.loop_app_id,
            input_data,
            version=version,
            timeout_ms=timeout_ms,
            force_validation=force_validation,
            client=client,
            idempotency_key=idempotency_key,
        )
        return cast(Execution, self._send(call).json())

    def execute_batch(
        self, inputs: Iterable[Any], *, max_concurrency: Optional[int] = None, stop_on_first_error: bool = False
    ) -> Batch:
        """Answers in the order of the inputs. A failure is a result like any other."""
        call = calls.batch(self.loop_app_id, inputs, max_concurrency, stop_on_first_error)
        return cast(Batch, self._send(call).json())

    def stream(self, inputs: Iterable[Any], *, chunk_size: int = 256) -> Iterator[BatchResult]:
        """Any number of inputs, sent and answered a few hundred at a time, in order."""
        items: List[Dict[str, Any]] = []
        for place, one in enumerate(inputs):
            items.append({"id": place, "input": one})
            if len(items) == chunk_size:
                yield from calls.read_lines(self._send(calls.lines(self.loop_app_id, items)))
                items = []
        if items:
            yield from calls.read_lines(self._send(calls.lines(self.loop_app_id, items)))

    def feedback(self, execution_id: str, expected: Any, *, comment: Optional[str] = None) -> Feedback:
        """Tells what the output should have been."""
        call = calls.feedback(self.loop_app_id, execution_id, expected, comment)
        return cast(Feedback, self._send(call).json())

    def health(self) -> Health:
        return cast(Health, self._send(calls.HEALTH).json())

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> "LoopaiClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, call: Call) -> httpx.Response:
        attempt = 1
        while True:
            response: Optional[httpx.Response] = None
            try:
                url = self._settings.base_url + call.path
                response = self._http.request(call.method, url, content=call.content, headers=dict(call.headers))
                error = self._settings.failure(response)
                if error is None:
                    return response
                if response.status_code not in calls.RETRIED:
                    raise error
            except httpx.TransportError as problem:
                error = self._settings.not_reached(problem)
                error.__cause__ = problem
            if attempt >= self._settings.tries:
                raise error
            time.sleep(calls.wait_before(attempt, response))
            attempt += 1


class AsyncLoopaiClient:
    """Calls one Loop App; every method is to be awaited."""

    def __init__(
        self,
        loop_app_id: str,
        *,
        base_url: Optional[str] = None,
        token: Optional[str] = None,
        timeout: float = 30.0,
        tries: int = 3,
    ):
        self.loop_app_id = loop_app_id
        self._settings = Settings.of(base_url, token, timeout, tries)
        self._http = httpx.AsyncClient(headers=dict(self._settings.headers), timeout=timeout)

    async def execute(
        self,
        input_data: Any,
        *,
        version: Union[int, str, None] = None,
        timeout_ms: Optional[int] = None,
        force_validation: Optional[bool] = None,
        client: Optional[str] = None,
        idempotency_key: Optional[str] = None,
    ) -> Execution:
        """Raises ValidationError when the input does not fit, and ExecutionError when the program fails."""
        call = calls.execute(
            self.loop_app_id,
            input_data,
            version=version,
            timeout_ms=timeout_ms,
            force_validation=force_validation,
            client=client,
            idempotency_key=idempotency_key,
        )
        return cast(Execution, (await self._send(call)).json())

    async def execute_batch(
        self, inputs: Iterable[Any], *, max_concurrency: Optional[int] = None, stop_on_first_error: bool = False
    ) -> Batch:
        """Answers in the order of the inputs. A failure is a result like any other."""
        call = calls.batch(self.loop_app_id, inputs, max_concurrency, stop_on_first_error)
        return cast(Batch, (await self._send(call)).json())

    async def stream(
        self, inputs: Union[Iterable[Any], AsyncIterable[Any]], *, chunk_size: int = 256
    ) -> AsyncIterator[BatchResult]:
        """Any number of inputs, sent and answered a few hundred at a time, in order."""
        items: List[Dict[str, Any]] = []
        place = 0
        async for one in _each(inputs):
            items.append({"id": place, "input": one})
            place += 1
            if len(items) == chunk_size:
                for result in calls.read_lines(await self._send(calls.lines(self.loop_app_id, items))):
                    yield result
                items = []
        if items:
            for result in calls.read_lines(await self._send(calls.lines(self.loop_app_id, items))):
                yield result

    async def feedback(self, execution_id: str, expected: Any, *, comment: Optional[str] = None) -> Feedback:
        """Tells what the output should have been."""
        call = calls.feedback(self.loop_app_id, execution_id, expected, comment)
        return cast(Feedback, (await self._send(call)).json())

    async def health(self) -> Health:
        return cast(Health, (await self._send(calls.HEALTH)).json())

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> "AsyncLoopaiClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _send(self, call: Call) -> httpx.Response:
        attempt = 1
        while True:
            response: Optional[httpx.Response] = None
            try:
                url = self._settings.base_url + call.path
                response = await self._http.request(
                    call.method, url, content=call.content, headers=dict(call.headers)
                )
                error = self._settings.failure(response)
                if error is None:
                    return response
                if response.status_code not in calls.RETRIED:
                    raise error
            except httpx.TransportError as problem:
                error = self._settings.not_reached(problem)
                error.__cause__ = problem
            if attempt >= self._settings.tries:
                raise error
            await asyncio.sleep(calls.wait_before(attempt, response))
            attempt += 1


async def _each(inputs: Union[Iterable[Any], AsyncIterable[Any]]) -> AsyncIterator[Any]:
    if isinstance(inputs, AsyncIterable):
        async for one in inputs:
            yield one
    else:
        for one in inputs:
            yield one
