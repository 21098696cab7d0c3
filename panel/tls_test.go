package panel

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lectern/configs"
)

// own is a panel with a certificate of its own making, in a folder.
func own(t *testing.T, folder string, hosts ...string) *Certificate {
	t.Helper()
	c, err := OpenCertificate(&configs.Panel{TLS: &configs.TLS{Self: true}, Hosts: hosts}, folder, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// secured is a rig over TLS, and a client that trusts it.
func secured(t *testing.T) (*rig, *http.Client) {
	t.Helper()
	c := own(t, t.TempDir())
	r := newRig(t, guarded, func(config *Config) { config.Certificate = c })
	roots := x509.NewCertPool()
	roots.AddCert(c.current(time.Now()).Leaf)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}
	return r, &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func TestEveryKindOfAnswerHasTheHeadersThatBrowsersHeed(t *testing.T) {
	r, client := secured(t)
	want := map[string]string{
		"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000",
		"Permissions-Policy": "camera=(), microphone=(), geolocation=()",
	}
	long := `{"value":"` + strings.Repeat("x", bodyMost) + `"}`
	for _, c := range []struct {
		method, path, body, header string
		status                     int
	}{
		{"GET", "/", "", "", 200},
		{"GET", r.site.base + "/main.js", "", "", 200},
		{"GET", r.site.base + "/icon-192.png", "", "", 200},
		{"GET", "/manifest.webmanifest", "", "", 200},
		{"GET", "/api/v1/room", "", "", 200},
		{"GET", "/api/v1/events", "", "", 200},
		{"GET", "/metrics", "", "", 200},
		{"GET", "/healthz", "", "", 200},
		{"HEAD", "/", "", "", 405},
		{"OPTIONS", "/api/v1/state", "", "", 204},
		{"TRACE", "/", "", "", 405},
		{"GET", "/nothing", "", "", 404},
		{"GET", "/logo", "", "", 404},
		{"POST", "/api/v1/session", "{", "", 400},
		{"POST", "/api/v1/session", `{"pin":"0000"}`, "", 401},
		{"POST", "/api/v1/session", `{"pin":"` + rightly + `"}`, "", 200},
		{"DELETE", "/api/v1/session", "", "", 204},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"low"}`, "", 401},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"low"}`, bearer + "-view", 403},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"high"}`, bearer, 409},
		{"POST", "/api/v1/devices/lamp/level", long, bearer, 413},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"none"}`, bearer, 422},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"broken"}`, bearer, 502},
		{"GET", "/api/v1/state", "", "Host: evil.example", 421},
		{"GET", "/api/v1/state", "", "Origin: http://127.0.0.1", 403},
	} {
		request, err := http.NewRequest(c.method, r.url+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if name, value, ok := strings.Cut(c.header, ": "); ok {
			request.Header.Set(name, value)
			if name == "Host" {
				request.Host = value
			}
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Fatalf("%s %s: %v", c.method, c.path, err)
		}
		if c.path != "/api/v1/events" {
			_, _ = io.Copy(io.Discard, answer.Body)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, answer.StatusCode, c.status)
		}
		for name, value := range want {
			if answer.Header.Get(name) != value {
				t.Errorf("%s %s: %s is %q", c.method, c.path, name, answer.Header.Get(name))
			}
		}
		if cache := answer.Header.Get("Cache-Control"); cache != "no-store" && !strings.HasPrefix(c.path, assetPath) {
			t.Errorf("%s %s: kept, %q", c.method, c.path, cache)
		}
		for _, bad := range []string{"Server", "X-Powered-By", "Access-Control-Allow-Origin"} {
			if answer.Header.Get(bad) != "" {
				t.Errorf("%s %s tells %s: %s", c.method, c.path, bad, answer.Header.Get(bad))
			}
		}
		for _, cookie := range answer.Cookies() {
			if !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" {
				t.Errorf("%s %s: cookie %v", c.method, c.path, cookie)
			}
		}
	}
}

func TestOverTLSOnlyWhatIsStrongIsSpoken(t *testing.T) {
	r, client := secured(t)
	address := strings.TrimPrefix(r.url, "https://")
	roots := client.Transport.(*http.Transport).TLSClientConfig.RootCAs
	try := func(config *tls.Config) (tls.ConnectionState, error) {
		config.RootCAs = roots
		conn, err := tls.Dial("tcp", address, config)
		if err != nil {
			return tls.ConnectionState{}, err
		}
		defer conn.Close()
		return conn.ConnectionState(), nil
	}
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if _, err := try(&tls.Config{MinVersion: version, MaxVersion: version}); err == nil {
			t.Errorf("%s is spoken", tls.VersionName(version))
		}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		state, err := try(&tls.Config{MinVersion: version, MaxVersion: version, NextProtos: []string{"h2", "http/1.1"}})
		if err != nil || state.NegotiatedProtocol != "http/1.1" {
			t.Errorf("%s: %v, %q", tls.VersionName(version), err, state.NegotiatedProtocol)
		}
	}
	strong := 0
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if !slices.Contains(suite.SupportedVersions, tls.VersionTLS12) {
			continue
		}
		_, err := try(&tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID}})
		good := strings.HasPrefix(suite.Name, "TLS_ECDHE_ECDSA") && (strings.Contains(suite.Name, "_GCM_") || strings.Contains(suite.Name, "CHACHA20"))
		if good != (err == nil) {
			t.Errorf("%s: %v", suite.Name, err)
		}
		if good {
			strong++
		}
	}
	if strong != 3 {
		t.Errorf("%d suites", strong)
	}
	// Who speaks no TLS is told, and told nothing else.
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\n\r\n")
	b, _ := io.ReadAll(conn)
	if !bytes.HasPrefix(b, []byte("HTTP/1.0 400")) || bytes.Contains(b, []byte("lamp")) {
		t.Errorf("without TLS: %q", b)
	}
}

func TestTheCertificateOfItsOwnMakingIsForTheMachineAndIsRenewed(t *testing.T) {
	folder := t.TempDir()
	c := own(t, folder, "hall.building.example", "10.20.30.40")
	now := time.Now()
	first := c.current(now)
	key, ok := first.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || key.Curve.Params().Name != "P-256" || first.Leaf.IsCA {
		t.Errorf("%T, an authority: %v", first.PrivateKey, first.Leaf.IsCA)
	}
	self, _ := os.Hostname()
	for _, name := range []string{self, "localhost", "127.0.0.1", "::1", "hall.building.example", "10.20.30.40"} {
		if err := first.Leaf.VerifyHostname(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{CertFile, keyFile} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	cert, pin := c.Fingerprint()
	if len(cert) != 32*3-1 || len(pin) != 44 {
		t.Errorf("fingerprints %q %q", cert, pin)
	}
	// The next start, and a day before it would be renewed: the same.
	if again := own(t, folder, "hall.building.example", "10.20.30.40"); !bytes.Equal(again.current(now).Leaf.Raw, first.Leaf.Raw) {
		t.Error("another certificate after a restart")
	}
	if late := first.Leaf.NotAfter.Add(-certRenew - 24*time.Hour); !bytes.Equal(c.current(late).Leaf.Raw, first.Leaf.Raw) {
		t.Error("renewed too early")
	}
	second := c.current(first.Leaf.NotAfter.Add(-certRenew + time.Hour))
	if !second.Leaf.NotAfter.After(first.Leaf.NotAfter) || !bytes.Equal(second.Leaf.RawSubjectPublicKeyInfo, first.Leaf.RawSubjectPublicKeyInfo) {
		t.Errorf("ends %s, before %s", second.Leaf.NotAfter, first.Leaf.NotAfter)
	}
	// Another name in the room file: another certificate, for the same key.
	third := own(t, folder, "new.building.example").current(now)
	if third.Leaf.VerifyHostname("new.building.example") != nil || !bytes.Equal(third.Leaf.RawSubjectPublicKeyInfo, first.Leaf.RawSubjectPublicKeyInfo) {
		t.Error("the certificate does not have the new name, or has another key")
	}
}

func TestACertificateInFilesIsFollowedAndABadOneIsNot(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	first, second := own(t, a).current(time.Now()).Leaf, own(t, b).current(time.Now()).Leaf
	c, err := OpenCertificate(&configs.Panel{TLS: &configs.TLS{Cert: filepath.Join(a, CertFile), Key: filepath.Join(a, keyFile)}}, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	shows := func(want *x509.Certificate) {
		t.Helper()
		if now = now.Add(2 * certLook); !bytes.Equal(c.current(now).Leaf.Raw, want.Raw) {
			t.Error("another certificate is shown")
		}
	}
	put := func(name string, data []byte) {
		t.Helper()
		file := filepath.Join(a, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, now, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	take := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(b, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	shows(first)
	put(CertFile, []byte("half a file"))
	shows(first)
	put(CertFile, take(CertFile)) // whose key has not come yet
	shows(first)
	put(keyFile, take(keyFile))
	now = now.Add(time.Hour)
	put(CertFile, take(CertFile))
	shows(second)
	if _, err := OpenCertificate(&configs.Panel{TLS: &configs.TLS{Cert: filepath.Join(a, "none"), Key: filepath.Join(a, keyFile)}}, "", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a panel without its certificate would start")
	}
}

func TestACertificateOfItsOwnMakingTakesOverNewNames(t *testing.T) {
	c := own(t, t.TempDir(), "old.example")
	_, key := c.Fingerprint()
	c.Rename(&configs.Panel{TLS: &configs.TLS{Self: true}, Hosts: []string{"new.example"}})
	leaf := c.current(time.Now().Add(certLook)).Leaf
	if err := leaf.VerifyHostname("new.example"); err != nil {
		t.Error(err)
	}
	if _, now := c.Fingerprint(); now != key {
		t.Error("the key is another")
	}
}
