"""Signed webhooks out (Standard Webhooks), to public addresses only unless private ones are allowed."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from standardwebhooks import Webhook

HTTP_GONE = 410
HTTP_TOO_MANY = 429
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class DeliveryError(Exception):
    """The receiver did not take the message; it is sent again."""

    def __init__(self, reason: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class ReceiverGoneError(DeliveryError):
    """The receiver wants no more messages; this one is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where webhooks go and how they are signed."""

    url: str
    secrets: Sequence[str]  # every one signs: receivers may still know the previous one only
    allow_private: bool = False


class WebhookClient:
    """Posts signed messages; raises DeliveryError unless the answer is 2xx."""

    def __init__(self, endpoint: Endpoint, client: httpx.AsyncClient) -> None:
        self._endpoint = endpoint
        self._client = client
        self._signers = [Webhook(secret) for secret in endpoint.secrets]

    async def send(self, message_id: str, body: str, now: datetime) -> None:
        """Send one message; the id is the same at every attempt, the signature is of this one."""
        url = httpx.URL(self._endpoint.url)
        if url.scheme != "https" and not self._endpoint.allow_private:
            raise DeliveryError("only https is allowed")
        address = await self._address(url)
        # The checked address itself is called, so that a second answer of the name server changes nothing.
        request = self._client.build_request(
            "POST",
            url.copy_with(host=address),
            content=body.encode(),
            headers={"Host": url.netloc.decode(), **self._headers(message_id, body, now)},
            extensions={"sni_hostname": url.host},
        )
        try:
            response = await self._client.send(request, stream=True)
            await response.aclose()  # what the receiver says beside the status does not concern us
        except httpx.HTTPError as error:
            raise DeliveryError(f"{type(error).__name__}: {error}") from error
        _check(response)

    def _headers(self, message_id: str, body: str, now: datetime) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": "loanpulse",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signer.sign(message_id, now, body) for signer in self._signers),
        }

    async def _address(self, url: httpx.URL) -> str:
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise DeliveryError(f"{url.host} is not known: {error}") from error
        addresses = [str(entry[4][0]) for entry in found]
        if not self._endpoint.allow_private and not all(is_public(address) for address in addresses):
            raise DeliveryError(f"{url.host} has a private address")
        return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet, and hides no other one inside."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        wraps = parsed.ipv4_mapped or parsed.sixtofour or parsed.teredo or parsed in _NAT64
        if wraps:
            return False
    return parsed.is_global and not parsed.is_multicast


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    reason = f"answered {response.status_code}"
    if response.status_code == HTTP_GONE:
        raise ReceiverGoneError(reason)
    wait = response.headers.get("Retry-After", "")
    retry_after = timedelta(seconds=int(wait)) if wait.isdecimal() and len(wait) < len("1000000") else None
    raise DeliveryError(reason, retry_after=retry_after)
