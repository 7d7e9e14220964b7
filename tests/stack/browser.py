"""A person's browser without a window: follows redirects from site to site, with the cookies of each."""

from __future__ import annotations

import http.cookies
import re

import httpx


class Browser:
    """Cookies by site, Secure ones on localhost included."""

    def __init__(self) -> None:
        self._jars: dict[str, dict[str, str]] = {}

    def cookies(self, url: str) -> str:
        """What a request to this address would send as its Cookie header."""
        jar = self._jars.setdefault(httpx.URL(url).netloc.decode(), {})
        return "; ".join(f"{name}={value}" for name, value in jar.items())

    def open(self, url: str, data: dict[str, str] | None = None) -> httpx.Response:
        """The page at an address, or the one after a form was posted there. Raises httpx.HTTPError."""
        method = "GET" if data is None else "POST"
        for _ in range(10):
            answer = httpx.request(method, url, data=data, headers={"Cookie": self.cookies(url)})
            for line in answer.headers.get_list("set-cookie"):
                for name, morsel in http.cookies.SimpleCookie(line).items():
                    self._jars[httpx.URL(url).netloc.decode()][name] = morsel.value
            if not answer.is_redirect:
                return answer
            url, method, data = str(answer.url.join(answer.headers["location"])), "GET", None
        raise httpx.TooManyRedirects(f"no end of redirects at {url}")

    def sign_in(self, site: str, person: str, *, then: str = "/") -> httpx.Response:
        """Sign in at the local provider as one of its people, `alice` or `bob`; the page `then` of our site."""
        form = self.open(f"{site}/api/auth/login?next={then}")
        (address,) = re.findall('<form method="post" action="(/[^"]+)">', form.text)
        return self.open(str(form.url.join(address)), {"sub": person})
