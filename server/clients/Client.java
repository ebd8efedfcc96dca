import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The encrypted API of wechat-bind in Java 17, with the JDK only.
 *
 * <pre>
 * SERVER=https://bind.example KEY_ID=k1 KEY=... java Client.java GetQrCode|GetBindInfo|Disconnect|token account user
 *                                               java Client.java ListBindings account cursor ('' for the first page)
 *                                               java Client.java open jwe
 * </pre>
 */
public final class Client {
    private static final Map<String, String> ACTIONS =
            Map.of("GetQrCode", "Get", "GetBindInfo", "Get", "Disconnect", "Update", "ListBindings", "Get");
    private static final int IV_BYTES = 12;
    private static final int TAG_BYTES = 16;
    private static final SecureRandom RANDOM = new SecureRandom();

    /** A refusal, with a stable code and a message that says what to do. */
    public static final class BindException extends Exception {
        public final String code;

        BindException(String code, String message) {
            super(message);
            this.code = code;
        }
    }

    /** The protected header and the plaintext, both as JSON text. */
    public record Opened(String header, String plaintext) {}

    private final String server;
    private final String keyId;
    private final SecretKeySpec key;
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    /** Takes the secret from BIND_KEYS, which is 32 bytes in base64url. */
    public Client(String server, String keyId, String key) throws BindException {
        if (!key.matches("[A-Za-z0-9_-]{43}=?"))
            throw new BindException("BAD_CONFIG", "KEY must be 32 bytes in base64url, 43 characters.");
        this.server = server.replaceAll("/+$", "");
        this.keyId = keyId;
        this.key = new SecretKeySpec(bytes(key), "AES");
    }

    /** Returns the Data of the reply, as JSON. */
    public String call(String name, String account, String user)
            throws BindException, IOException, InterruptedException, GeneralSecurityException {
        return call(name, Map.of("Account", account, "User_ID", user));
    }

    /** Returns a page as JSON: Items, and NextCursor, which is null on the last page. The first page has no cursor. */
    public String listBindings(String account, String cursor)
            throws BindException, IOException, InterruptedException, GeneralSecurityException {
        var fields = new LinkedHashMap<String, Object>(Map.of("Account", account));
        if (!cursor.isEmpty()) fields.put("Cursor", cursor);
        return call("ListBindings", fields);
    }

    private String call(String name, Map<String, Object> fields)
            throws BindException, IOException, InterruptedException, GeneralSecurityException {
        String path = "/api/WeChat/" + name;
        String jti = UUID.randomUUID().toString();
        var request = new LinkedHashMap<String, Object>(fields);
        request.put("Date", Instant.now().getEpochSecond());
        request.put("Action", ACTIONS.get(name));
        request.put("Path", path);
        Opened reply = open(post(path, seal(request, "jti", jti)));
        if (!jti.equals(Json.text(reply.header(), "req")))
            throw new BindException("UNAUTHORIZED", "The reply belongs to another request.");
        if (!"true".equals(Json.member(reply.plaintext(), "Success")))
            throw new BindException(Json.text(reply.plaintext(), "Code"), Json.text(reply.plaintext(), "Message"));
        return Json.member(reply.plaintext(), "Data");
    }

    /** Returns a token for the wechat-bind element, created locally, without a request to the server. */
    public String mintToken(String account, String user, Duration life) throws GeneralSecurityException {
        long now = Instant.now().getEpochSecond();
        var claims = new LinkedHashMap<String, Object>();
        claims.put("Account", account);
        claims.put("User_ID", user);
        claims.put("iat", now);
        claims.put("exp", now + life.toSeconds());
        return seal(claims, "typ", "wechat-bind-token+jwe");
    }

    /** Returns header..iv.ciphertext.tag. The second part is empty, because "dir" has no encrypted key. */
    private String seal(Map<String, Object> plaintext, String name, String value) throws GeneralSecurityException {
        var header = new LinkedHashMap<String, Object>();
        header.put("alg", "dir");
        header.put("enc", "A256GCM");
        header.put("kid", keyId);
        header.put(name, value);
        String protectedHeader = base64url(Json.write(header).getBytes(UTF_8));
        byte[] iv = new byte[IV_BYTES];
        RANDOM.nextBytes(iv);
        byte[] sealed = cipher(Cipher.ENCRYPT_MODE, iv, protectedHeader).doFinal(Json.write(plaintext).getBytes(UTF_8));
        int split = sealed.length - TAG_BYTES;
        String ciphertext = base64url(Arrays.copyOfRange(sealed, 0, split));
        String tag = base64url(Arrays.copyOfRange(sealed, split, sealed.length));
        return String.join(".", protectedHeader, "", base64url(iv), ciphertext, tag);
    }

    /** Decrypts a JWE. */
    public Opened open(String compact) throws BindException {
        try {
            String[] parts = compact.split("\\.", -1);
            byte[] iv = bytes(parts[2]);
            byte[] ciphertext = bytes(parts[3]);
            byte[] tag = bytes(parts[4]);
            if (parts.length != 5 || !parts[1].isEmpty() || iv.length != IV_BYTES || tag.length != TAG_BYTES)
                throw new GeneralSecurityException("not dir with A256GCM");
            Cipher cipher = cipher(Cipher.DECRYPT_MODE, iv, parts[0]);
            cipher.update(ciphertext);
            return new Opened(new String(bytes(parts[0]), UTF_8), new String(cipher.doFinal(tag), UTF_8));
        } catch (GeneralSecurityException | IllegalArgumentException | IndexOutOfBoundsException fault) {
            throw new BindException("UNAUTHORIZED", "The JWE cannot be decrypted with this key.");
        }
    }

