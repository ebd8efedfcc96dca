// The encrypted API of wechat-bind in C# 12, with the standard library of .NET 8 only.
//
//   dotnet new console -o client && cp Client.cs client/Program.cs && cd client
//   SERVER=https://bind.example KEY_ID=k1 KEY=... dotnet run -- GetQrCode|GetBindInfo|Disconnect|token <account> <user>
//                                                 dotnet run -- ListBindings <account> <cursor, '' for the first page>
//                                                 dotnet run -- open <jwe>
using System;
using System.Collections.Generic;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Threading.Tasks;

try
{
    var client = new BindClient(Env("SERVER"), Env("KEY_ID"), Env("KEY"));
    switch (args)
    {
        case ["GetQrCode" or "GetBindInfo" or "Disconnect", var account, var user]:
            Console.WriteLine((await client.CallAsync(args[0], account, user)).GetRawText());
            return 0;
        case ["ListBindings", var account, var cursor]:
            Console.WriteLine((await client.ListBindingsAsync(account, cursor)).GetRawText());
            return 0;
        case ["token", var account, var user]:
            Console.WriteLine(client.MintToken(account, user, TimeSpan.FromMinutes(15)));
            return 0;
        case ["open", var compact]:
            var (header, plaintext) = client.Open(compact);
            Console.WriteLine(header + "\n" + plaintext);
            return 0;
        default:
            Console.Error.WriteLine(
                "usage: client GetQrCode|GetBindInfo|Disconnect|token <account> <user>, client ListBindings <account> <cursor>, or client open <jwe>");
            return 2;
    }
}
catch (BindException refusal)
{
    Console.Error.WriteLine($"{refusal.Code}: {refusal.Message}");
    return 1;
}

static string Env(string name) => Environment.GetEnvironmentVariable(name) ?? "";

/// <summary>A refusal, with a stable code and a message that says what to do.</summary>
public sealed class BindException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}

public sealed class BindClient
{
    private const int IvBytes = 12;
    private const int TagBytes = 16;

    // The default encoder writes "+" as "\u002B", which is equivalent JSON but harder to read.
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // By default a redirect with status 307 or 308 sends the encrypted request to the new URL.
    private static readonly HttpClientHandler NoRedirect = new() { AllowAutoRedirect = false };

    private static readonly HttpClient Http = new(NoRedirect) { Timeout = TimeSpan.FromSeconds(10) };

    private readonly string server;
    private readonly string keyId;
    private readonly byte[] secret;

    /// <param name="key">The secret from BIND_KEYS, which is 32 bytes in base64url.</param>
    public BindClient(string server, string keyId, string key)
    {
        this.server = server.TrimEnd('/');
        this.keyId = keyId;
        secret = ToSecret(key);
    }

    /// <summary>Returns the Data of the reply. Throws BindException.</summary>
    public Task<JsonElement> CallAsync(string name, string account, string user) =>
        CallAsync(name, new Dictionary<string, object> { ["Account"] = account, ["User_ID"] = user });

    /// <summary>Returns a page: Items, and NextCursor, which is null on the last page. The first page has no cursor.</summary>
    public Task<JsonElement> ListBindingsAsync(string account, string cursor = "")
    {
        var fields = new Dictionary<string, object> { ["Account"] = account };
        if (cursor != "") fields["Cursor"] = cursor;
        return CallAsync("ListBindings", fields);
    }

