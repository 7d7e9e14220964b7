"""login: sign-in with an OpenID provider, the session, and the account."""

from flask import Request, Response

from login import failures
from nanoka import attempts, logs, sessions, users
from nanoka.database import Database, DatabaseUnavailableError
from nanoka.oidc import Provider, ProviderError, RefusedError
from nanoka.routing import Router, json_response, no_content, origin_of, redirect
from nanoka.settings import DatabaseSettings, SignInSettings, WebSettings

CALLBACK = "/api/auth/callback"

web = WebSettings.read()
provider = Provider(SignInSettings.read(), web.public_url + CALLBACK)
database = Database(DatabaseSettings.read(), name="login")
router = Router(origin_of(web.public_url))


def login(request: Request) -> Response:
    return router(request)


@router.route("GET", "/api/auth/login")
def sign_in(request: Request) -> Response:
    attempt = attempts.begin(request.args.get("next", "/"))
    try:
        address = provider.authorization_url(state=attempt.state, nonce=attempt.nonce, verifier=attempt.verifier)
    except ProviderError as error:
        logs.exception("provider failed")
        return failures.of(error).answer(request, page=False)
    response = redirect(address)
    attempts.remember(attempt, request, response)
    return response


@router.route("GET", CALLBACK)
def finish_sign_in(request: Request) -> Response:
    attempt = attempts.recall(request.args.get("state", ""), request)
    if attempt is None:
        logs.warning("sign-in refused", check="state")
        return failures.OUTDATED.answer(request)
    try:
        response = _finish(request, attempt)
    except RefusedError as error:
        logs.warning("sign-in refused", check=error.check)
        response = failures.of(error).answer(request)
    except (ProviderError, DatabaseUnavailableError) as error:
        logs.exception("sign-in failed")
        response = failures.of(error).answer(request)
    attempts.forget(attempt, response)
    return response


def _finish(request: Request, attempt: attempts.Attempt) -> Response:
    """Begin a session of whom the provider names, in place of the one that the browser may have."""
    if not attempts.finish(attempt, database):
        return failures.OUTDATED.answer(request)
    if request.args.get("error") == "access_denied":
        return failures.CANCELLED.answer(request)
    if request.args.get("iss", provider.settings.issuer) != provider.settings.issuer:
        raise RefusedError("iss")  # RFC 9207
    if "code" not in request.args:
        raise RefusedError("error")
    identity = provider.identify(request.args["code"], nonce=attempt.nonce, verifier=attempt.verifier)
    old = request.cookies.get(sessions.COOKIE)
    token = database.transaction(
        lambda connection: sessions.renew(connection, users.welcome(connection, identity), old), retry=True
    )
    response = redirect(attempt.next)
    sessions.set_cookie(response, token)
    return response


@router.route("GET", "/api/auth/me")
def get_user(request: Request) -> Response:
    user = sessions.require_user(database, request)
    return json_response({"id": str(user.id), "email": user.email, "name": user.name, "picture": user.picture})


@router.route("DELETE", "/api/auth/me")
def delete_user(request: Request) -> Response:
    users.delete(database, sessions.require_user(database, request).id)
    return _signed_out()


@router.route("POST", "/api/auth/logout")
def sign_out(request: Request) -> Response:
    sessions.require_user(database, request)
    sessions.delete(database, request.cookies[sessions.COOKIE])
    return _signed_out()


def _signed_out() -> Response:
    response = no_content()
    sessions.clear_cookie(response)
    return response
