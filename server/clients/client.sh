#!/usr/bin/env bash
# The encrypted API of wechat-bind with curl and the jose CLI (Debian, Fedora, Homebrew: package "jose").
#
# SERVER=https://bind.example KEY_ID=k1 KEY=... client.sh GetQrCode|GetBindInfo|Disconnect|token <account> <user>
#                                               client.sh ListBindings <account> <cursor, '' for the first page>
#                                               client.sh open <jwe>
set -euo pipefail

fail() {
  printf '%s\n' "$2" >&2
  exit "$1"
}

# The key is passed by a file descriptor, because every user of the machine can read the arguments of a process.
key() { printf '{"kty":"oct","k":"%s"}' "${KEY%=}"; }

# member <name> <json>: prints a member of an object. A string is printed without quotes.
member() { jose fmt -j- -Og "$1" -Su- <<<"$2" || jose fmt -j- -Og "$1" -o- <<<"$2"; }

# seal <header parameter> <value>: encrypts standard input and prints the JWE.
seal() {
  local header
  header=$(jose fmt -j '{"alg":"dir","enc":"A256GCM"}' -q "$KEY_ID" -s kid -U -q "$2" -s "$1" -Uo-)
  jose jwe enc -i "{\"protected\":$header}" -I- -k <(key) -c
}

# plaintext <jwe>: prints the plaintext if the tag is correct. jose prints before it checks the tag, so a first run only checks it.
plaintext() {
  local decrypt=(jose jwe dec -i- -O)
  printf '%s' "$1" | "${decrypt[@]}" /dev/null -k <(key) 2>/dev/null ||
    fail 1 'UNAUTHORIZED: The JWE cannot be decrypted with this key.'
  printf '%s' "$1" | "${decrypt[@]}" - -k <(key)
}

header() { printf '%s' "${1%%.*}" | jose b64 dec -i-; }

# ids <account> <user> <more members> [<name>]: prints the JSON of a request or a token. ListBindings has a Cursor in place of the user.
ids() {
  local second=(-q "$2" -s "${4-User_ID}" -U)
  [ "${4-}" = Cursor ] && [ -z "$2" ] && second=()
  jose fmt -j "$3" -q "$1" -s Account -U ${second[@]+"${second[@]}"} -o-
}

call() {
  local path=/api/WeChat/$1 action=Get second=User_ID jti reply status result
  [ "$1" = Disconnect ] && action=Update
  [ "$1" = ListBindings ] && second=Cursor
  jti=$(jose jwk gen -i '{"kty":"oct","bytes":16}' | jose fmt -j- -Og k -u-)
  reply=$(ids "$2" "$3" "{\"Date\":$(date +%s),\"Action\":\"$action\",\"Path\":\"$path\"}" "$second" | seal jti "$jti" |
    curl --silent --max-time 10 --header 'Content-Type: application/jose' --data-binary @- \
      --write-out '\n%{http_code} %{content_type}' "${SERVER%/}$path") || fail 1 "UNREACHABLE: $SERVER did not answer."
  status=${reply##*$'\n'}
  reply=${reply%$'\n'*}
  case $status in
    *' application/jose'*) ;;
    *' application/problem+json'*) fail 1 "$(member code "$reply"): $(member detail "$reply")" ;;
    *) fail 1 "UNREACHABLE: HTTP ${status%% *}: the answer is not a JWE." ;;
  esac

  result=$(plaintext "$reply")
  [ "$(member req "$(header "$reply")")" = "$jti" ] || fail 1 'UNAUTHORIZED: The reply belongs to another request.'
  [ "$(member Success "$result")" = true ] || fail 1 "$(member Code "$result"): $(member Message "$result")"
  member Data "$result"
}

token() {
  local now
  now=$(date +%s)
  ids "$1" "$2" "{\"iat\":$now,\"exp\":$((now + 900))}" | seal typ wechat-bind-token+jwe
}

open() {
  local text
  text=$(plaintext "$1")
  printf '%s\n%s\n' "$(header "$1")" "$text"
}

[[ ${KEY-} =~ ^[A-Za-z0-9_-]{43}=?$ ]] || fail 1 'BAD_CONFIG: KEY must be 32 bytes in base64url, 43 characters.'

case "${1-} $#" in
  'GetQrCode 3' | 'GetBindInfo 3' | 'Disconnect 3' | 'ListBindings 3') call "$@"; echo ;;
  'token 3') token "$2" "$3"; echo ;;
  'open 2') open "$2" ;;
  *) fail 2 'usage: client.sh GetQrCode|GetBindInfo|Disconnect|token <account> <user>, client.sh ListBindings <account> <cursor>, or client.sh open <jwe>' ;;
esac
