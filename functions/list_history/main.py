"""list-history: a person's conversations of the last seven days."""

from flask import Request, Response

from nanoka import export, history
from nanoka.database import Database
from nanoka.problems import Problem, unknown_conversation
from nanoka.routing import Router, identifier, json_object, no_content, origin_of, storable
from nanoka.sessions import User, require_user
from nanoka.settings import DatabaseSettings, WebSettings

LONGEST_TITLE = 200
LARGEST_PAGE = 100

database = Database(DatabaseSettings.read(), name="list-history")
router = Router(origin_of(WebSettings.read().public_url))


def list_history(request: Request) -> Response:
    return router(request)


@router.route("GET", "/api/conversations")
def list_conversations(request: Request) -> Response:
    user = require_user(database, request)
    limit, q = request.args.get("limit", "30"), request.args.get("q", "")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 9 and 1 <= int(limit) <= LARGEST_PAGE):
        raise Problem(422, f"limit must be a whole number from 1 to {LARGEST_PAGE}.", field="limit")
    if not storable(q):
        raise Problem(422, "q holds a character that no text can hold.", field="q")
    try:
        after = history.Cursor.parse(request.args["cursor"]) if request.args.get("cursor") else None
    except history.CursorError:
        raise Problem(422, "cursor must be the next_cursor of the page before.", field="cursor") from None
    return _json(history.page(database, user.id, limit=int(limit), after=after, q=q))


@router.route("DELETE", "/api/conversations")
def delete_conversations(request: Request) -> Response:
    history.delete_all(database, require_user(database, request).id)
    return no_content()


@router.route("GET", "/api/conversations/<id>")
def get_conversation(request: Request, id: str) -> Response:  # noqa: A002 - the contract's name
    return _json(_detail(require_user(database, request), id))


@router.route("PATCH", "/api/conversations/<id>")
def rename_conversation(request: Request, id: str) -> Response:  # noqa: A002
    user = require_user(database, request)
    conversation_id = identifier(id, "id")
    title = json_object(request).get("title")
    if not isinstance(title, str) or not title.strip() or len(title) > LONGEST_TITLE or not storable(title):
        raise Problem(422, f"title must be a text of 1 to {LONGEST_TITLE} characters, not all spaces.", field="title")
    renamed = history.rename(database, user.id, conversation_id, title)
    if renamed is None:
        raise unknown_conversation()
    return _json(renamed)


@router.route("DELETE", "/api/conversations/<id>")
def delete_conversation(request: Request, id: str) -> Response:  # noqa: A002
    user = require_user(database, request)
    if not history.delete(database, user.id, identifier(id, "id")):
        raise unknown_conversation()
    return no_content()


@router.route("GET", "/api/conversations/<id>/export")
def export_conversation(request: Request, id: str) -> Response:  # noqa: A002
    user = require_user(database, request)
    chosen = request.args.get("format", "markdown")
    if chosen not in ("markdown", "json"):
        raise Problem(422, "format must be markdown or json.", field="format")
    conversation = _detail(user, id)
    if chosen == "json":
        response, ending = _json(conversation), "json"
    else:
        response = Response(export.markdown(conversation), content_type="text/markdown; charset=utf-8")
        ending = "md"
    name = export.file_name(export.title_of(conversation), ending)
    response.headers["Content-Disposition"] = export.content_disposition(name)
    return response


def _detail(user: User, text: str) -> str:
    conversation = history.detail(database, user.id, identifier(text, "id"))
    if conversation is None:
        raise unknown_conversation()
    return conversation


def _json(body: str) -> Response:
    return Response(body, content_type="application/json")
