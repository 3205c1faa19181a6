"""The HTTP face of streams: `POST /collect/<source>`, `GET /health`. Thin over `stream`. Read `make_app`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from pql.diagnostics.suggest import did_you_mean
from pql.ingest.stream import Refusal, Stream

LINES = ("application/x-ndjson", "application/jsonl", "application/json-lines")


def make_app(streams: Mapping[str, Stream]) -> FastAPI:
    """An application for the streams by their source ids. They share one lock: a store has one writer."""
    app = FastAPI(title="PQL ingestion", docs_url=None, redoc_url=None, openapi_url=None)
    lock = threading.Lock()
    for stream in streams.values():
        stream.lock = lock

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "sources": sorted(streams)}

    @app.post("/collect/{source}")
    async def collect(source: str, request: Request) -> JSONResponse:
        stream = streams.get(source)
        if stream is None:
            help = did_you_mean(source, streams)
            return _refused(404, "PQL0830", f"there is no stream `{source[:80]}`" + (f"; {help}" if help else ""))
        try:
            body = await _body(request, stream.bytes_most)
            lines = request.headers.get("content-type", "").split(";")[0].strip().lower() in LINES
            answers, several, counts = await asyncio.to_thread(stream.take, body, lines)
        except Refusal as refusal:
            return _refused(refusal.status, "PQL0831", str(refusal))
        if not several:
            return JSONResponse(answers[0].as_json(), answers[0].status)
        summary = {
            "read": counts.read,
            "stored": counts.stored,
            "duplicates": counts.duplicates,
            "quarantined": counts.quarantined,
        }
        return JSONResponse({"responses": [a.as_json() for a in answers], **summary}, 207)

    return app


async def _body(request: Request, most: int) -> bytes:
    """The body, not read further than its bound."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise Refusal(413, f"more than {most:,} bytes in one call")
        parts.append(part)
    return b"".join(parts)


def _refused(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"status": status, "code": code, "message": message}, status)
