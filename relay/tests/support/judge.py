"""Opens pushes and checks their tokens with libraries that are not ours: http-ece and cryptography (PyPI).

One push a line as JSON: the browser's secret and its auth, the body, the header Authorization (base64url without padding
but the last). One line of JSON for each: what it says, and the claims of its token.
"""

import base64
import json
import sys

import http_ece
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature


def raw(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims(header):
    scheme, _, rest = header.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert scheme == "vapid" and set(parts) == {"t", "k"}, header
    head, body, signature = parts["t"].split(".")
    assert json.loads(raw(head)) == {"typ": "JWT", "alg": "ES256"}
    signature = raw(signature)
    assert len(signature) == 64
    numbers = [int.from_bytes(half, "big") for half in (signature[:32], signature[32:])]
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw(parts["k"]))
    said = f"{head}.{body}".encode()
    key.verify(encode_dss_signature(*numbers), said, ec.ECDSA(hashes.SHA256()))
    return json.loads(raw(body))


for line in sys.stdin:
    push = json.loads(line)
    secret = int.from_bytes(raw(push["secret"]), "big")
    opened = http_ece.decrypt(
        raw(push["body"]),
        private_key=ec.derive_private_key(secret, ec.SECP256R1()),
        auth_secret=raw(push["auth"]),
        version="aes128gcm",
    )
    print(json.dumps({"says": opened.decode(), "claims": claims(push["authorization"])}))
