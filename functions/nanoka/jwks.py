"""The keys with which an OpenID provider signs (JSON Web Key Set, RFC 7517), cached, following their rotation."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from nanoka.fetch import FetchError

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

T = TypeVar("T")

MAX_AGE = 3600.0
"""Seconds for which keys are used before they are asked for again: a withdrawn one is of no use for longer."""
REFETCH_EVERY = 30.0
"""Seconds between two questions for keys because of an unknown `kid`: a forged token must not make us a flood."""

SigningKey: TypeAlias = "RSAKey | ECKey"


class Cached(Generic[T]):
    """What `load` gives, for `MAX_AGE` seconds; for longer if it fails then, as old is better than none."""

    def __init__(self, load: Callable[[], T], clock: Callable[[], float]) -> None:
        self._load = load
        self._clock = clock
        self._kept: tuple[T, float] | None = None

    def get(self) -> T:
        """The value. Raises whatever `load` raises while there is none."""
        kept = self._kept  # two threads may load at once: that does no harm, waiting for a slow provider would
        if kept is not None and self._clock() < kept[1] + MAX_AGE:
            return kept[0]
        try:
            return self.renew()
        except FetchError:
            if kept is None:
                raise
            return kept[0]

    def renew(self) -> T:
        value = self._load()
        self._kept = (value, self._clock())
        return value


class KeySet:
    """A provider's signing keys by their `kid`.

    Args:
        load: fetches the set (`{"keys": […]}`); raises FetchError.
        clock: seconds that only grow.
    """

    def __init__(self, load: Callable[[], dict[str, Any]], clock: Callable[[], float] = time.monotonic) -> None:
        self._cached = Cached(lambda: signing_keys(load()), clock)
        self._clock = clock
        self._lock = threading.Lock()
        self._refetched_at = -REFETCH_EVERY

    def find(self, kid: str | None) -> "SigningKey | None":
        """The key named `kid`, or the only one there is for a token that names none (OpenID Connect Core 10.1)."""
        keys = self._cached.get()
        if kid is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        if kid not in keys and self._may_refetch():
            keys = self._cached.renew()
        return keys.get(kid)

    def _may_refetch(self) -> bool:
        with self._lock:
            if self._clock() < self._refetched_at + REFETCH_EVERY:
                return False
            self._refetched_at = self._clock()
            return True


def signing_keys(key_set: dict[str, Any]) -> dict[str, SigningKey]:
    """The public keys of a set that may sign; others, and what cannot be read, are left out (RFC 7517, 5)."""
    from joserfc.errors import JoseError  # noqa: PLC0415 - 57 ms that only a sign-in needs, not a cold start
    from joserfc.jwk import ECKey, RSAKey  # noqa: PLC0415

    keys: dict[str, SigningKey] = {}
    members = key_set.get("keys")
    for member in members if isinstance(members, list) else []:
        if not isinstance(member, dict) or member.get("kty") not in ("RSA", "EC") or member.get("use", "sig") != "sig":
            continue
        try:
            key = (RSAKey if member["kty"] == "RSA" else ECKey).import_key(member)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        keys[str(member.get("kid", ""))] = key
    return keys
