"""`/health`: that this replica answers. Cheap, because balancers ask often; it touches neither database nor actors."""

from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import JSONResponse

VERSION = version("callboard")


async def health(request: Request) -> JSONResponse:
    """Status and version."""
    return JSONResponse({"status": "ok", "version": VERSION}, headers={"Cache-Control": "no-store"})
