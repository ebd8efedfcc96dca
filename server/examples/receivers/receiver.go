// Receives wechat-bind's webhooks in Go, without other packages: WEBHOOK_SECRET=whsec_... PORT=5000 go run receiver.go
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	tolerance = 5 * time.Minute
	maxBody   = 64 * 1024
)

type event struct {
	Type string `json:"type"`
	Data struct {
		Tenant, Account string
		UserID          string `json:"User_ID"`
		Version         int64
	} `json:"data"`
}

type receiver struct {
	key []byte
	// In your own receiver use database tables instead, and write them in the transaction of the change.
	mutex    sync.Mutex
	seenIDs  map[string]bool
	versions map[[3]string]int64
}

// The signature covers the bytes as received. The header has one signature for each secret, separated by spaces.
func (r *receiver) isSigned(body []byte, header http.Header) bool {
	stamp, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	age := time.Since(time.Unix(stamp, 0))
	if err != nil || age > tolerance || age < -tolerance {
		return false
	}
	mac := hmac.New(sha256.New, r.key)
	fmt.Fprintf(mac, "%s.%d.", header.Get("webhook-id"), stamp)
	mac.Write(body)
	expected := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, given := range strings.Split(header.Get("webhook-signature"), " ") {
		if hmac.Equal([]byte(expected), []byte(given)) {
			return true
		}
	}
	return false
}

// Store the change here. Do slow work in a job: the server waits 20 s, then sends the event again.
func storeChange(e event) error {
	fmt.Printf("%s %s/%s version %d\n", e.Type, e.Data.Account, e.Data.UserID, e.Data.Version)
	return nil
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if !r.isSigned(body, request.Header) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	id, user := request.Header.Get("webhook-id"), [3]string{e.Data.Tenant, e.Data.Account, e.Data.UserID}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if !r.seenIDs[id] && e.Data.Version > r.versions[user] {
		if err := storeChange(e); err != nil {
			// The server sends the event again.
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		r.versions[user] = e.Data.Version
	}
	r.seenIDs[id] = true
	w.WriteHeader(http.StatusNoContent)
}

func main() {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("WEBHOOK_SECRET"), "whsec_"))
	if err != nil {
		log.Fatal("WEBHOOK_SECRET must be whsec_ and base64")
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "5000"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %d\n", listener.Addr().(*net.TCPAddr).Port)
	r := &receiver{key: key, seenIDs: map[string]bool{}, versions: map[[3]string]int64{}}
	log.Fatal(http.Serve(listener, r))
}
