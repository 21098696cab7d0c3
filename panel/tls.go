package panel

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"lectern/configs"
)

// CertFile is the certificate that the program makes for itself, in the folder of the room's data. Its
// key is beside it.
const (
	CertFile = "panel-cert.pem"
	keyFile  = "panel-key.pem"
)

const (
	certLasts = 397 * 24 * time.Hour // the longest that browsers take
	certRenew = 30 * 24 * time.Hour  // before its end
	certLook  = time.Minute          // between two looks at the files
)

// Certificate is what the panel shows that it is itself with. It follows the files that it comes from,
// and one of its own making it renews before it ends; connections that are open stay so.
type Certificate struct {
	cert, key string // paths
	self      bool
	names     func() []string // for one of its own making
	log       *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	stamp  time.Time // of the files that pair comes from
	looked time.Time
}

// OpenCertificate reads the certificate that the room file names, or the one in the folder, which it
// makes where it is missing.
func OpenCertificate(p *configs.Panel, folder string, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{cert: p.TLS.Cert, key: p.TLS.Key, self: p.TLS.Self, log: log}
	if c.self {
		c.cert, c.key = filepath.Join(folder, CertFile), filepath.Join(folder, keyFile)
		c.names = func() []string { return ownNames(p) }
	}
	if err := c.look(time.Now()); err != nil {
		return nil, err
	}
	return c, nil
}

// Rename takes over the names that a room file read again gives. A certificate of its own making has them
// within a minute, and keeps its key.
func (c *Certificate) Rename(p *configs.Panel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.self {
		c.names = func() []string { return ownNames(p) }
	}
}

// Config is TLS as the panel speaks it: 1.2 with forward secrecy and authenticated encryption, or 1.3.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos:     []string{"http/1.1"}, // whose time limits the server sets itself
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(time.Now()), nil },
	}
}

// Fingerprint is the certificate's SHA-256, as browsers show it, and that of its key, as curl and
// Chromium take it; the key stays when the certificate is renewed.
func (c *Certificate) Fingerprint() (cert, key string) {
	leaf := c.current(time.Now()).Leaf
	sum, spki := sha256.Sum256(leaf.Raw), sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	var hex []string
	for _, b := range sum {
		hex = append(hex, fmt.Sprintf("%02X", b))
	}
	return strings.Join(hex, ":"), base64.StdEncoding.EncodeToString(spki[:])
}

// current is the certificate to show now. Where a newer one cannot be had the last good one stays.
func (c *Certificate) current(now time.Time) *tls.Certificate {
	c.mu.Lock()
	due := now.Sub(c.looked) >= certLook
	c.mu.Unlock()
	if due {
		if err := c.look(now); err != nil {
			c.log.Error("the panel's certificate cannot be renewed; the last one stays", "error", err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pair
}

// look reads the files where they have changed, and renews a certificate of its own making.
func (c *Certificate) look(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looked = now
	stamp, err := stampOf(c.cert, c.key)
	if err == nil && (c.pair == nil || !stamp.Equal(c.stamp)) {
		err = c.read(stamp)
	}
	if c.self && (err != nil || c.stale(now)) {
		if err = c.make(now); err == nil {
			stamp, err = stampOf(c.cert, c.key)
			err = errors.Join(err, c.read(stamp))
		}
	}
	if err != nil {
		return fmt.Errorf("the certificate of the panel: %w", err)
	}
	if left := c.pair.Leaf.NotAfter.Sub(now); left < certRenew {
		c.log.Warn("the panel's certificate ends soon", "file", c.cert, "ends", c.pair.Leaf.NotAfter)
	}
	return nil
}

func stampOf(files ...string) (latest time.Time, err error) {
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			return time.Time{}, err //nolint:wrapcheck // names the file
		}
		if info.ModTime().After(latest) {
			latest = info.ModTime()
		}
	}
	return latest, nil
}

func (c *Certificate) read(stamp time.Time) error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return err //nolint:wrapcheck // says what is wrong
	}
	c.pair, c.stamp = &pair, stamp
	return nil
}

// stale reports whether a certificate of its own making ends soon, or lacks a name that the machine has now.
func (c *Certificate) stale(now time.Time) bool {
	leaf := c.pair.Leaf
	return leaf.NotAfter.Sub(now) < certRenew || slices.ContainsFunc(c.names(), func(name string) bool { return leaf.VerifyHostname(name) != nil })
}

// make makes a certificate, for the key that is there or a new one.
func (c *Certificate) make(now time.Time) error {
	key, err := c.ownKey()
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return fmt.Errorf("making a serial number: %w", err)
	}
	names := c.names()
	form := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0], Organization: []string{"Lectern"}},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(certLasts), // a panel's clock may be behind
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			form.IPAddresses = append(form.IPAddresses, ip)
		} else {
			form.DNSNames = append(form.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		return fmt.Errorf("making it: %w", err)
	}
	c.log.Info("made a certificate for the panel", "file", c.cert, "names", names, "ends", form.NotAfter)
	return write(c.cert, "CERTIFICATE", der)
}

// ownKey is the key that is there, so that who has noted it need not note another; or a new one.
func (c *Certificate) ownKey() (*ecdsa.PrivateKey, error) {
	b, err := os.ReadFile(c.key)
	if err == nil {
		if block, _ := pem.Decode(b); block != nil {
			if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
				if key, ok := key.(*ecdsa.PrivateKey); ok {
					return key, nil
				}
			}
		}
		c.log.Warn("the key of the panel's certificate cannot be read; another is made", "file", c.key)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err //nolint:wrapcheck // names the file
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("writing a key: %w", err)
	}
	return key, write(c.key, "PRIVATE KEY", der)
}

// write puts a file in its place at once, readable by nobody else: a power failure leaves the old one
// or the new one.
func write(file, kind string, der []byte) error {
	fresh := file + ".new"
	err := os.WriteFile(fresh, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	if err == nil {
		err = os.Rename(fresh, file)
	}
	return err //nolint:wrapcheck // names the file
}

// ownNames lists what the machine is called and where it is: its name, alone and as mDNS has it, the
// room file's names, and its IPv4 addresses. Those of IPv6 change by themselves every day.
func ownNames(p *configs.Panel) []string {
	var names []string
	add := func(name string) {
		if name = strings.TrimSuffix(strings.ToLower(name), "."); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if name, err := os.Hostname(); err == nil {
		first, _, _ := strings.Cut(name, ".")
		add(name)
		add(first)
		add(first + ".local")
	}
	for _, name := range p.Hosts {
		add(name)
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		add(name)
	}
	addresses, _ := net.InterfaceAddrs() // without them there are still the names
	for _, a := range addresses {
		if network, ok := a.(*net.IPNet); ok && network.IP.To4() != nil {
			add(network.IP.String())
		}
	}
	return names
}
