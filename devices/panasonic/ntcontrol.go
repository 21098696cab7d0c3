package panasonic

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the protocol demands it
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	helloTime = 5 * time.Second
	// networkPause leaves the projector time to close one connection before the next.
	networkPause = 100 * time.Millisecond
	network      = "00" // before every command and reply
)

// NTControl describes the driver of the network port.
func NTControl() devices.Driver {
	return devices.Driver{
		Name: "panasonic-ntcontrol", Feedback: "state, lamp", Equipment: "Panasonic projectors, on the network",
		Facts: "operating instructions of PT-RQ35K, PT-MW630 and PT-RW330, control commands via LAN",
		Kinds: []string{"projector"}, Lines: []line.Kind{line.TCP},
		Settings: func() any {
			return &NTControlSettings{User: "admin1", LampStatus: true, Hours: "Q$L:1", AfterPower: afterPower, AfterInput: afterInput}
		},
		New: newNTControl,
	}
}

// NTControlSettings are the settings of a projector on the network.
type NTControlSettings struct {
	User       string        `yaml:"user" doc:"name of the web control's administrator; default admin1"`
	Password   string        `yaml:"password" doc:"password of the web control's administrator, where the projector is protected; from ${NAME} or file:"`
	LampStatus bool          `yaml:"lamp_status" doc:"whether the model has the query Q$S; without it warming and cooling are not seen; default true"`
	Hours      string        `yaml:"hours" doc:"query for the hours: Q$L:1 (default) for models with several lamps, Q$L with one, QST for laser models"`
	AfterPower time.Duration `yaml:"after_power" doc:"how long the projector is left alone after a power command; default 8s; some manuals demand 60s"`
	AfterInput time.Duration `yaml:"after_input" doc:"how long the projector is left alone after an input command; default 2s"`
}

func (s *NTControlSettings) manners() manners {
	return manners{lampStatus: s.LampStatus, hours: s.Hours, afterPower: s.AfterPower, afterInput: s.AfterInput}
}

// Validate says what is wrong with the settings.
func (s *NTControlSettings) Validate() error {
	err := s.manners().validate()
	if strings.ContainsAny(s.User+s.Password, ":\r\n") {
		err = errors.Join(err, errors.New("user, password: neither may hold a colon or a line break"))
	}
	return err
}

func newNTControl(e devices.Env, settings any) (any, error) {
	set := settings.(*NTControlSettings)
	door := &login{user: set.User, password: set.Password}
	s := line.Session{
		Name: "NTCONTROL", OneExchange: true, Greet: door.greet, Seal: door.seal,
		Split:   func(got []byte) int { return bytes.IndexByte(got, '\r') + 1 },
		Explain: func(f []byte) string { return strings.TrimSpace(string(f)) },
	}
	if err := e.Line.Use(s); err != nil {
		return nil, fmt.Errorf("panasonic-ntcontrol: %w", err)
	}
	return &Projector{
		line: e.Line, set: set.manners(),
		speech: dialect{frame: networkFrame, body: networkBody, pause: networkPause},
	}, nil
}

// networkFrame writes a command. The digest goes before it, see login.
func networkFrame(command string) []byte { return []byte(network + command + "\r") }

// networkBody returns what a reply says. Errors have no 00 before them.
func networkBody(frame []byte) (text string, ok bool) {
	text, ok = strings.CutSuffix(string(frame), "\r")
	if !ok {
		return "", false
	}
	if refusal(text) != nil {
		return text, true
	}
	return strings.CutPrefix(text, network)
}

// login answers the greeting of each connection. Both its methods are called by the line's own
// goroutine.
type login struct {
	user, password string
	digest         string // of the present connection
}

// greet reads "NTCONTROL 0", or "NTCONTROL 1" with a random number in protected mode.
func (l *login) greet(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
	hello, err := do(ctx, line.Exchange{
		Note: "greeting", Timeout: helloTime,
		Accept: func(f []byte) bool {
			return bytes.HasPrefix(f, []byte("NTCONTROL")) || bytes.HasPrefix(f, []byte("ERR"))
		},
	})
	if err != nil {
		return fmt.Errorf("%w; is this the command port (1024), and command control switched on in the projector's network menu?", err)
	}
	l.digest, err = authenticate(hello, l.user, l.password)
	return err
}

// authenticate returns what goes before the commands of a connection that was greeted so.
func authenticate(hello []byte, user, password string) (digest string, err error) {
	words := strings.Fields(string(hello))
	switch {
	case len(words) == 2 && words[0] == "NTCONTROL" && words[1] == "0":
		return "", nil
	case len(words) == 3 && words[0] == "NTCONTROL" && words[1] == "1":
		if password == "" {
			return "", errors.New("the projector asks for a password: give with.password of the device")
		}
		sum := md5.Sum([]byte(user + ":" + password + ":" + words[2])) //nolint:gosec // as above
		return hex.EncodeToString(sum[:]), nil
	}
	return "", fmt.Errorf("the projector greets with %.40q, which is not NTCONTROL", hello)
}

func (l *login) seal(request []byte) []byte { return append([]byte(l.digest), request...) }
