"""Runs the shared vectors: reads one a line, prints one result a line. Usage: vectors.py <base url> <token> sync|async"""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

from loopai import AsyncLoopaiClient, LoopaiClient, LoopaiError  # noqa: E402


class Blocking:
    """The blocking client with the surface of the other one, so that the vectors are read once."""

    def __init__(self, *args, **options):
        self.client = LoopaiClient(*args, **options)

    def __getattr__(self, name):
        async def call(*args, **options):
            return getattr(self.client, name)(*args, **options)

        return call

    async def stream(self, inputs, **options):
        for result in self.client.stream(inputs, **options):
            yield result


async def run(vector, client):
    call = vector["call"]
    if call == "execute":
        return await client.execute(vector["input"], **vector.get("options", {}))
    if call == "execute_batch":
        return await client.execute_batch(vector["inputs"])
    if call == "stream":
        return [result async for result in client.stream(vector["inputs"], chunk_size=vector["chunk_size"])]
    if call == "feedback":
        execution_id = vector.get("execution_id") or (await client.execute(vector["input"]))["execution_id"]
        return await client.feedback(execution_id, vector["expected"])
    return await client.health()


def described(error):
    facts = {"error": type(error).__name__, "status": error.status, "code": error.code}
    for name in ("pointers", "kind"):
        if hasattr(error, name):
            facts[name] = getattr(error, name)
    return facts


async def main(base_url, token, mode):
    make = AsyncLoopaiClient if mode == "async" else Blocking
    for line in sys.stdin:
        vector = json.loads(line)
        client = make(
            vector.get("app", "vectors-001"),
            base_url=base_url + vector.get("via", ""),
            token=vector.get("token", token),
            tries=vector.get("tries", 3),
        )
        try:
            result = await run(vector, client)
        except LoopaiError as error:
            result = described(error)
        await client.close()
        print(json.dumps(result), flush=True)


asyncio.run(main(*sys.argv[1:]))
