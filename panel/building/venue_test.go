package building

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/goleak"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/loopback"
	"lectern/panel/mqtt"
	"lectern/panel/pin"
	"lectern/scenes/journal"
	rooms "lectern/scenes/room"
	"lectern/scenes/sequence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

var silent = slog.New(slog.DiscardHandler)

// venue is a broker that can be killed and brought back at its address.
type venue struct {
	name, address string
	kill          func()
}

func (v *venue) url() string { return "tcp://" + v.address }

// everywhere runs a test on an embedded broker and on Mosquitto.
func everywhere(t *testing.T, test func(t *testing.T, v *venue)) {
	for _, name := range []string{"embedded", "mosquitto"} {
		t.Run(name, func(t *testing.T) {
			v := &venue{name: name, address: free(t)}
			v.start(t)
			t.Cleanup(func() { v.kill() })
			test(t, v)
		})
	}
}

// open is a broker that lets everybody do everything.
type open struct{ mochi.HookBase }

func (*open) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*open) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*open) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

func (v *venue) start(t testing.TB, lines ...string) {
	t.Helper()
	if v.name == "mosquitto" {
		v.mosquitto(t, lines...)
		return
	}
	server := mochi.New(&mochi.Options{Logger: silent, SysTopicResendInterval: 1 << 30})
	listener, err := net.Listen("tcp", v.address)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{server.AddHook(new(open), nil), server.AddHook(new(loopback.Turns), nil), server.AddListener(loopback.Door(listeners.NewNet("test", listener), server)), server.Serve()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	v.kill = sync.OnceFunc(func() { _ = server.Close() })
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

// program finds a program of the Debian packages mosquitto and mosquitto-clients. Where there is none the
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

func (v *venue) mosquitto(t testing.TB, lines ...string) {
	t.Helper()
	host, port, _ := net.SplitHostPort(v.address)
	lines = append([]string{"user root", "listener " + port + " " + host, "persistence false", "set_tcp_nodelay true", "log_type error", "allow_anonymous true"}, lines...)
	if os.Getuid() != 0 {
		lines = lines[1:]
	}
	config := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(program(t, "mosquitto"), "-c", config)
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

// stranger is a client that says what it likes.
func stranger(t testing.TB, v *venue) paho.Client {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker(v.url()).SetAutoReconnect(false))
	done(t, c.Connect())
	t.Cleanup(func() { c.Disconnect(100) })
	return c
}

func done(t testing.TB, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatalf("the broker did not do it: %v", token.Error())
	}
}

// thing is a piece of equipment that says what a test has it say.
type thing struct {
	properties []devices.Property
	report     devices.Reporter
}

func (d *thing) Properties() []devices.Property                 { return d.properties }
func (d *thing) Bind(r devices.Reporter)                        { d.report = r }
func (*thing) Run(ctx context.Context) error                    { <-ctx.Done(); return nil }
func (*thing) Refresh(context.Context) error                    { return nil }
func (*thing) Set(context.Context, string, devices.Value) error { return nil }

// hall is a room with a projector and a thermometer, shown on a broker by the gateway that real rooms have.
type hall struct {
	rooms                  *rooms.Room
	id                     string
	projector, temperature *thing
	gateway                *mqtt.Gateway
	last                   string // what a benchmark had the projector say
	mu                     sync.Mutex
	service                mqtt.Service
	stop                   func()
}

func newHall(t testing.TB, v *venue, id string) *hall {
	t.Helper()
	h := &hall{
		id:          id,
		projector:   &thing{properties: []devices.Property{{Name: "power", Kind: devices.KindEnum, Settable: true, Options: append(devices.Words("off", "on"), devices.Option{Value: "warming", State: true})}}},
		temperature: &thing{properties: []devices.Property{{Name: "temperature", Kind: devices.KindNumber}}},
		stop:        func() {},
	}
	j := journal.Open("", silent)
	r, err := rooms.New(rooms.Config{Members: []rooms.Member{{ID: "projector", Device: h.projector}, {ID: "air", Device: h.temperature}}, Log: silent, Journal: j})
	if err != nil {
		t.Fatal(err)
	}
	h.projector.report.Reach(nil)
	h.temperature.report.Reach(nil)
	h.power("off")
	h.warm(22.5)
	cfg := &configs.Room{
		Room: configs.About{ID: id, Name: configs.Name{ZH: "第" + id + "会议室", EN: "Room " + id}, Language: "zh"},
		Devices: []configs.Device{
			{ID: "projector", Kind: "projector", Name: configs.Name{ZH: "投影机", EN: "Projector"}},
			{ID: "air", Kind: "sensor", Name: configs.Name{ZH: "温度", EN: "Temperature"}},
		},
	}
	h.rooms = r
	h.gateway, err = mqtt.New(mqtt.Config{
		Cfg: cfg, Room: r, Engine: sequence.New(sequence.Config{Room: r, Log: silent, Journal: j}), Journal: j,
		Facilities: configs.Facilities{Broker: v.url()}, Build: "1.2.3", Log: silent, Service: h.serves,
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hall) run(t testing.TB) *hall {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); _ = h.gateway.Run(ctx) }()
	h.stop = sync.OnceFunc(func() { cancel(); <-over })
	t.Cleanup(h.stop)
	return h
}

func (h *hall) power(word string) {
	h.projector.report.Report("power", devices.Word(word), devices.Reported)
}
func (h *hall) warm(t float64) {
	h.temperature.report.Report("temperature", devices.Number(t), devices.Reported)
}

func (h *hall) serves() mqtt.Service {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.service
}

func (h *hall) served(s mqtt.Service) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.service = s
}

