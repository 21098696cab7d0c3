package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	paho "github.com/eclipse/paho.mqtt.golang"

	"lectern/panel/mqtt"
)

// block is a building: a broker, what its rooms say there, and the page that shows them.
type block struct {
	t      *testing.T
	broker *mqtt.Broker
	client paho.Client
	url    string
}

// raiseBlock starts a broker with so many rooms and the page, as the command line does.
func raiseBlock(t *testing.T, rooms int) *block {
	t.Helper()
	broker, err := mqtt.NewBroker(context.Background(), "127.0.0.1:0", "any", nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Close() })
	user, password := broker.RoomLogin()
	b := &block{t: t, broker: broker}
	b.client = paho.NewClient(paho.NewClientOptions().AddBroker(broker.Address()).SetUsername(user).SetPassword(password).SetAutoReconnect(false))
	b.settled(b.client.Connect())
	t.Cleanup(func() { b.client.Disconnect(100) })
	for i := range rooms {
		b.moveIn(i)
	}
	b.serve(user, password, rooms)
	return b
}

func (b *block) settled(token paho.Token) {
	b.t.Helper()
	if !token.WaitTimeout(patience) || token.Error() != nil {
		b.t.Fatalf("the broker did not do it: %v", token.Error())
	}
}

// says publishes what a room says.
func (b *block) says(room int, below, payload string) {
	b.t.Helper()
	b.settled(b.client.Publish(fmt.Sprintf("homie/5/room-%03d/%s", room, below), 1, true, payload))
}

const blockRoom = `{"homie":"5.0","version":1,"name":"x","type":"lectern-room","nodes":{
	"projector":{"name":"投影机 Projector","type":"projector","properties":{}},"air":{"name":"温度 Temperature","type":"sensor","properties":{}},
	"scenes":{"name":"场景","type":"scenes","properties":{"system-on":{"name":"系统开 System on"}}}}}`

// moveIn publishes the tree of a room. A few of them are in trouble, each in its way, and many in use.
func (b *block) moveIn(i int) {
	b.t.Helper()
	names := [...][2]string{{"第%d会议室", "Meeting room %d"}, {"%d号报告厅（带同声传译间）", "Lecture hall %d with interpreters' booths"}, {"洽谈室%d", "Huddle %d"}}
	name := names[i%3]
	now := time.Now()
	say := func(below, payload string) { b.says(i, below, payload) }
	say("$description", blockRoom)
	say("service/name-zh", fmt.Sprintf(name[0], 101+i))
	say("service/name-en", fmt.Sprintf(name[1], 101+i))
	say("controller/version", "1.4.0")
	say("controller/started", now.Add(-30*time.Hour).UTC().Format(time.RFC3339))
	say("controller/uptime", fmt.Sprint(30*3600))
	say("air/temperature", fmt.Sprintf("%.1f", 21+float64(i%30)/10))
	say("service/phase", []string{"none", "session", "preparing", "none", "break", "none", "ended"}[i%7])
	if i%7 == 1 {
		say("projector/power", "on")
		say("service/source-zh", "电脑1")
		say("service/source-en", "Computer 1")
	}
	state := "ready"
	switch i % 29 {
	case 2:
		say("controller/devices-offline", "1")
		say("$alert/projector", "line projector: no reply in 3s")
		say("controller/last-error", "device projector: line projector: no reply in 3s")
	case 1:
		say("controller/orders-unclosed", "1")
		say("service/calls", "1")
	case 11:
		say("controller/orders-unclosed", "2")
	case 17:
		state = "lost"
	case 23:
		state = "disconnected"
	}
	say("$state", state)
}

