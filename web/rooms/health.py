"""Is the daemon up? For the machine that watches it: yes or no, and which version; nothing about anybody."""

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

router = APIRouter()


@router.get("/health")
def health(request: Request) -> JSONResponse:
    """200 while the books can be read, else 503."""
    try:
        with request.app.state.office.database.reading() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return JSONResponse({"ok": False, "version": _version()}, status_code=503)
    return JSONResponse({"ok": True, "version": _version()})


def _version() -> str:
    try:
        return version("arrears")
    except PackageNotFoundError:
        return "unknown"