// openPIN opens the page of a test.
const openPIN = "1357"

// fileFor is a building file.
func fileFor(t testing.TB, v *venue, rooms ...string) *configs.Building {
	t.Helper()
	hash, err := pin.Hash(openPIN)
	if err != nil {
		t.Fatal(err)
	}
	b := &configs.Building{
		Building:   configs.AboutBuilding{Name: configs.Name{ZH: "楼", EN: "Building"}, Language: "en", Timezone: "UTC"},
		Facilities: configs.Watched{Broker: v.url()},
		Panel:      configs.BuildingPage{PIN: hash, Open: time.Hour, Gone: 24 * time.Hour, Link: "https://{room}.example/staff"},
	}
	if len(rooms) > 0 {
		floor := configs.Floor{Name: configs.Name{ZH: "一楼", EN: "Ground floor"}}
		for _, id := range rooms {
			floor.Rooms = append(floor.Rooms, configs.ListedRoom{ID: id})
		}
		b.Floors = []configs.Floor{floor}
	}
	return b
}

// show follows the broker of a venue.
func show(t testing.TB, cfg *configs.Building) *Page {
	t.Helper()
	p, err := New(Config{Cfg: cfg, Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { defer close(over); _ = p.Run(ctx, listener) }()
	t.Cleanup(func() { cancel(); <-over })
	return p
}

// until waits until a condition holds of the page's rooms.
func (p *Page) until(t testing.TB, what string, holds func(rooms map[string]View, link Link) bool) {
	t.Helper()
	limit := time.After(patience)
	for {
		n := p.board.since(0)
		rooms := make(map[string]View)
		for _, v := range n.Views {
			rooms[v.ID] = v
		}
		if holds(rooms, n.Link) {
			return
		}
		select {
		case <-n.Turn:
		case <-limit:
			t.Fatalf("never: %s; the page has %+v and %s", what, n.Link, fmt.Sprintf("%+v", rooms))
		}
	}
}

func (p *Page) stands(t testing.TB, id string, s Standing) View {
	t.Helper()
	var found View
	p.until(t, id+" is "+string(s), func(rooms map[string]View, _ Link) bool {
		found = rooms[id]
		return found.ID != "" && found.Standing == s
	})
	return found
}