    private Cipher cipher(int mode, byte[] iv, String protectedHeader) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key, new GCMParameterSpec(8 * TAG_BYTES, iv));
        cipher.updateAAD(protectedHeader.getBytes(US_ASCII));
        return cipher;
    }

    private String post(String path, String compact) throws BindException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server + path))
                .timeout(Duration.ofSeconds(10))
                .header("Content-Type", "application/jose")
                .POST(HttpRequest.BodyPublishers.ofString(compact))
                .build();
        HttpResponse<String> response;
        try {
            response = http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException fault) {
            throw new BindException("UNREACHABLE", server + " did not answer.");
        }
        String type = response.headers().firstValue("Content-Type").orElse("");
        if (type.startsWith("application/jose")) return response.body();
        if (type.startsWith("application/problem+json"))
            throw new BindException(Json.text(response.body(), "code"), Json.text(response.body(), "detail"));
        throw new BindException("UNREACHABLE", "HTTP " + response.statusCode() + ": the answer is not a JWE.");
    }

    private static String base64url(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static byte[] bytes(String base64url) {
        return Base64.getUrlDecoder().decode(base64url);
    }

    /** Reads and writes JSON, because the JDK has no JSON library. You can use Jackson or Gson instead. */
    private static final class Json {
        private static final Pattern TOKEN =
                Pattern.compile("\"(?:[^\"\\\\]++|\\\\.)*+\"|[\\[\\]{}:,]|[^\\s\\[\\]{}:,\"]++");
        private static final Pattern ESCAPE = Pattern.compile("\\\\(?:u([0-9a-fA-F]{4})|(.))");

        static String write(Map<String, Object> members) {
            return members.entrySet().stream()
                    .map(each -> quote(each.getKey()) + ":" + value(each.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
        }

        /** Returns a member of an object as JSON text, or null if the object has no such member. */
        static String member(String json, String name) {
            var tokens = TOKEN.matcher(json);
            int depth = 0;
            int start = -1;
            String last = "";
            for (; tokens.find(); last = tokens.group()) {
                String token = tokens.group();
                boolean isClosing = token.equals("}") || token.equals("]");
                if (isClosing) depth--;
                boolean isEnd = depth == 0 || depth == 1 && token.equals(",");
                if (start >= 0 && isEnd) return json.substring(start, tokens.start()).strip();
                if (depth == 1 && token.equals(":") && name.equals(unquote(last))) start = tokens.end();
                if (token.equals("{") || token.equals("[")) depth++;
            }
            return null;
        }

        static String text(String json, String name) {
            String value = member(json, name);
            return value == null || !value.startsWith("\"") ? null : unquote(value);
        }

        private static String value(Object value) {
            return value instanceof String text ? quote(text) : String.valueOf(value);
        }

        private static String quote(String text) {
            return text.chars()
                    .mapToObj(c -> c == '"' || c == '\\' ? "\\" + (char) c
                            : c < ' ' ? String.format("\\u%04x", c) : String.valueOf((char) c))
                    .collect(Collectors.joining("", "\"", "\""));
        }

        private static String unquote(String quoted) {
            return ESCAPE.matcher(quoted.substring(1, quoted.length() - 1)).replaceAll(escape -> {
                if (escape.group(1) != null)
                    return Matcher.quoteReplacement("" + (char) Integer.parseInt(escape.group(1), 16));
                int control = "bfnrt".indexOf(escape.group(2));
                return Matcher.quoteReplacement(
                        control < 0 ? escape.group(2) : "" + "\b\f\n\r\t".charAt(control));
            });
        }
    }

    private static String env(String name) {
        return System.getenv().getOrDefault(name, "");
    }

    public static void main(String... args) throws Exception {
        boolean isOpen = args.length == 2 && args[0].equals("open");
        boolean isCall = args.length == 3 && (args[0].equals("token") || ACTIONS.containsKey(args[0]));
        if (!isOpen && !isCall) {
            System.err.println("usage: Client GetQrCode|GetBindInfo|Disconnect|token <account> <user>, Client ListBindings <account> <cursor>, or Client open <jwe>");
            System.exit(2);
        }
        try {
            var client = new Client(env("SERVER"), env("KEY_ID"), env("KEY"));
            if (isOpen) {
                Opened opened = client.open(args[1]);
                System.out.println(opened.header() + "\n" + opened.plaintext());
            } else if (args[0].equals("token")) {
                System.out.println(client.mintToken(args[1], args[2], Duration.ofMinutes(15)));
            } else if (args[0].equals("ListBindings")) {
                System.out.println(client.listBindings(args[1], args[2]));
            } else {
                System.out.println(client.call(args[0], args[1], args[2]));
            }
        } catch (BindException refusal) {
            System.err.println(refusal.code + ": " + refusal.getMessage());
            System.exit(1);
        }
    }
}
