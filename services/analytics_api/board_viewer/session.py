"""The viewer's way in: a signed cookie that stands for an API key, and never holds it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

COOKIE = "lp_session"
_KEY_NAME_LENGTH = 16  # enough of the digest to name the key, too little to be it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """Signs and checks sessions; without keys every visitor is let in."""

    key_digests: frozenset[str]
    secret: bytes
    lifetime: timedelta

    @property
    def required(self) -> bool:
        """Whether visitors must sign in."""
        return bool(self.key_digests)

    def sign_in(self, key: str, at: datetime) -> str | None:
        """The cookie's value for a good key, else None."""
        digest = hashlib.sha256(key.strip().encode()).hexdigest()
        known = [name for name in self.key_digests if hmac.compare_digest(name.lower(), digest)]
        if not known:
            return None
        text = f"{digest[:_KEY_NAME_LENGTH]}.{int((at + self.lifetime).timestamp())}"
        return f"{text}.{self._signature(text)}"

    def is_valid(self, cookie: str | None, at: datetime) -> bool:
        """Whether a cookie was signed here, has not run out, and its key has not been taken away."""
        if not self.required:
            return True
        name, _, rest = (cookie or "").partition(".")
        until, _, signature = rest.partition(".")
        if not hmac.compare_digest(self._signature(f"{name}.{until}").encode(), signature.encode()):
            return False
        return int(until) > at.timestamp() and any(key.lower().startswith(name) for key in self.key_digests)

    def _signature(self, text: str) -> str:
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()
