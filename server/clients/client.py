#!/usr/bin/env python3
"""The encrypted API of wechat-bind in Python, with jwcrypto.

SERVER=https://bind.example KEY_ID=k1 KEY=... client.py GetQrCode|GetBindInfo|Disconnect|token <account> <user>
                                               client.py ListBindings <account> <cursor, '' for the first page>
                                               client.py open <jwe>
"""
import json
import os
import re
import sys
import time
import uuid
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from jwcrypto.common import JWException
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

ALGORITHMS = {"alg": "dir", "enc": "A256GCM"}
ACTIONS = {"GetQrCode": "Get", "GetBindInfo": "Get", "Disconnect": "Update", "ListBindings": "Get"}
TIMEOUT_SECONDS = 10


class BindError(Exception):
    """A refusal, with a stable `code` and a message that says what to do."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class BindClient:
    """`key` is the secret from BIND_KEYS, which is 32 bytes in base64url."""

    def __init__(self, server, key_id, key):
        if not re.fullmatch(r"[\w-]{43}=?", key, re.ASCII):
            raise BindError("BAD_CONFIG", "KEY must be 32 bytes in base64url, 43 characters.")
        self.server = server.rstrip("/")
        self.key_id = key_id
        self.key = JWK(kty="oct", k=key.rstrip("="))

    def call(self, name, account, user=None, **more):
        """Returns the Data of the reply. `more` has further fields, e.g. IsRefresh and Label. Raises BindError."""
        path = f"/api/WeChat/{name}"
        jti = str(uuid.uuid4())
        plaintext = {
            "Account": account,
            **({} if user is None else {"User_ID": user}),
            "Date": int(time.time()),
            "Action": ACTIONS[name],
            "Path": path,
            **more,
        }
        header, reply = self.open(self._post(path, self.seal(plaintext, jti=jti)))
        if header.get("req") != jti:
            raise BindError("UNAUTHORIZED", "The reply belongs to another request.")
        result = json.loads(reply)
        if not result["Success"]:
            raise BindError(result["Code"], result["Message"])
        return result["Data"]

    def list_bindings(self, account, cursor=""):
        """Returns a page: Items, and NextCursor, which is None on the last page."""
        return self.call("ListBindings", account, **({"Cursor": cursor} if cursor else {}))

    def mint_token(self, account, user, seconds=900, **more):
        """Creates a token for <wechat-bind> locally. `more` may contain Label and scope."""
        now = int(time.time())
        claims = {"Account": account, "User_ID": user, "iat": now, "exp": now + seconds, **more}
        return self.seal(claims, typ="wechat-bind-token+jwe")

    def seal(self, plaintext, **header):
        jwe = JWE(json.dumps(plaintext), json.dumps({**ALGORITHMS, "kid": self.key_id, **header}))
        jwe.add_recipient(self.key)
        return jwe.serialize(compact=True)

    def open(self, compact):
        """Decrypts a JWE and returns the protected header and the plaintext."""
        jwe = JWE(algs=list(ALGORITHMS.values()))
        try:
            jwe.deserialize(compact, self.key)
        except JWException as error:
            raise BindError("UNAUTHORIZED", "The JWE cannot be decrypted with this key.") from error
        return jwe.jose_header, jwe.payload.decode()

    def _post(self, path, compact):
        request = Request(self.server + path, compact.encode(), {"Content-Type": "application/jose"})
        try:
            response = urlopen(request, timeout=TIMEOUT_SECONDS)
        except HTTPError as refusal:  # the body of an HTTP error holds the refusal
            response = refusal
        except OSError as error:
            raise BindError("UNREACHABLE", f"{self.server} did not answer.") from error
        with response:
            body = response.read().decode()
            if response.headers.get_content_type() == "application/jose":
                return body
        try:
            problem = json.loads(body)
            raise BindError(problem["code"], problem["detail"])
        except (ValueError, KeyError, TypeError):
            raise BindError("UNREACHABLE", f"HTTP {response.status}: the answer is not a JWE.") from None


def main(call="", *rest):
    if len(rest) != {"open": 1, "token": 2, **dict.fromkeys(ACTIONS, 2)}.get(call):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    client = BindClient(*(os.environ.get(name, "") for name in ("SERVER", "KEY_ID", "KEY")))
    if call == "open":
        header, plaintext = client.open(*rest)
        print(json.dumps(header, ensure_ascii=False, separators=(",", ":")), plaintext, sep="\n")
    elif call == "token":
        print(client.mint_token(*rest))
    else:
        data = client.list_bindings(*rest) if call == "ListBindings" else client.call(call, *rest)
        print(json.dumps(data, ensure_ascii=False))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BindError as refusal:
        sys.exit(f"{refusal.code}: {refusal}")
