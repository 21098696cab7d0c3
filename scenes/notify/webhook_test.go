package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lectern/devices"
)

func sample() Message {
	at := time.Date(2026, 11, 24, 15, 48, 0, 0, time.FixedZone("CST", 8*3600))
	return Message{
		ID: "M1", Time: at, Room: "hall", Name: devices.Phrase{ZH: "第一会议室", EN: "Meeting room 1"},
		Events: []Event{
			{Kind: OrderOpened, Time: at, Order: "20261124-01", By: "王", Symptom: "画面偏黄\n第二行", Device: "projector", Name: devices.Phrase{ZH: "投影机", EN: "Projector"}},
			{Kind: Down, Time: at, Line: "bus", Devices: []string{"spot-1", "spot-2"}, names: []devices.Phrase{{ZH: "射灯1", EN: "Spot 1"}, {}}, Why: "no such file"},
		},
	}
}

// authority writes the certificate of a test server to a file.
func authority(t *testing.T, s *httptest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAWebhookPostsSignedJSON(t *testing.T) {
	const secret = "a secret of more than twenty characters"
	var got Message
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sum := hmac.New(sha256.New, []byte(secret))
		sum.Write(body)
		if r.Method != http.MethodPost || r.URL.Path != "/hook" || r.Header.Get("Content-Type") != "application/json" ||
			r.Header.Get(SignatureHeader) != "sha256="+hex.EncodeToString(sum.Sum(nil)) {
			t.Errorf("%s %s %v", r.Method, r.URL.Path, r.Header)
		}
		if err := json.Unmarshal(body, &got); err != nil || strings.Contains(string(body), secret) {
			t.Errorf("%v: %s", err, body)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	hook, err := NewWebhook(server.URL+"/hook", secret, authority(t, server))
	if err != nil {
		t.Fatal(err)
	}
	if err := hook.Send(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	if got.ID != "M1" || got.Room != "hall" || len(got.Events) != 2 || got.Events[0].Symptom != "画面偏黄\n第二行" || got.Events[1].Devices[1] != "spot-2" {
		t.Errorf("%+v", got)
	}
	// Without the authority nobody is trusted.
	stranger, err := NewWebhook(server.URL+"/hook", secret, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.Send(t.Context(), sample()); err == nil {
		t.Error("a server that nobody vouches for was trusted")
	}
}

func TestAWebhookGoesNowhereElse(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(other.URL, code))
		hook, err := NewWebhook(server.URL+"/key-in-the-address", "", "")
		if err != nil {
			t.Fatal(err)
		}
		err = hook.Send(t.Context(), sample())
		if err == nil || errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "key-in") || strings.Contains(err.Error(), other.URL) {
			t.Errorf("%d: %v", code, err)
		}
		server.Close()
	}
	if n := elsewhere.Load(); n > 0 {
		t.Errorf("%d messages went elsewhere", n)
	}
}

func TestAnAnswerSaysWhetherToTryAgain(t *testing.T) {
	code := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
	hook, err := NewWebhook(server.URL+"/secret-path", "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code        int
		ok, refused bool
	}{{200, true, false}, {202, true, false}, {400, false, true}, {401, false, false}, {404, false, false}, {413, false, true}, {422, false, true}, {429, false, false}, {500, false, false}, {503, false, false}} {
		code = c.code
		if err := hook.Send(t.Context(), sample()); (err == nil) != c.ok || errors.Is(err, ErrRefused) != c.refused {
			t.Errorf("%d: %v", c.code, err)
		}
	}
	server.Close()
	if err := hook.Send(t.Context(), sample()); err == nil || strings.Contains(err.Error(), "secret-path") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestAServerThatNeverAnswersIsLeft(t *testing.T) {
	hangs := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-hangs }))
	defer server.Close()
	defer close(hangs)
	hook, err := NewWebhook(server.URL, "", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := hook.Send(ctx, sample()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
