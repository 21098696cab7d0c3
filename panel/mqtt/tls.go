package mqtt

import (
	"crypto/tls"
	"fmt"
	"net/url"

	"lectern/configs"
	"lectern/devices/line"
)

// security is what a broker behind TLS is trusted by, and what it knows this room by.
func security(f configs.Facilities) (*tls.Config, error) {
	c, err := line.TLS(f.CA, f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("broker %s: %w", redact(f.Broker), err)
	}
	return c, nil
}

// redact takes a password out of an address.
func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(unreadable address)"
	}
	return u.Redacted()
}