    private async Task<JsonElement> CallAsync(string name, Dictionary<string, object> fields)
    {
        var path = $"/api/WeChat/{name}";
        var jti = Guid.NewGuid().ToString();
        var request = new Dictionary<string, object>(fields)
        {
            ["Date"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            ["Action"] = name == "Disconnect" ? "Update" : "Get",
            ["Path"] = path,
        };
        var (header, plaintext) = Open(await PostAsync(path, Seal(request, "jti", jti)));
        if (Text(Parse(header), "req") != jti)
            throw new BindException("UNAUTHORIZED", "The reply belongs to another request.");
        var result = Parse(plaintext);
        if (!result.GetProperty("Success").GetBoolean())
            throw new BindException(Text(result, "Code") ?? "", Text(result, "Message") ?? "");
        return result.GetProperty("Data");
    }

    /// <summary>Returns a token for the wechat-bind element, created locally, without a request to the server.</summary>
    public string MintToken(string account, string user, TimeSpan life)
    {
        var now = DateTimeOffset.UtcNow;
        var claims = new Dictionary<string, object>
        {
            ["Account"] = account,
            ["User_ID"] = user,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.Add(life).ToUnixTimeSeconds(),
        };
        return Seal(claims, "typ", "wechat-bind-token+jwe");
    }

    /// <summary>Returns header..iv.ciphertext.tag. The second part is empty, because "dir" has no encrypted key.</summary>
    private string Seal(Dictionary<string, object> plaintext, string name, string value)
    {
        var header = new Dictionary<string, object>
        {
            ["alg"] = "dir",
            ["enc"] = "A256GCM",
            ["kid"] = keyId,
            [name] = value,
        };
        var protectedHeader = ToBase64Url(JsonSerializer.SerializeToUtf8Bytes(header, Readable));
        var text = JsonSerializer.SerializeToUtf8Bytes(plaintext, Readable);
        var iv = RandomNumberGenerator.GetBytes(IvBytes);
        var ciphertext = new byte[text.Length];
        var tag = new byte[TagBytes];
        using var aes = new AesGcm(secret, TagBytes);
        aes.Encrypt(iv, text, ciphertext, tag, Encoding.ASCII.GetBytes(protectedHeader));
        return string.Join('.', protectedHeader, "", ToBase64Url(iv), ToBase64Url(ciphertext), ToBase64Url(tag));
    }

    /// <summary>Decrypts a JWE and returns the protected header and the plaintext, both as JSON text.</summary>
    public (string Header, string Plaintext) Open(string compact)
    {
        try
        {
            var parts = compact.Split('.');
            if (parts.Length != 5 || parts[1] != "")
                throw new FormatException("not dir");
            var ciphertext = FromBase64Url(parts[3]);
            var text = new byte[ciphertext.Length];
            using var aes = new AesGcm(secret, TagBytes);
            // Throws if the iv or the tag has another length.
            aes.Decrypt(
                FromBase64Url(parts[2]), ciphertext, FromBase64Url(parts[4]), text, Encoding.ASCII.GetBytes(parts[0]));
            return (Encoding.UTF8.GetString(FromBase64Url(parts[0])), Encoding.UTF8.GetString(text));
        }
        catch (Exception fault) when (fault is FormatException or ArgumentException or CryptographicException)
        {
            throw new BindException("UNAUTHORIZED", "The JWE cannot be decrypted with this key.");
        }
    }

    private async Task<string> PostAsync(string path, string compact)
    {
        try
        {
            using var content = new ByteArrayContent(Encoding.ASCII.GetBytes(compact));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/jose");
            using var response = await Http.PostAsync(server + path, content);
            var body = await response.Content.ReadAsStringAsync();
            switch (response.Content.Headers.ContentType?.MediaType)
            {
                case "application/jose":
                    return body;
                case "application/problem+json":
                    var problem = Parse(body);
                    throw new BindException(Text(problem, "code") ?? "", Text(problem, "detail") ?? "");
                default:
                    throw new BindException("UNREACHABLE", $"HTTP {(int)response.StatusCode}: the answer is not a JWE.");
            }
        }
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException)
        {
            throw new BindException("UNREACHABLE", $"{server} did not answer.");
        }
    }

    private static JsonElement Parse(string json) => JsonSerializer.Deserialize<JsonElement>(json);

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static byte[] ToSecret(string key)
    {
        try
        {
            var secret = FromBase64Url(key);
            if (secret.Length == 32)
                return secret;
        }
        catch (FormatException)
        {
            // The error is reported below, like a wrong length.
        }
        throw new BindException("BAD_CONFIG", "KEY must be 32 bytes in base64url, 43 characters.");
    }

    private static string ToBase64Url(byte[] bytes) =>
        Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static byte[] FromBase64Url(string text)
    {
        var base64 = text.TrimEnd('=').Replace('-', '+').Replace('_', '/');
        return Convert.FromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='));
    }
}
