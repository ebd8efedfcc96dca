<?php
// Receives wechat-bind's webhooks in PHP 8.1, without other packages:
// WEBHOOK_SECRET=whsec_... php -S 127.0.0.1:5000 receiver.php
// PHP keeps no state between two requests, so this file stores the ids and versions in STORE (JSON). Use your database instead.

const TOLERANCE_SECONDS = 300;
const MAX_BODY = 64 * 1024;

/** The signature covers the bytes as received. The header has one signature for each secret, separated by spaces. */
function isSigned(string $body): bool
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if (!preg_match('/^\d{1,12}$/D', $timestamp) || abs(time() - (int) $timestamp) > TOLERANCE_SECONDS) {
        return false;
    }
    $key = base64_decode(substr((string) getenv('WEBHOOK_SECRET'), strlen('whsec_')));
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $given) {
        if (hash_equals($expected, $given)) {
            return true;
        }
    }
    return false;
}

/** Store the change here. Do slow work in a job: the server waits 20 s, then sends the event again. */
function storeChange(array $event): void
{
    $data = $event['data'];
    file_put_contents('php://stdout', "{$event['type']} {$data['Account']}/{$data['User_ID']} version {$data['Version']}\n");
}

/** Returns the status to answer. */
function receive(string $body): int
{
    if (strlen($body) > MAX_BODY) {
        return 413;
    }
    if (!isSigned($body)) {
        return 401;
    }
    $event = json_decode($body, true, 16, JSON_THROW_ON_ERROR);
    $data = $event['data'];
    $id = $_SERVER['HTTP_WEBHOOK_ID'];
    $user = json_encode([$data['Tenant'], $data['Account'], $data['User_ID']]);
    $file = fopen(getenv('STORE') ?: sys_get_temp_dir() . '/wechat-bind-webhooks.json', 'c+');
    // The lock makes simultaneous requests wait for each other.
    flock($file, LOCK_EX);
    $store = json_decode((string) stream_get_contents($file), true) ?? ['ids' => [], 'versions' => []];
    if (!isset($store['ids'][$id])) {
        if ($data['Version'] > ($store['versions'][$user] ?? 0)) {
            storeChange($event);
            $store['versions'][$user] = $data['Version'];
        }
        $store['ids'][$id] = time();
        ftruncate($file, 0);
        rewind($file);
        fwrite($file, json_encode($store));
    }
    fclose($file);
    return 204;
}

http_response_code(receive((string) file_get_contents('php://input', false, null, 0, MAX_BODY + 1)));
