#!/usr/bin/python3
"""Turns a private key in PEM, as openssl makes it, into the form that skopeo and cosign take.

Theirs is PKCS#8 in a secretbox whose key scrypt makes of a passphrase (sigstore/cosign,
pkg/cosign/keys.go; secure-systems-lab/go-securesystemslib, encrypted). The passphrase here is empty:
what is written protects the key no better than what is read, and is to be removed after use.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys

from nacl.secret import SecretBox

SCRYPT = {"N": 65536, "r": 8, "p": 1}


def main():
    key = subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER"],
        stdin=sys.stdin,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    salt = os.urandom(32)
    nonce = os.urandom(SecretBox.NONCE_SIZE)
    secret = hashlib.scrypt(
        b"", salt=salt, n=SCRYPT["N"], r=SCRYPT["r"], p=SCRYPT["p"], maxmem=2**27, dklen=SecretBox.KEY_SIZE
    )
    sealed = {
        "kdf": {"name": "scrypt", "params": SCRYPT, "salt": text(salt)},
        "cipher": {"name": "nacl/secretbox", "nonce": text(nonce)},
        "ciphertext": text(SecretBox(secret).encrypt(key, nonce).ciphertext),
    }
    body = text(json.dumps(sealed).encode())
    print("-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----")
    for start in range(0, len(body), 64):
        print(body[start : start + 64])
    print("-----END ENCRYPTED COSIGN PRIVATE KEY-----")


def text(raw):
    return base64.b64encode(raw).decode()


main()
