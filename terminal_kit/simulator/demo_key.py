"""The key that simulated readers trust unless they are given another. It is no secret, and signs nothing of value."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

DEMO_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"terminal_kit demo key").digest())
