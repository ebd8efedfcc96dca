// The encrypted API of wechat-bind in Go, with the standard library only.
//
//	SERVER=https://bind.example KEY_ID=k1 KEY=... go run client.go GetQrCode|GetBindInfo|Disconnect|token <account> <user>
//	                                              go run client.go ListBindings <account> <cursor, '' for the first page>
//	                                              go run client.go open <jwe>
package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

var actions = map[string]string{"GetQrCode": "Get", "GetBindInfo": "Get", "Disconnect": "Update", "ListBindings": "Get"}

var base64url = base64.RawURLEncoding

// BindError is a refusal, with a stable Code and a Message that says what to do.
type BindError struct{ Code, Message string }

func (e *BindError) Error() string { return e.Code + ": " + e.Message }

// Header is the protected header of a JWE. Its members can have any order, because the encoded text is authenticated.
type Header struct {
	Alg string `json:"alg"`
	Enc string `json:"enc"`
	Kid string `json:"kid"`
	Jti string `json:"jti,omitempty"`
	Req string `json:"req,omitempty"`
	Typ string `json:"typ,omitempty"`
}

// Request is the plaintext of every call.
type Request struct {
	Account   string
	UserID    string `json:"User_ID,omitempty"`
	Date      int64  // Unix seconds
	Action    string
	Path      string
	IsRefresh bool   `json:",omitempty"` // for GetQrCode: makes a new QR code, and the old one stops working
	Label     string `json:",omitempty"` // for GetQrCode: the account's name in the chat
	Cursor    string `json:",omitempty"` // for ListBindings: NextCursor of the last page
}

// Claims is the plaintext of a widget token.
type Claims struct {
	Account string
	UserID  string   `json:"User_ID"`
	Iat     int64    `json:"iat"`
	Exp     int64    `json:"exp"`
	Label   string   `json:",omitempty"`
	Scope   []string `json:"scope,omitempty"`
}

type Client struct {
	server string
	keyID  string
	aead   cipher.AEAD
	http   http.Client
}

