"""A failure as a page, for people who meet it on their way through a link or a redirect.

It needs no script and no file, so that the strictest Content-Security-Policy lets it through.
"""

from dataclasses import dataclass
from html import escape

from flask import Request, Response

HOME = {"en": "Back to Nanoka", "ja": "Nanoka に戻る"}

PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>{title} · Nanoka</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.7 system-ui, sans-serif; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; }}
main {{ max-width: 32rem; padding: 1.5rem; }}
h1 {{ font-size: 1.375rem; line-height: 1.4; }}
a {{ color: inherit; display: inline-block; padding: .625rem 1rem .625rem 0; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{text}</p>
<p>{links}</p>
</main>
</body>
</html>
"""


@dataclass(frozen=True)
class Words:
    """What a page says in one language: what happened, what to do, and the link's text to do it."""

    title: str
    text: str
    action: str


def page(request: Request, status: int, words: dict[str, Words], address: str) -> Response:
    """A page in the reader's language; `address` is where its first link leads, its second leads home."""
    language = request.accept_languages.best_match(list(words), default="en")
    said = words[language]
    links = f'<a href="{escape(address)}">{escape(said.action)}</a> <a href="/">{escape(HOME[language])}</a>'
    body = PAGE.format(language=language, title=escape(said.title), text=escape(said.text), links=links)
    return Response(body, status, {"Content-Language": language}, content_type="text/html; charset=utf-8")


def wants_page(request: Request, *, unless_said: bool) -> bool:
    """Whether to answer with a page instead of a problem; `unless_said` decides for those who take both alike."""
    accepted = request.accept_mimetypes
    if not accepted:
        return unless_said
    html, problem = accepted["text/html"], max(accepted["application/problem+json"], accepted["application/json"])
    return unless_said if html == problem else html > problem