// serve starts the page by its verb.
func (b *block) serve(user, password string, rooms int) {
	b.t.Helper()
	text, err := os.ReadFile(example("building/building.yaml"))
	if err != nil {
		b.t.Fatal(err)
	}
	floors, _, _ := strings.Cut(string(text), "floors:")
	made := strings.Replace(floors, "tcp://127.0.0.1:1883", fmt.Sprintf("%s\n  user: %s\n  password: %s", b.broker.Address(), user, password), 1) + "floors:\n"
	for i := range rooms {
		if i%20 == 0 {
			made += fmt.Sprintf("  - name: {zh: %d楼, en: Floor %d}\n    rooms:\n", i/20+1, i/20+1)
		}
		made += fmt.Sprintf("      - {id: room-%03d}\n", i)
	}
	path := filepath.Join(b.t.TempDir(), "building.yaml")
	if err := os.WriteFile(path, []byte(made), 0o600); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	over := make(chan int, 1)
	go func() {
		over <- run(ctx, []string{"building", "--config", path, "--listen", "127.0.0.1:0"}, terminal{strings.NewReader(""), in, io.Discard})
		_ = in.Close()
	}()
	b.t.Cleanup(func() {
		cancel()
		if code := <-over; code != exitDone {
			b.t.Errorf("the page ended with %d", code)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.Contains(line, "http://") {
		b.t.Fatalf("%q, %v", line, err)
	}
	b.url = strings.TrimSpace(line[strings.Index(line, "http://"):])
}

// visit opens the page in a browser.
func (b *block) visit(in context.Context, s screen) *glass {
	b.t.Helper()
	p := hang(b.t, in, b.url+"/lang?to="+s.language, s)
	b.t.Cleanup(func() { forgetStaff(p) }) // the next one is asked for the PIN, however this one ends
	p.sees("input[name=pin]")
	p.types("input[name=pin]", "2468")
	p.tap("button.main")
	p.sees(".sums")
	p.until("all is here", "!document.querySelector('.known') && !document.querySelector('.banner:not([hidden])')")
	return p
}

// gaugeBuilding measures the page: it stands on a desk and on a telephone, whose fingers want 44 points; what
// folds a tile open may be smaller, as its neighbours are far.
const gaugeBuilding = `(() => {
	const faults = [], seen = e => e.checkVisibility();
	if (document.documentElement.scrollWidth > innerWidth) faults.push('the page scrolls sideways: ' + document.documentElement.scrollWidth);
	for (const e of document.querySelectorAll('button, .button, nav a, summary, .tile, .tile *')) {
		if (!seen(e)) continue;
		const r = e.getBoundingClientRect(), least = e.matches('summary') ? 24 : 43.5;
		if (e.matches('button, .button, nav a, summary') && r.height < least) faults.push('smaller than a finger, ' + Math.round(r.height) + ': ' + e.innerText);
		if (r.right > innerWidth + 1) faults.push('sticks out: ' + e.innerText.slice(0, 40));
		if (e.matches('.tile *') && r.right > e.closest('.tile').getBoundingClientRect().right + 1) faults.push('runs over its tile: ' + e.innerText.slice(0, 40));
	}
	return faults;
})()`

var desks = []screen{{1280, 800, "zh", ""}, {1280, 800, "en", ""}, {390, 844, "zh", ""}, {390, 844, "en", ""}}

func TestTheBuildingPageFitsAndKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	in := browser(t)
	counts := []int{3, 40}
	if lookedFor() {
		counts = append(counts, 200)
	}
	for _, rooms := range counts {
		b := raiseBlock(t, rooms)
		for _, s := range desks {
			t.Run(fmt.Sprintf("%d-rooms-%dx%d-%s", rooms, s.width, s.height, s.language), func(t *testing.T) {
				b.t = t
				p := b.visit(in, s)
				for view, at := range map[string]string{"worst": "/", "floor": "/?by=floor", "attention": "/?show=attention"} {
					eval[bool](p, "document.documentElement.id = 'left'; location.assign("+quoted(at)+"); true")
					p.until("the page "+view, "document.documentElement?.id !== 'left' && document.documentElement && document.readyState === 'complete' && document.querySelector('.sums')")
					for _, fault := range eval[[]string](p, gaugeBuilding) {
						t.Errorf("%s: %s", view, fault)
					}
					if rooms == counts[0] { // more of the same are no other question
						axe(t, p, view)
						if s.width > s.height {
							prints(t, p, view)
						}
					}
					shoot(t, p, fmt.Sprintf("building-%d-%s-%dx%d-%s", rooms, view, s.width, s.height, s.language))
				}
			})
		}
	}
}

// What changes is on the page without loading it again: a tile goes where it belongs, what somebody has
// folded open stays open, and a broker that is away is told.
func TestTheBuildingPageFollowsItsRooms(t *testing.T) {
	t.Parallel()
	in := browser(t)
	for _, s := range desks[:2] {
		t.Run(s.language, func(t *testing.T) {
			b := raiseBlock(t, 4)
			p := b.visit(in, s)
			eval[bool](p, "window.stays = true")
			p.sees("#well #room-room-003")
			eval[bool](p, "document.querySelector('#room-room-003 details').open = true")
			b.says(3, "controller/lines-down", "1")
			b.says(3, "$alert/line-bus", "line is down: opening /dev/ttyS9: no such file")
			p.sees("#attention #room-room-003 details[open] li")
			p.reads("#room-room-003", speaks(s, "断线1", "Lines down: 1"))
			p.misses("#well #room-room-003")
			p.until("the worst is first", "[...document.querySelectorAll('#attention .tile')].map(e => e.dataset.room).join() === 'room-001,room-002,room-003'")
			b.says(3, "$state", "lost")
			p.until("it is worse now", "[...document.querySelectorAll('#attention .tile')].map(e => e.dataset.room).join() === 'room-001,room-003,room-002'")
			p.reads("#sums .wants", "3")
			b.says(3, "$state", "")
			p.reads("#room-room-003", speaks(s, "消息代理上没有", "Not on the broker"))
			_ = b.broker.Close()
			p.reads("#sums [role=alert]", speaks(s, "与消息代理断开", "The broker cannot be reached since"))
			p.reads("#room-room-000", speaks(s, "最后已知：正常", "Last known: Well"))
			axe(t, p, "broker away")
			if !eval[bool](p, "window.stays === true") {
				t.Error("the page was loaded again")
			}
			p.tap("form button")
			p.sees("input[name=pin]")
			axe(t, p, "locked")
		})
	}
}

// An old tablet, or one whose scripts are off, sees the same and loads it again by itself.
func TestTheBuildingPageNeedsNoScript(t *testing.T) {
	in := browser(t)
	b := raiseBlock(t, 2)
	p := b.visit(in, desks[1])
	tell(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.do(chromedp.Navigate(b.url))
	tell(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
	p.sees("#attention #room-room-001")
	if again := eval[string](p, "document.querySelector('meta[http-equiv=refresh]')?.content || ''"); again != "10" {
		t.Errorf("it loads itself again every %q s", again)
	}
}
