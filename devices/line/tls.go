package line

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// TLS returns how the other end of a TLS connection is trusted, and what it knows this end by. The
// arguments are paths of PEM files: ca of the authority that signed the other end's certificate, "" for
// those that the machine trusts; cert and key of this end's own certificate, "" for none.
func TLS(ca, cert, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("reading the authority's certificate: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the authority's certificate: %s holds no PEM certificate", ca)
		}
	}
	if cert != "" {
		own, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("reading the own certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{own}
	}
	return c, nil
}
