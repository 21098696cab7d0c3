package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"lectern/panel"
)

// client is how a verb asks the daemon. Beside the authorities that the machine trusts it trusts the
// certificate that the daemon made for itself, which lies beside the token.
func (c *connection) client() *http.Client {
	if !strings.HasPrefix(c.Address, "https:") {
		return http.DefaultClient
	}
	files := []string{filepath.Join(c.Data, panel.CertFile)}
	if c.Data == "" {
		files = nil
		if s := os.Getenv("STATE_DIRECTORY"); s != "" {
			files = append(files, filepath.Join(s, panel.CertFile))
		}
		if home, err := os.UserHomeDir(); err == nil {
			found, _ := filepath.Glob(filepath.Join(home, ".local", "state", "lectern", "*", panel.CertFile))
			files = append(files, found...)
		}
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	own := false
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && roots.AppendCertsFromPEM(b) {
			own = true
		}
	}
	if !own {
		return http.DefaultClient
	}
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, DisableKeepAlives: true,
	}}
}
