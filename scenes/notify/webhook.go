package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

// answerMost bounds what is read of an answer, of which nobody reads anything.
const answerMost = 64 << 10

// SignatureHeader has "sha256=" and the HMAC-SHA256 of the body, in hex, where there is a secret.
const SignatureHeader = "X-Lectern-Signature"

// Webhook posts messages as JSON.
type Webhook struct {
	url    *url.URL
	secret []byte
	client *http.Client
}

// NewWebhook makes a webhook of an http or https address. Where secret is not empty every message is
// signed with it. The authority of the server's certificate is in the file ca, or the system's.
func NewWebhook(address, secret, ca string) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, errors.New("making the webhook: the address is not right") // which may be secret
	}
	security, err := security(ca)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: security, TLSHandshakeTimeout: 10 * time.Second,
		MaxResponseHeaderBytes: answerMost, DisableKeepAlives: true, ForceAttemptHTTP2: true,
	}
	// A redirect is not followed, to wherever it leads: what was meant for one is nobody else's.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Webhook{url: u, secret: []byte(secret), client: &http.Client{Transport: transport, CheckRedirect: stay}}, nil
}

// security is by whom a server is trusted.
func security(ca string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca == "" {
		return c, nil
	}
	b, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate of the authority: %w", err)
	}
	if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("reading the certificate of the authority: there is none in PEM in %s", ca)
	}
	return c, nil
}

// Place implements Target.
func (w *Webhook) Place() string { return w.url.Scheme + "://" + w.url.Host }

// Send implements Target.
func (w *Webhook) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing the message: %w: %w", ErrRefused, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("posting to %s: the address is not right", w.Place())
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "lectern")
	if len(w.secret) > 0 {
		sum := hmac.New(sha256.New, w.secret)
		sum.Write(body)
		request.Header.Set(SignatureHeader, "sha256="+hex.EncodeToString(sum.Sum(nil)))
	}
	answer, err := w.client.Do(request)
	if err != nil {
		// A url.Error repeats the address, and the address of many a webhook is its key.
		if failed := new(url.Error); errors.As(err, &failed) {
			err = failed.Err
		}
		return fmt.Errorf("posting to %s: %w", w.Place(), err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, answerMost))
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return fmt.Errorf("posting to %s: it has moved; where that is right, write the new address into the room file", w.Place())
	case code == http.StatusBadRequest, code == http.StatusRequestEntityTooLarge, code == http.StatusUnprocessableEntity:
		return fmt.Errorf("posting to %s: it answers %d: %w", w.Place(), code, ErrRefused)
	default:
		return fmt.Errorf("posting to %s: it answers %d", w.Place(), code)
	}
}
