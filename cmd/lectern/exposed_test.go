package main

import (
	"bytes"
	"context"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/configs"
	"lectern/panel/pin"
)

// paper is what a program prints, read while it is printed.
type paper struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all.Write(b) //nolint:wrapcheck // never fails
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all.String()
}

// file writes the huddle room with other PINs and whatever else is to stand under panel.
func file(t *testing.T, panel string) string {
	t.Helper()
	b, err := os.ReadFile(example("huddle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	room, _, ok := strings.Cut(string(b), "\npanel:")
	if !ok {
		t.Fatal("huddle.yaml has no panel")
	}
	path := filepath.Join(t.TempDir(), "room.yaml")
	if err := os.WriteFile(path, []byte(room+"\npanel:\n"+panel), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func hashOf(t *testing.T, digits string) string {
	t.Helper()
	h, err := pin.Hash(digits)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestThePINsOfTheDemoRoomAreForThisMachineOnly(t *testing.T) {
	again := hashOf(t, configs.DemoPINs["system"]) // another salt does not make it another PIN
	for _, words := range [][]string{
		{"run", "--listen", "0.0.0.0:0"},
		{"run", "--listen", ":0", "--simulate", "--config", example("huddle.yaml")},
		{"run", "--listen", "[::]:0", "--simulate", "--config", file(t, "  pins: {main: \""+again+"\"}\n")},
		{"run", "--listen", "0.0.0.0:0", "--simulate", "--config", file(t, "  people: [{name: Li, pin: \""+again+"\"}]\n")},
	} {
		data := t.TempDir()
		code, out, errors := do(t, "", append(words, "--data", data)...)
		if code != exitFailed || !strings.Contains(errors, "everybody knows") || !strings.Contains(errors, "lectern pin") || strings.Contains(errors, configs.DemoPINs["system"]) {
			t.Errorf("%v: exit %d, %q %q", words, code, out, errors)
		}
		if entries, _ := os.ReadDir(data); len(entries) > 0 {
			t.Errorf("%v: something was started: %v", words, entries)
		}
	}
}

// started runs the program until the test ends or stop is called, and returns what it prints and where the panel is.
func started(t *testing.T, words ...string) (printed *paper, url string, stop func()) {
	t.Helper()
	printed = new(paper)
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan int, 1)
	go func() { over <- run(ctx, words, terminal{strings.NewReader(""), printed, printed}) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if code := <-over; code != exitDone {
			t.Errorf("exit %d: %s", code, printed)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	t.Cleanup(stop)
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		for _, line := range strings.Split(printed.String(), "\n") {
			for _, scheme := range []string{"https://127.0.0.1", "http://127.0.0.1"} {
				if i := strings.Index(line, scheme); i >= 0 && strings.Contains(line, " / ") {
					return printed, line[i:], stop
				}
			}
		}
		if time.Now().After(end) {
			t.Fatalf("the panel is nowhere: %s", printed)
		}
	}
}

func TestTheCommandLineTrustsTheCertificateOfItsDaemon(t *testing.T) {
	data := t.TempDir()
	config := file(t, "  pins: {main: \""+hashOf(t, "314159")+"\"}\n  tls: self\n")
	printed, url, stop := started(t, "run", "--config", config, "--simulate", "--data", data, "--listen", "127.0.0.1:0")
	if !strings.HasPrefix(url, "https://") || !strings.Contains(printed.String(), "TLS: certificate SHA-256 ") {
		t.Fatalf("%s\n%s", url, printed)
	}
	if code, out, errors := do(t, "", "state", "--address", url, "--data", data); code != exitDone || !strings.Contains(out, "power") {
		t.Errorf("exit %d, %q %q", code, out, errors)
	}
	if code, _, errors := do(t, "", "state", "--address", url, "--token", "x", "--data", t.TempDir()); code != exitFailed || !strings.Contains(errors, "certificate") {
		t.Errorf("a certificate that nobody vouches for: exit %d, %q", code, errors)
	}
	if code, _, errors := do(t, "", "state", "--address", "http"+strings.TrimPrefix(url, "https"), "--data", data); code != exitFailed || !strings.Contains(errors, "https://") {
		t.Errorf("without TLS: exit %d, %q", code, errors)
	}
	stop()
}

// All that a whole daemon writes - its log at its most talkative, its output, every file of its data - is
// searched for the PINs and tokens that it has met.
func TestAWholeDaemonWritesNoSecret(t *testing.T) {
	const right, wrong, machine = "314159265", "271828182", "machine-token-0123456789"
	t.Setenv("LECTERN_TEST_TOKEN", machine)
	data := t.TempDir()
	config := file(t, "  pins: {main: \""+hashOf(t, right)+"\"}\n  tokens: [{name: bms, role: system, secret: \"${LECTERN_TEST_TOKEN}\"}]\n")
	printed, url, stop := started(t, "run", "--config", config, "--simulate", "--data", data, "--listen", "127.0.0.1:0", "--verbose")
	ask := func(method, path, body, header, value string) string {
		t.Helper()
		request, err := http.NewRequest(method, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(header, value)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var b bytes.Buffer
		_, _ = b.ReadFrom(answer.Body)
		for _, c := range answer.Cookies() {
			return c.Value
		}
		return b.String()
	}
	session := ask("POST", "/api/v1/session", `{"pin":"`+right+`"}`, "X-A", "b")
	ask("POST", "/api/v1/session", `{"pin":"`+wrong+`"}`, "X-A", "b")
	ask("POST", "/api/v1/session?pin="+wrong, `{"pin":"`+wrong, "X-A", "b")
	ask("GET", "/"+wrong+"?token="+machine, "", "Cookie", "lectern="+session)
	ask("GET", "/api/v1/state", "", "Authorization", "Bearer "+machine)
	ask("GET", "/api/v1/state", "", "Authorization", "Bearer wrong-"+machine)
	told := ask("GET", "/metrics", "", "X-A", "b") + ask("GET", "/api/v1/journal", "", "Authorization", "Bearer "+machine) + ask("GET", "/api/v1/trace", "", "Authorization", "Bearer "+machine)
	stop()
	all := told + printed.String()
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == tokenFile { // the token of the command line is there on purpose, for one user
			return err
		}
		b, err := os.ReadFile(path)
		all += string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(all, "wrong PIN") || !strings.Contains(all, "level=") {
		t.Errorf("the test looks in the wrong place: %.2000s", all)
	}
	for name, secret := range map[string]string{"the right PIN": right, "a wrong PIN": wrong, "a token": machine, "a session": session} {
		if secret == "" || strings.Contains(all, secret) {
			t.Errorf("%s was written: %q", name, secret)
		}
	}
}
