package mqtt

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lectern/configs"
)

// authority makes certificates for a test.
type authority struct {
	t      *testing.T
	folder string
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, folder: t.TempDir()}
	a.cert, a.key = a.issue(name, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue writes name.pem and name.key into the folder.
func (a *authority) issue(name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	a.serial++
	c.SerialNumber, c.Subject = big.NewInt(a.serial), pkix.Name{CommonName: name}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	by, byKey := a.cert, a.key
	if by == nil {
		by, byKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, byKey)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for ending, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "EC PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(a.file(name+ending), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return made, key
}

func (a *authority) file(name string) string { return filepath.Join(a.folder, name) }

// A broker of the building: TLS, a certificate from each client, user and password, and rights by topic as
// panel/README.md shows them. A facilities system comes in on a second, plain listener of the same broker.
func TestABrokerOfTheBuilding(t *testing.T) {
	building, stranger := newAuthority(t, "building"), newAuthority(t, "stranger")
	secure := free(t)
	host, port, _ := net.SplitHostPort(secure)
	building.issue("broker", &x509.Certificate{IPAddresses: []net.IP{net.ParseIP(host)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	client := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	building.issue("hall", &x509.Certificate{ExtKeyUsage: client})
	stranger.issue("hall", &x509.Certificate{ExtKeyUsage: client})

	passwords := building.file("passwords")
	for user, password := range map[string]string{roomUser: "room", facilitiesUser: "facilities", "hall-2": "two"} {
		args := []string{"-b", passwords, user, password}
		if _, err := os.Stat(passwords); err != nil {
			args = append([]string{"-c"}, args...)
		}
		if out, err := exec.Command(program(t, "mosquitto_passwd"), args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	rights := building.file("rights")
	err := os.WriteFile(rights, []byte(strings.Join([]string{
		"user " + roomUser, "topic readwrite homie/5/hall/#", "topic write homeassistant/device/lectern-hall/config", "topic read homeassistant/status",
		"user hall-2", "topic readwrite homie/5/hall-2/#", "topic write homeassistant/device/lectern-hall-2/config", "topic read homeassistant/status",
		"user " + facilitiesUser, "topic read #", "topic write homie/5/+/+/+/set", "",
	}, "\n")), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	v := &venue{name: "mosquitto", address: free(t)}
	mosquitto(t, v, "allow_anonymous false", "password_file "+passwords, "acl_file "+rights,
		"listener "+port+" "+host, "cafile "+building.file("building.pem"), "certfile "+building.file("broker.pem"), "keyfile "+building.file("broker.key"), "require_certificate true")
	t.Cleanup(v.kill)

	f := configs.Facilities{Broker: "ssl://" + secure, User: roomUser, Password: "room", CA: building.file("building.pem"), Cert: building.file("hall.pem"), Key: building.file("hall.key")}
	h, l := show(t, v, func(c *Config) { c.Facilities = f })
	l.outcomes(t, "spot/level", "low", "accepted", "done")
	l.discovered(t, "hall")
	// The rights keep rooms apart even where one is told to be the other.
	other := newHall(t, v, "hall", func(c *Config) {
		c.Facilities, c.Cfg.Room.ID = f, "hall-3"
	}).run(t)
	l.publish(t, "homie/5/hall-3/spot/level/set", "low", false)
	l.outcomes(t, "spot/level", "off", "accepted", "done")
	if did := other.lamp.done(); len(did) > 0 {
		t.Errorf("a room without the right did %v", did)
	}
	l.mu.Lock()
	if state := l.last["homie/5/hall-3/$state"]; state != "" {
		t.Errorf("a room without the right is %s", state)
	}
	l.mu.Unlock()
	other.stop()
	h.stop()
	l.says(t, "homie/5/hall/$state", "disconnected")

	for name, change := range map[string]func(*configs.Facilities){
		"an authority it does not know": func(f *configs.Facilities) { f.CA = stranger.file("stranger.pem") },
		"no certificate":                func(f *configs.Facilities) { f.Cert, f.Key = "", "" },
		"a stranger's certificate":      func(f *configs.Facilities) { f.Cert, f.Key = stranger.file("hall.pem"), stranger.file("hall.key") },
		"a wrong password":              func(f *configs.Facilities) { f.Password = "guess" },
		"no TLS":                        func(f *configs.Facilities) { f.Broker = "tcp://" + secure },
	} {
		t.Run(name, func(t *testing.T) {
			wrong := f
			change(&wrong)
			out := newHall(t, v, "hall", func(c *Config) { c.Facilities = wrong })
			failed := make(chan struct{})
			out.gateway.Log = tellWhen(func(message string) {
				if strings.Contains(message, "cannot be reached") {
					close(failed)
				}
			})
			ctx, cancel := context.WithCancel(context.Background())
			over := make(chan *session, 1)
			go func() { over <- out.gateway.connect(ctx) }()
			select {
			case <-failed:
			case <-time.After(patience):
				t.Error("nothing is said")
			}
			cancel()
			if s := <-over; s != nil {
				t.Error("it is let in")
				s.client.Disconnect(0)
			}
		})
	}
}

func TestCertificatesThatCannotBeReadAreNamed(t *testing.T) {
	a := newAuthority(t, "building")
	if err := os.WriteFile(a.file("text.pem"), []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]configs.Facilities{
		"gone.pem":                        {CA: a.file("gone.pem")},
		"text.pem holds no PEM":           {CA: a.file("text.pem")},
		"own certificate":                 {Cert: a.file("building.pem"), Key: a.file("gone.key")},
		"broker ssl://lobby:xxxxx@broker": {Broker: "ssl://lobby:secret@broker:8883", CA: a.file("gone.pem")},
	} {
		if _, err := security(f); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// tellWhen is a log that tells somebody.
func tellWhen(told func(message string)) *slog.Logger {
	return slog.New(teller{slog.DiscardHandler, told})
}

type teller struct {
	slog.Handler
	told func(message string)
}

func (teller) Enabled(context.Context, slog.Level) bool { return true }

func (t teller) Handle(_ context.Context, r slog.Record) error {
	t.told(r.Message)
	return nil
}
