"""The viewer's pages and the queries behind them, under /boards."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from analytics_api.board_viewer.board_files import Board
from analytics_api.board_viewer.macros import BoardQueryError
from analytics_api.board_viewer.queries import (
    Choice,
    PanelAnswer,
    answer_panels,
    resolve_variables,
)
from analytics_api.board_viewer.session import COOKIE
from analytics_api.board_viewer.static_files import StaticFile
from analytics_api.board_viewer.store import BoardsAwayError
from analytics_api.board_viewer.time_range import parse_range
from analytics_api.board_viewer.viewer import HOME, BoardViewer

router = APIRouter(prefix="/boards", include_in_schema=False)

_FORM_BYTES_MAX = 2_000
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class BoardQuestion(BaseModel):
    """What the page asks at each refresh; SQL is not among it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    panels: list[int] = Field(default_factory=list, max_length=200)
    variables: dict[str, list[str]] = Field(default_factory=dict, max_length=50)
    from_: str = Field(alias="from", max_length=30)
    to: str = Field(max_length=30)


def the_viewer(request: Request) -> BoardViewer:
    """The viewer that the app's lifespan opened."""
    viewer: BoardViewer = request.app.state.board_viewer
    return viewer


Viewer = Annotated[BoardViewer, Depends(the_viewer)]


def signed_in(request: Request, viewer: Viewer) -> BoardViewer:
    """The viewer, for those who may look; 401 for others."""
    if not viewer.sessions.is_valid(request.cookies.get(COOKIE), viewer.clock()):
        raise HTTPException(status_code=401, detail="sign in first")
    return viewer


SignedIn = Annotated[BoardViewer, Depends(signed_in)]


@router.get("/static/{path:path}")
async def static_file(path: str, request: Request, viewer: Viewer) -> Response:
    """A file of the page."""
    return _send(_file(viewer, path), request)


@router.get("/sign-in")
async def sign_in_page(request: Request, viewer: Viewer) -> Response:
    """The form that takes an API key."""
    return _send(_file(viewer, "sign-in.html"), request)


@router.post("/sign-in")
async def sign_in(request: Request, viewer: Viewer) -> Response:
    """Trade a good key for a session; a bad one leads back to the form."""
    key = _form_field(await request.body(), "key")
    cookie = viewer.sessions.sign_in(key, viewer.clock())
    if cookie is None:
        return RedirectResponse("/boards/sign-in?refused", status_code=303)
    answer = RedirectResponse("/boards", status_code=303)
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=int(viewer.sessions.lifetime / timedelta(seconds=1)),
        path="/boards",
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )
    return answer


@router.post("/sign-out")
async def sign_out() -> Response:
    """End the session in this browser."""
    answer = RedirectResponse("/boards/sign-in", status_code=303)
    answer.delete_cookie(COOKIE, path="/boards")
    return answer


@router.get("/api/boards")
async def list_boards(viewer: SignedIn) -> dict[str, Any]:
    """All boards: home first, those of a single thing last."""
    boards = sorted(viewer.boards.values(), key=_place)
    items = [{"uid": board.uid, "title": board.title, "tags": board.tags} for board in boards]
    return {"home": HOME, "boards": items, "sign_out": viewer.sessions.required}


@router.get("/api/boards/{uid}")
async def show_board(uid: str, viewer: SignedIn) -> dict[str, Any]:
    """The board file as Grafana reads it."""
    return _board(viewer, uid).document


@router.post("/api/boards/{uid}/query")
async def query_board(uid: str, question: BoardQuestion, viewer: SignedIn) -> Response:
    """The controls as they can be set, and the asked panels' rows."""
    board = _board(viewer, uid)
    now = viewer.clock()
    try:
        time = parse_range(question.from_, question.to, now)
        choices = await resolve_variables(board, question.variables, time, viewer.source)
        answers = await answer_panels(board, question.panels, choices, time, viewer.source)
    except BoardQueryError as error:
        raise HTTPException(status_code=400, detail=str(error)) from error
    except BoardsAwayError as error:
        raise HTTPException(
            status_code=503, detail="the database does not answer", headers={"Retry-After": "5"}
        ) from error
    body = {
        "at": round(now.timestamp() * 1000),
        "from": round(time.from_at.timestamp() * 1000),
        "to": round(time.to_at.timestamp() * 1000),
        "variables": [_choice(choice) for choice in choices.values()],
        "panels": {str(panel_id): _answer(answer) for panel_id, answer in answers.items()},
    }
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


@router.get("")
@router.get("/{uid}")
async def board_page(request: Request, viewer: Viewer, uid: str = HOME) -> Response:
    """The page; it finds its board in the address."""
    if uid not in viewer.boards:
        raise HTTPException(status_code=404, detail=f"there is no board {uid}")
    if not viewer.sessions.is_valid(request.cookies.get(COOKIE), viewer.clock()):
        return RedirectResponse("/boards/sign-in", status_code=303)
    return _send(_file(viewer, "index.html"), request)


def _place(board: Board) -> tuple[bool, bool, str]:
    return board.uid != HOME, "loan" in board.tags, board.title


def _form_field(body: bytes, name: str) -> str:
    if len(body) > _FORM_BYTES_MAX:
        raise HTTPException(status_code=413, detail="that is no key")
    return parse_qs(body.decode("utf-8", "replace")).get(name, [""])[0]


def _board(viewer: BoardViewer, uid: str) -> Board:
    board = viewer.boards.get(uid)
    if board is None:
        raise HTTPException(status_code=404, detail=f"there is no board {uid}")
    return board


def _file(viewer: BoardViewer, path: str) -> StaticFile:
    file = viewer.files.get(path)
    if file is None:
        raise HTTPException(status_code=404, detail="no such file")
    return file


def _send(file: StaticFile, request: Request) -> Response:
    headers = _HEADERS | {"ETag": file.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.compressed, media_type=file.media_type, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "name": choice.variable.name,
        "options": choice.options,
        "chosen": choice.chosen,
    }


def _answer(answer: PanelAnswer) -> dict[str, Any]:
    if answer.error is not None:
        return {"error": answer.error}
    frames = [
        {"refId": ref_id, "columns": frame.columns, "rows": frame.rows}
        for ref_id, frame in answer.frames.items()
    ]
    return {"frames": frames}
