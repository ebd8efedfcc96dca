#!/usr/bin/env php
<?php
/**
 * The encrypted API of wechat-bind in PHP 8.1, with the openssl extension only.
 *
 * SERVER=https://bind.example KEY_ID=k1 KEY=... php client.php GetQrCode|GetBindInfo|Disconnect|token <account> <user>
 *                                               php client.php ListBindings <account> <cursor, '' for the first page>
 *                                               php client.php open <jwe>
 */
declare(strict_types=1);

/** A refusal, with a stable code and a message that says what to do. */
final class BindException extends RuntimeException
{
    public function __construct(public readonly string $refusal, string $message)
    {
        parent::__construct($message);
    }
}

final class BindClient
{
    public const ACTIONS = ['GetQrCode' => 'Get', 'GetBindInfo' => 'Get', 'Disconnect' => 'Update', 'ListBindings' => 'Get'];
    private const CIPHER = 'aes-256-gcm';
    private const IV_BYTES = 12;
    private const TAG_BYTES = 16;
    private const TIMEOUT_SECONDS = 10;

    private readonly string $secret;

    /** @param string $key the secret from BIND_KEYS, which is 32 bytes in base64url */
    public function __construct(
        private readonly string $server,
        private readonly string $keyId,
        #[SensitiveParameter] string $key,
    ) {
        $this->secret = self::fromBase64url($key);
        if (strlen($this->secret) !== 32) {
            throw new BindException('BAD_CONFIG', 'KEY must be 32 bytes in base64url, 43 characters.');
        }
    }

    /**
     * Returns the Data of the reply.
     *
     * @param array{IsRefresh?: bool, Label?: string, Cursor?: string} $more further fields, e.g. of GetQrCode
     */
    public function call(string $name, string $account, ?string $user, array $more = []): array
    {
        $path = "/api/WeChat/$name";
        $jti = bin2hex(random_bytes(16));
        $request = [
            'Account' => $account,
            ...($user === null ? [] : ['User_ID' => $user]),
            'Date' => time(),
            'Action' => self::ACTIONS[$name],
            'Path' => $path,
        ];
        [$header, $plaintext] = $this->open($this->post($path, $this->seal($request + $more, ['jti' => $jti])));
        if ((self::fromJson($header)['req'] ?? null) !== $jti) {
            throw new BindException('UNAUTHORIZED', 'The reply belongs to another request.');
        }
        $result = self::fromJson($plaintext);
        if (!$result['Success']) {
            throw new BindException($result['Code'], $result['Message']);
        }
        return $result['Data'];
    }

    /** Returns a page: Items, and NextCursor, which is null on the last page. */
    public function listBindings(string $account, string $cursor = ''): array
    {
        return $this->call('ListBindings', $account, null, $cursor === '' ? [] : ['Cursor' => $cursor]);
    }

    /**
     * Returns a token for <wechat-bind>, created locally, without a request to the server.
     *
     * @param array{Label?: string, scope?: list<'bind'|'unbind'>} $more
     */
    public function mintToken(string $account, string $user, int $seconds = 900, array $more = []): string
    {
        $now = time();
        $claims = ['Account' => $account, 'User_ID' => $user, 'iat' => $now, 'exp' => $now + $seconds];
        return $this->seal($claims + $more, ['typ' => 'wechat-bind-token+jwe']);
    }

    /** Returns header..iv.ciphertext.tag. The second part is empty, because "dir" has no encrypted key. */
    private function seal(array $plaintext, array $header): string
    {
        $protected = self::toBase64url(self::toJson(['alg' => 'dir', 'enc' => 'A256GCM', 'kid' => $this->keyId] + $header));
        $iv = random_bytes(self::IV_BYTES);
        $text = self::toJson($plaintext);
        $ciphertext = openssl_encrypt($text, self::CIPHER, $this->secret, OPENSSL_RAW_DATA, $iv, $tag, $protected);
        return implode('.', [$protected, '', ...array_map(self::toBase64url(...), [$iv, $ciphertext, $tag])]);
    }

    /** @return array{string, string} the protected header and the plaintext, both as JSON text */
    public function open(string $compact): array
    {
        $parts = explode('.', $compact);
        [$header, $key, $iv, $ciphertext, $tag] = array_map(self::fromBase64url(...), array_pad($parts, 5, ''));
        // openssl_decrypt would accept a shorter tag.
        $isWhole = count($parts) === 5 && $key === '' && strlen($iv) === self::IV_BYTES && strlen($tag) === self::TAG_BYTES;
        $plaintext = $isWhole
            ? openssl_decrypt($ciphertext, self::CIPHER, $this->secret, OPENSSL_RAW_DATA, $iv, $tag, $parts[0])
            : false;
        if ($plaintext === false) {
            throw new BindException('UNAUTHORIZED', 'The JWE cannot be decrypted with this key.');
        }
        return [$header, $plaintext];
    }

    private function post(string $path, string $compact): string
    {
        $context = stream_context_create(['http' => [
            'method' => 'POST',
            'header' => 'Content-Type: application/jose',
            'content' => $compact,
            'timeout' => self::TIMEOUT_SECONDS,
            'follow_location' => 0,
            'ignore_errors' => true, // also returns the body of an HTTP error, which has the refusal
        ]]);
        $stream = @fopen(rtrim($this->server, '/') . $path, 'r', false, $context);
        if ($stream === false) {
            throw new BindException('UNREACHABLE', "$this->server did not answer.");
        }
        $body = (string) stream_get_contents($stream);
        $headers = stream_get_meta_data($stream)['wrapper_data'];
        if (preg_grep('~^content-type:\s*application/jose~i', $headers)) {
            return $body;
        }
        $problem = json_decode($body, true);
        throw isset($problem['code'], $problem['detail'])
            ? new BindException($problem['code'], $problem['detail'])
            : new BindException('UNREACHABLE', 'HTTP ' . explode(' ', $headers[0])[1] . ': the answer is not a JWE.');
    }

    private static function toJson(array $value): string
    {
        return json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
    }

    private static function fromJson(string $text): array
    {
        return json_decode($text, true, flags: JSON_THROW_ON_ERROR);
    }

    private static function toBase64url(string $bytes): string
    {
        return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    }

    private static function fromBase64url(string $text): string
    {
        return (string) base64_decode(strtr($text, '-_', '+/'), true);
    }
}

[, $call, $first, $second] = $argv + ['', '', '', ''];
$isOpen = $argc === 3 && $call === 'open';
$isCall = $argc === 4 && ($call === 'token' || isset(BindClient::ACTIONS[$call]));
if (!$isOpen && !$isCall) {
    fwrite(STDERR, "usage: client.php GetQrCode|GetBindInfo|Disconnect|token <account> <user>, client.php ListBindings <account> <cursor>, or client.php open <jwe>\n");
    exit(2);
}
try {
    $client = new BindClient((string) getenv('SERVER'), (string) getenv('KEY_ID'), (string) getenv('KEY'));
    echo match ($call) {
        'open' => implode("\n", $client->open($first)),
        'token' => $client->mintToken($first, $second),
        default => json_encode(
            $call === 'ListBindings' ? $client->listBindings($first, $second) : $client->call($call, $first, $second),
            JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES,
        ),
    }, "\n";
} catch (BindException $refused) {
    fwrite(STDERR, "$refused->refusal: {$refused->getMessage()}\n");
    exit(1);
}
