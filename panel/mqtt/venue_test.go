package mqtt

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"go.uber.org/goleak"

	"lectern/configs"
	"lectern/devices/devicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

var silent = slog.New(slog.DiscardHandler)

// venue is a broker under test. It can be killed and brought back at the same address.
type venue struct {
	name    string
	address string
	room    string  // whose topics the embedded one knows
	broker  *Broker // the embedded one, while it is up; nil elsewhere
	start   func(t *testing.T, v *venue)
	kill    func()
}

// venues are the brokers that everything is tested on. The third is one that does not tell which commands
// are retained.
var venues = []string{"embedded", "mosquitto", "blind"}

// everywhere runs a test on every broker.
func everywhere(t *testing.T, test func(t *testing.T, v *venue)) {
	for _, name := range venues {
		t.Run(name, func(t *testing.T) { test(t, open(t, name)) })
	}
}

func open(t *testing.T, name string) *venue { t.Helper(); return openFor(t, name, "hall") }

func openFor(t *testing.T, name, room string) *venue {
	t.Helper()
	v := &venue{name: name, address: devicetest.Address(), room: room, start: startEmbedded}
	if name == "mosquitto" {
		v.start, v.address = startMosquitto, free(t)
	}
	v.start(t, v)
	t.Cleanup(func() { v.kill() })
	return v
}

// free is an address that nobody listens on, nor will.
func free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", devicetest.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func startEmbedded(t *testing.T, v *venue) {
	t.Helper()
	logins := map[string]login{roomUser: {"room", roleRoom}, facilitiesUser: {"facilities", roleOperate}}
	b, err := newBroker(context.Background(), v.address, v.room, logins, silent)
	if err != nil {
		t.Fatal(err)
	}
	v.address, v.kill = b.address, sync.OnceFunc(func() { _ = b.Close() })
	if v.name == "embedded" {
		v.broker = b
	}
}

// program finds a program of the Debian package mosquitto or mosquitto-clients. Where there is none the
// test is skipped with a word, but not in CI, which installs it.
func program(t testing.TB, name string) string {
	t.Helper()
	for _, try := range []string{name, filepath.Join("/usr/sbin", name)} {
		if path, err := exec.LookPath(try); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("there is no %s, and CI must have it: apt-get install mosquitto mosquitto-clients", name)
	}
	t.Skipf("there is no %s: apt-get install mosquitto mosquitto-clients", name)
	return ""
}

func startMosquitto(t *testing.T, v *venue) { mosquitto(t, v, "allow_anonymous true") }

// mosquitto starts one of its own, with nothing kept on the disk.
func mosquitto(t testing.TB, v *venue, lines ...string) {
	t.Helper()
	host, port, _ := net.SplitHostPort(v.address)
	lines = append([]string{"listener " + port + " " + host, "persistence false", "set_tcp_nodelay true", "max_queued_messages 0", "log_type error"}, lines...)
	config := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(program(t, "mosquitto"), "-c", config)
	if os.Getuid() == 0 { // it would give up its rights, and could not read the test's files
		if err := os.WriteFile(config, []byte("user root\n"+strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	v.kill = sync.OnceFunc(func() { _ = daemon.Process.Kill(); _ = daemon.Wait() })
	for end := time.Now().Add(patience); ; {
		c, err := net.Dial("tcp", v.address)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(end) {
			v.kill()
			t.Fatalf("mosquitto does not come up: %v", err)
		}
	}
}

// restart brings the broker back as one that has forgotten everything.
func (v *venue) restart(t *testing.T) {
	t.Helper()
	v.kill()
	v.start(t, v)
}

func (v *venue) url() string { return "tcp://" + v.address }

func (v *venue) facilities() configs.Facilities {
	return configs.Facilities{Broker: v.url(), User: roomUser, Password: "room"}
}

// heard is a message as a facilities system got it.
type heard struct {
	topic, payload string
	retained       bool
}

// listener is a facilities system: it keeps what every topic last said.
type listener struct {
	client paho.Client
	mu     sync.Mutex
	last   map[string]string
	all    []heard
	found  map[string][]result
	more   chan struct{}
}

// listen comes in with the login of facilities and hears everything.
func listen(t testing.TB, v *venue, filters ...string) *listener {
	t.Helper()
	l := &listener{last: make(map[string]string), found: make(map[string][]result), more: make(chan struct{}, 1)}
	l.client = paho.NewClient(paho.NewClientOptions().AddBroker(v.url()).
		SetUsername(facilitiesUser).SetPassword("facilities").SetAutoReconnect(false).SetOrderMatters(true))
	done(t, l.client.Connect())
	t.Cleanup(func() { l.client.Disconnect(100) })
	if len(filters) == 0 {
		filters = []string{"#"}
	}
	for _, f := range filters {
		done(t, l.client.Subscribe(f, 1, l.take))
	}
	return l
}

func (l *listener) take(_ paho.Client, m paho.Message) {
	l.mu.Lock()
	l.last[m.Topic()] = string(m.Payload())
	l.note(m.Topic(), string(m.Payload()))
	l.all = append(l.all, heard{m.Topic(), string(m.Payload()), m.Retained()})
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
}

func done(t testing.TB, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatalf("the broker did not do it: %v", token.Error())
	}
}

// until waits until a condition holds of everything heard.
func (l *listener) until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	limit := time.After(patience)
	for {
		l.mu.Lock()
		ok := holds()
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-l.more:
		case <-limit:
			l.mu.Lock()
			defer l.mu.Unlock()
			t.Fatalf("never: %s; heard %+v", what, l.all[max(0, len(l.all)-60):])
		}
	}
}

func (l *listener) says(t testing.TB, topic, payload string) {
	t.Helper()
	l.until(t, topic+" says "+payload, func() bool { return l.last[topic] == payload })
}

func (l *listener) publish(t testing.TB, topic, payload string, retained bool) {
	t.Helper()
	done(t, l.client.Publish(topic, 1, retained, payload))
}

// results are the results on a topic, in their order.
func (l *listener) results(topic string) []result { return l.found[topic] }

// note keeps a result. At QoS 1 the same one may come twice, where a cable was cut before the
// acknowledgement.
func (l *listener) note(topic, payload string) {
	var r result
	before := l.found[topic]
	if strings.HasSuffix(topic, "/$result") && json.Unmarshal([]byte(payload), &r) == nil && !slices.Contains(before[max(0, len(before)-8):], r) {
		l.found[topic] = append(before, r)
	}
}

// outcomes sets a property and waits for its results, in this order and no others between them.
func (l *listener) outcomes(t testing.TB, property, value string, want ...string) result {
	t.Helper()
	topic := "homie/5/hall/" + property + "/$result"
	l.mu.Lock()
	before := len(l.results(topic))
	l.mu.Unlock()
	l.publish(t, "homie/5/hall/"+property+"/set", value, false)
	return l.further(t, topic, before, want...)
}

// further waits for the results that come after the first few.
func (l *listener) further(t testing.TB, topic string, before int, want ...string) (last result) {
	t.Helper()
	l.until(t, fmt.Sprint(topic, " says ", want), func() bool { return len(l.results(topic)) >= before+len(want) })
	l.mu.Lock()
	defer l.mu.Unlock()
	var got []string
	for _, r := range l.results(topic)[before:] {
		got, last = append(got, r.Outcome), r
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v; %+v", topic, got, want, last)
	}
	if last.Time.IsZero() || (last.Reason == "") != (last.ReasonZH == "") {
		t.Errorf("%+v: it wants a time, and a reason in both languages or none", last)
	}
	return last
}
