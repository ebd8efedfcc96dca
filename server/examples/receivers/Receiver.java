// Receives wechat-bind's webhooks in Java 17, without other packages: WEBHOOK_SECRET=whsec_... PORT=5000 java Receiver.java

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public final class Receiver {
    private static final long TOLERANCE_SECONDS = 300;
    private static final int MAX_BODY = 64 * 1024;

    private final byte[] key;
    // In your own receiver use database tables instead, and write them in the transaction of the change.
    private final Set<String> seenIds = new HashSet<>();
    private final Map<List<String>, Long> versions = new HashMap<>();

    private Receiver(String secret) {
        key = Base64.getDecoder().decode(secret.substring("whsec_".length()));
    }

    /** The signature covers the bytes as received. The header has one signature for each secret, separated by spaces. */
    private boolean isSigned(byte[] body, HttpExchange exchange) throws GeneralSecurityException {
        String timestamp = header(exchange, "webhook-timestamp");
        if (!timestamp.matches("\\d{1,12}")) return false;
        if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(timestamp)) > TOLERANCE_SECONDS) return false;
        var mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        mac.update((header(exchange, "webhook-id") + "." + timestamp + ".").getBytes(UTF_8));
        byte[] expected = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body))).getBytes(UTF_8);
        for (String given : header(exchange, "webhook-signature").split(" "))
            if (MessageDigest.isEqual(expected, given.getBytes(UTF_8))) return true;
        return false;
    }

    private static String header(HttpExchange exchange, String name) {
        String value = exchange.getRequestHeaders().getFirst(name);
        return value == null ? "" : value;
    }

    /** Store the change here. Do slow work in a job: the server waits 20 s, then sends the event again. */
    private static void storeChange(String type, String account, String userId, long version) {
        System.out.println(type + " " + account + "/" + userId + " version " + version);
    }

    /** Returns the status to answer. */
    private int receive(HttpExchange exchange) throws IOException, GeneralSecurityException {
        byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
        if (body.length > MAX_BODY) return 413;
        if (!isSigned(body, exchange)) return 401;
        String json = new String(body, UTF_8);
        var user = List.of(Json.text(json, "Tenant"), Json.text(json, "Account"), Json.text(json, "User_ID"));
        long version = Json.number(json, "Version");
        synchronized (this) {
            String id = header(exchange, "webhook-id");
            if (seenIds.contains(id)) return 204;
            if (version > versions.getOrDefault(user, 0L)) {
                storeChange(Json.text(json, "type"), user.get(1), user.get(2), version);
                versions.put(user, version);
            }
            seenIds.add(id);
        }
        return 204;
    }

    private void handle(HttpExchange exchange) throws IOException {
        int status = 500;
        try {
            status = receive(exchange);
        } catch (GeneralSecurityException | RuntimeException e) {
            // 500: the server sends the event again.
            System.err.println(e);
        } finally {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        }
    }

    public static void main(String[] args) throws IOException {
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "5000"));
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        var receiver = new Receiver(System.getenv("WEBHOOK_SECRET"));
        server.createContext("/webhook", receiver::handle);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.start();
        System.out.println("listening on " + server.getAddress().getPort());
    }

    /** Reads a member of the event by its name. This works because no name occurs twice. The JDK has no JSON library; you can use Jackson instead. */
    private static final class Json {
        private static final Pattern ESCAPE = Pattern.compile("\\\\(?:u([0-9a-fA-F]{4})|(.))");

        private static String find(String json, String name, String value) {
            // A name follows a brace or a comma. A string that looks like a member does not match, because its quotation marks are escaped.
            var matcher = Pattern.compile("[{,]\\s*\"" + name + "\"\\s*:\\s*" + value).matcher(json);
            if (!matcher.find()) throw new IllegalArgumentException("no " + name);
            return matcher.group(1);
        }

        static long number(String json, String name) {
            return Long.parseLong(find(json, name, "(\\d{1,18})"));
        }

        static String text(String json, String name) {
            return ESCAPE.matcher(find(json, name, "\"((?:[^\"\\\\]|\\\\.)*)\"")).replaceAll(escape -> {
                if (escape.group(1) != null) return quote((char) Integer.parseInt(escape.group(1), 16));
                char c = escape.group(2).charAt(0);
                int index = "bfnrt".indexOf(c);
                return quote(index < 0 ? c : "\b\f\n\r\t".charAt(index));
            });
        }

        private static String quote(char c) {
            return java.util.regex.Matcher.quoteReplacement(String.valueOf(c));
        }
    }
}
