"""Verifies a webhook of VTP with Python's standard library (Standard Webhooks, v1).

python3 verify-webhook.py SECRET ID TIMESTAMP SIGNATURES < body
"""
import base64
import hmac
import sys
import time

TOLERANCE = 300


def is_genuine(secret: str, id: str, timestamp: str, signatures: str, body: bytes, now: float) -> bool:
    if not timestamp.isascii() or not timestamp.isdigit() or abs(now - int(timestamp)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    digest = hmac.digest(key, f"{id}.{timestamp}.".encode() + body, "sha256")
    expected = b"v1," + base64.b64encode(digest)
    return any([hmac.compare_digest(expected, one.encode()) for one in signatures.split(" ")])


if __name__ == "__main__":
    genuine = is_genuine(*sys.argv[1:5], sys.stdin.buffer.read(), time.time())
    print("genuine" if genuine else "refused")
    sys.exit(0 if genuine else 1)