// NewClient takes the secret from BIND_KEYS, which is 32 bytes in base64url.
func NewClient(server, keyID, key string) (*Client, error) {
	secret, err := base64url.DecodeString(strings.TrimRight(key, "="))
	if err != nil || len(secret) != 32 {
		return nil, &BindError{"BAD_CONFIG", "KEY must be 32 bytes in base64url, 43 characters."}
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	// By default a redirect with status 307 or 308 sends the encrypted request to the new URL.
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client := http.Client{Timeout: 10 * time.Second, CheckRedirect: noRedirect}
	return &Client{strings.TrimRight(server, "/"), keyID, aead, client}, nil
}

// Call returns the Data of the reply, or a *BindError.
func (c *Client) Call(name string, request Request) (json.RawMessage, error) {
	jti, err := newJti()
	if err != nil {
		return nil, err
	}
	request.Date = time.Now().Unix()
	request.Action = actions[name]
	request.Path = "/api/WeChat/" + name
	compact, err := c.Seal(request, Header{Jti: jti})
	if err != nil {
		return nil, err
	}
	answer, err := c.post(request.Path, compact)
	if err != nil {
		return nil, err
	}
	headerText, plaintext, err := c.Open(answer)
	if err != nil {
		return nil, err
	}
	var header Header
	if err := json.Unmarshal(headerText, &header); err != nil {
		return nil, err
	}
	if header.Req != jti {
		return nil, &BindError{"UNAUTHORIZED", "The reply belongs to another request."}
	}
	var result struct {
		Success       bool
		Code, Message string
		Data          json.RawMessage
	}
	if err := json.Unmarshal(plaintext, &result); err != nil {
		return nil, err
	}
	if !result.Success {
		return nil, &BindError{result.Code, result.Message}
	}
	return result.Data, nil
}

// MintToken returns a token for <wechat-bind>, created locally, without a request to the server.
func (c *Client) MintToken(claims Claims, life time.Duration) (string, error) {
	now := time.Now()
	claims.Iat = now.Unix()
	claims.Exp = now.Add(life).Unix()
	return c.Seal(claims, Header{Typ: "wechat-bind-token+jwe"})
}

// Seal returns header..iv.ciphertext.tag. The second part is empty, because "dir" has no encrypted key.
func (c *Client) Seal(plaintext any, header Header) (string, error) {
	header.Alg, header.Enc, header.Kid = "dir", "A256GCM", c.keyID
	headerText, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(plaintext)
	if err != nil {
		return "", err
	}
	iv := make([]byte, c.aead.NonceSize())
	if _, err := rand.Read(iv); err != nil {
		return "", err
	}
	protected := base64url.EncodeToString(headerText)
	sealed := c.aead.Seal(nil, iv, text, []byte(protected))
	split := len(sealed) - c.aead.Overhead()
	parts := []string{protected, "", base64url.EncodeToString(iv)}
	parts = append(parts, base64url.EncodeToString(sealed[:split]), base64url.EncodeToString(sealed[split:]))
	return strings.Join(parts, "."), nil
}

// Open decrypts a JWE and returns the protected header and the plaintext, both as JSON text.
func (c *Client) Open(compact string) (header, plaintext []byte, err error) {
	refusal := &BindError{"UNAUTHORIZED", "The JWE cannot be decrypted with this key."}
	parts := strings.Split(compact, ".")
	if len(parts) != 5 || parts[1] != "" {
		return nil, nil, refusal
	}
	var raw [5][]byte
	for i, part := range parts {
		if raw[i], err = base64url.DecodeString(part); err != nil {
			return nil, nil, refusal
		}
	}
	iv, ciphertext, tag := raw[2], raw[3], raw[4]
	if len(iv) != c.aead.NonceSize() || len(tag) != c.aead.Overhead() {
		return nil, nil, refusal
	}
	plaintext, err = c.aead.Open(nil, iv, append(ciphertext, tag...), []byte(parts[0]))
	if err != nil {
		return nil, nil, refusal
	}
	return raw[0], plaintext, nil
}

func (c *Client) post(path, compact string) (string, error) {
	response, err := c.http.Post(c.server+path, "application/jose", strings.NewReader(compact))
	if err != nil {
		return "", &BindError{"UNREACHABLE", c.server + " did not answer."}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", &BindError{"UNREACHABLE", c.server + " closed the connection before the end of its answer."}
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/jose") {
		return string(body), nil
	}
	var problem struct{ Code, Detail string }
	if json.Unmarshal(body, &problem) == nil && problem.Code != "" {
		return "", &BindError{problem.Code, problem.Detail}
	}
	return "", &BindError{"UNREACHABLE", fmt.Sprintf("HTTP %d: the answer is not a JWE.", response.StatusCode)}
}

func newJti() (string, error) {
	random := make([]byte, 16)
	_, err := rand.Read(random)
	return base64url.EncodeToString(random), err
}

func run(args []string) (string, error) {
	client, err := NewClient(os.Getenv("SERVER"), os.Getenv("KEY_ID"), os.Getenv("KEY"))
	if err != nil {
		return "", err
	}
	if args[0] == "open" {
		header, plaintext, err := client.Open(args[1])
		return string(bytes.Join([][]byte{header, plaintext}, []byte("\n"))), err
	}
	if args[0] == "token" {
		return client.MintToken(Claims{Account: args[1], UserID: args[2]}, 15*time.Minute)
	}
	request := Request{Account: args[1], UserID: args[2]}
	if args[0] == "ListBindings" {
		request = Request{Account: args[1], Cursor: args[2]}
	}
	data, err := client.Call(args[0], request)
	return string(data), err
}

func isUsage(args []string) bool {
	if len(args) == 2 {
		return args[0] == "open"
	}
	return len(args) == 3 && (args[0] == "token" || actions[args[0]] != "")
}

func main() {
	args := os.Args[1:]
	if !isUsage(args) {
		fmt.Fprintln(os.Stderr, "usage: client GetQrCode|GetBindInfo|Disconnect|token <account> <user>, client ListBindings <account> <cursor>, or client open <jwe>")
		os.Exit(2)
	}
	answer, err := run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(answer)
}
