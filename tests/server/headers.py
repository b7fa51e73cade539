"""What every answer's headers must be, whatever was asked: looked at on each answer that the tests' client gets."""

from __future__ import annotations

import re
from typing import Any

POLICY = {"default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "object-src 'none'",
          "connect-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:", "font-src 'self'"}
EXACT = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
SCRIPT = re.compile(r"script-src 'self'( 'sha256-[A-Za-z0-9+/=]{44}')*")
NEVER = ("server", "x-powered-by", "access-control-allow-origin", "access-control-allow-credentials", "via")
TYPED = re.compile(r"[a-z]+/[a-z0-9.+-]+(; charset=utf-8|; version=[\d.]+; charset=utf-8)?(; escaping=[a-z]+)?")


def wrong(status: int, headers: Any) -> list[str]:
    """Returns what is wrong with an answer's headers; empty for nothing."""
    found = [f"{name}: {headers.get(name)}" for name, value in EXACT.items() if headers.get(name) != value]
    found += [name for name in NEVER if name in headers]
    parts = set(headers.get("content-security-policy", "").split("; "))
    scripts = parts - POLICY
    if not parts >= POLICY or len(scripts) != 1 or not SCRIPT.fullmatch(scripts.pop()):
        found.append(f"content-security-policy: {headers.get('content-security-policy')}")
    if not re.fullmatch(r"[0-9a-f]{16}", headers.get("x-request-id", "")):
        found.append("x-request-id")
    if not headers.get("cache-control") and status not in (204, 499):
        found.append("cache-control is missing")
    if status not in (204, 303, 304, 499) and not TYPED.fullmatch(headers.get("content-type", "").lower()):
        found.append(f"content-type: {headers.get('content-type')}")
    cookie = headers.get("set-cookie", "")
    if cookie and not ("HttpOnly" in cookie and "SameSite=Lax" in cookie):
        found.append("set-cookie")
    return found


def look(response: Any) -> None:
    """Fails for an answer whose headers are not what they must be."""
    found = wrong(response.status_code, response.headers)
    assert not found, f"{response.request.method} {response.request.url}: {response.status_code} {found}"
