"""What people are told when a sign-in fails: what happened and what to do, in English and Japanese."""

from dataclasses import dataclass

from flask import Request, Response

from nanoka import pages
from nanoka.database import DatabaseUnavailableError
from nanoka.oidc import ProviderError, RefusedError, UnverifiedEmailError
from nanoka.pages import Words
from nanoka.problems import Problem

AGAIN = "/api/auth/login"


@dataclass(frozen=True)
class Failure:
    status: int
    words: dict[str, Words]

    def answer(self, request: Request, *, page: bool = True) -> Response:
        """A page, or a problem for a client that asks for one; `page` decides for those who take both alike."""
        if pages.wants_page(request, unless_said=page):
            response = pages.page(request, self.status, self.words, AGAIN)
        else:
            response = Problem(self.status, self.words["en"].text).response()
        if self.status == 503:
            response.headers["Retry-After"] = "2"
        return response


CANCELLED = Failure(
    400,
    {
        "en": Words("You have not signed in", "You stopped the sign-in. You can start again at any time.", "Sign in"),
        "ja": Words("ログインしていません", "ログインを中止しました。いつでもやり直せます。", "ログインする"),
    },
)
OUTDATED = Failure(
    400,
    {
        "en": Words(
            "This sign-in no longer counts",
            "It took longer than ten minutes, was used before, or began in another browser. Please sign in again here.",
            "Sign in again",
        ),
        "ja": Words(
            "このログインは無効になりました",
            "10分以上経過したか、すでに使用されたか、別のブラウザーで始められたものです。ここでもう一度ログインしてください。",
            "もう一度ログインする",
        ),
    },
)
REFUSED = Failure(
    400,
    {
        "en": Words(
            "We could not sign you in",
            "The sign-in service's answer did not pass our checks, so nobody was signed in. Please try again. "
            "If it happens again, wait a little, or try another browser.",
            "Try again",
        ),
        "ja": Words(
            "ログインできませんでした",
            "ログインサービスの応答を確認できなかったため、ログインしていません。もう一度お試しください。"
            "繰り返し起こる場合は、しばらく待つか、別のブラウザーでお試しください。",
            "もう一度試す",
        ),
    },
)
UNVERIFIED = Failure(
    403,
    {
        "en": Words(
            "Your e-mail address is not verified",
            "Please confirm your e-mail address in your account's settings with the sign-in service, or sign in with "
            "another account.",
            "Sign in again",
        ),
        "ja": Words(
            "メールアドレスが確認されていません",
            "ログインサービスのアカウント設定でメールアドレスを確認するか、別のアカウントでログインしてください。",
            "もう一度ログインする",
        ),
    },
)
UNREACHABLE = Failure(
    502,
    {
        "en": Words(
            "The sign-in service does not answer",
            "It cannot be reached right now, or did not answer as it should. Please try again in a few minutes.",
            "Try again",
        ),
        "ja": Words(
            "ログインサービスが応答しません",
            "現在接続できないか、正しく応答していません。数分後にもう一度お試しください。",
            "もう一度試す",
        ),
    },
)
BUSY = Failure(
    503,
    {
        "en": Words(
            "Nanoka is not ready", "Our database cannot be reached. Please try again in a moment.", "Try again"
        ),
        "ja": Words(
            "準備ができていません",
            "データベースに接続できません。少し待ってからもう一度お試しください。",
            "もう一度試す",
        ),
    },
)


def of(error: RefusedError | ProviderError | DatabaseUnavailableError) -> Failure:
    """How what stopped a sign-in is told."""
    if isinstance(error, UnverifiedEmailError):
        return UNVERIFIED
    if isinstance(error, RefusedError):
        return REFUSED
    return UNREACHABLE if isinstance(error, ProviderError) else BUSY
