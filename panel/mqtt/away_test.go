package mqtt

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
	"lectern/devices/devicetest"
)

// cable is the network between a room and its broker, to be cut.
type cable struct {
	t        *testing.T
	to       string
	listener net.Listener
	address  string
	mu       sync.Mutex
	conns    []net.Conn
	wg       sync.WaitGroup
}

func plug(t *testing.T, v *venue) *cable {
	t.Helper()
	c := &cable{t: t, to: v.address, address: devicetest.Address()}
	c.mend()
	t.Cleanup(c.cut)
	return c
}

// mend lets connections through again.
func (c *cable) mend() {
	c.t.Helper()
	l, err := net.Listen("tcp", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.listener, c.address = l, l.Addr().String()
	c.wg.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", c.to)
			if err != nil {
				_ = near.Close()
				continue
			}
			c.mu.Lock()
			c.conns = append(c.conns, near, far)
			c.mu.Unlock()
			c.wg.Go(func() { _, _ = io.Copy(near, far); _ = near.Close() })
			c.wg.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
		}
	})
}

// cut ends every connection and lets none through.
func (c *cable) cut() {
	_ = c.listener.Close()
	c.mu.Lock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
	c.mu.Unlock()
	c.wg.Wait()
}

func (c *cable) change(config *Config) { config.Facilities.Broker = "tcp://" + c.address }

// each runs a test on every broker at the same time: what comes back takes seconds.
func each(t *testing.T, test func(t *testing.T, v *venue)) {
	everywhere(t, func(t *testing.T, v *venue) { t.Parallel(); test(t, v) })
}

func TestACutCableIsSeenAndNothingIsReplayed(t *testing.T) {
	each(t, func(t *testing.T, v *venue) {
		wire := plug(t, v)
		h, f := show(t, v, wire.change)
		result := "homie/5/hall/spot/level/$result"
		f.publish(t, "homie/5/hall/spot/level/set", "later", false)
		f.further(t, result, 0, "accepted")
		for p, _ := h.rooms.Get("spot", "level"); p.Target.IsZero(); p, _ = h.rooms.Get("spot", "level") {
		}
		wire.cut()
		f.says(t, "homie/5/hall/$state", "lost") // the last will
		f.publish(t, "homie/5/hall/spot/level/set", "low", false)
		f.publish(t, "homie/5/hall/spot/hours/set", "40", false)
		h.lamp.report.Report("level", devices.Word("other"), devices.Reported)
		h.lamp.report.Report("level", devices.Word("later"), devices.Reported)

		wire.mend()
		f.says(t, "homie/5/hall/$state", "ready")
		f.says(t, "homie/5/hall/spot/level", "later")
		// What was accepted before has its final word all the same, and what was sent meanwhile has none.
		f.further(t, result, 1, "done")
		f.outcomes(t, "spot/level", "off", "accepted", "done")
		if got := h.lamp.done(); !slices.Equal(got, []string{"off"}) {
			t.Errorf("did %v", got)
		}
	})
}

func TestABrokerThatComesBackIsToldEverything(t *testing.T) {
	each(t, func(t *testing.T, v *venue) {
		if v.name == "mosquitto" { // at QoS 1 and with a session of its own a client's messages wait for nobody
			t.Log("without persistence, as a broker after a power cut")
		}
		h, f := show(t, v)
		f.outcomes(t, "spot/level", "low", "accepted", "done")
		f.client.Disconnect(0)
		v.restart(t)
		h.lamp.report.Report("level", devices.Word("other"), devices.Reported)
		f = listen(t, v)
		f.says(t, "homie/5/hall/$state", "ready")
		f.says(t, "homie/5/hall/spot/level", "other")
		f.discovered(t, "hall")
		for _, fault := range faultsOf("homie/5/hall", retainedBy(t, v, "homie/5/hall", f), func(string, string) bool { return true }) {
			t.Error(fault)
		}
		f.outcomes(t, "spot/level", "off", "accepted", "done")
	})
}

func TestARoomThatStartsAgainLeavesNothingOld(t *testing.T) {
	each(t, func(t *testing.T, v *venue) {
		h, f := show(t, v)
		h.stop()
		f.says(t, "homie/5/hall/$state", "disconnected")
		newcomer := listen(t, v)
		newcomer.says(t, "homie/5/hall/$state", "disconnected") // it is retained
		newcomer.says(t, "homie/5/hall/spot/level", "off")
		newHall(t, v, "hall").run(t)
		newcomer.says(t, "homie/5/hall/$state", "ready")
	})
}

func TestARetainedCommandThatWaitsIsRefusedAndCleared(t *testing.T) {
	for _, name := range []string{"mosquitto", "blind"} { // the embedded broker keeps none that could wait
		t.Run(name, func(t *testing.T) {
			v := open(t, name)
			f := listen(t, v)
			f.publish(t, "homie/5/hall/spot/level/set", "low", true)
			h := newHall(t, v, "hall").run(t)
			f.further(t, "homie/5/hall/spot/level/$result", 0, "refused")
			refusedAndCleared(t, v, h, f)
			if did := h.lamp.done(); len(did) > 0 {
				t.Errorf("did %v", did)
			}
		})
	}
}

func TestARetainedCommandIsRefusedWhileTheRoomIsThere(t *testing.T) {
	each(t, func(t *testing.T, v *venue) {
		h, f := show(t, v)
		f.publish(t, "homie/5/hall/spot/level/set", "low", true)
		if v.name == "blind" {
			// Such a broker passes it on like any other; what it has kept is found right afterwards.
			f.further(t, "homie/5/hall/spot/level/$result", 0, "accepted", "done", "refused")
		} else {
			f.further(t, "homie/5/hall/spot/level/$result", 0, "refused")
			if did := h.lamp.done(); len(did) > 0 {
				t.Errorf("did %v", did)
			}
		}
		refusedAndCleared(t, v, h, f)
		f.outcomes(t, "spot/level", "off", "accepted", "done")
	})
}

func refusedAndCleared(t *testing.T, v *venue, h *hall, f *listener) {
	t.Helper()
	f.mu.Lock()
	results := f.results("homie/5/hall/spot/level/$result")
	f.mu.Unlock()
	if r := results[len(results)-1]; !strings.Contains(r.Reason, "Publish without retain") || !strings.Contains(r.ReasonZH, "保留") || r.Value != "low" {
		t.Errorf("%+v", r)
	}
	entry := h.journal.Latest(0, 1)[0]
	if entry.Outcome != "refused" || entry.By.Via != "mqtt" || entry.Device != "spot" || !strings.Contains(entry.Detail, "Retained commands") {
		t.Errorf("the journal says %+v", entry)
	}
	f.until(t, "the broker has it no more", func() bool {
		return v.name == "embedded" || f.last["homie/5/hall/spot/level/set"] == ""
	})
	for topic := range retainedBy(t, v, "homie/5/hall", f) {
		if strings.HasSuffix(topic, "/set") {
			t.Errorf("%s is still retained", topic)
		}
	}
}

func TestNothingThatCameDuringAStandstillIsCarriedOut(t *testing.T) {
	h := newHall(t, &venue{}, "hall")
	g := h.gateway
	g.pulse.beaten.Store(time.Now().Add(-frozenFrom - time.Second).UnixNano())
	g.receive("homie/5/hall/spot/level/set", []byte("low"), false)
	g.pulse.beat(time.Now())
	g.receive("homie/5/hall/spot/level/set", []byte("low"), false) // what the socket still holds
	if len(g.queues["spot"]) != 0 || len(g.answers) != 2 || h.journal.Latest(0, 1)[0].Outcome != "expired" {
		t.Errorf("%d to be done, %d answered", len(g.queues["spot"]), len(g.answers))
	}
	if g.pulse.frozen(time.Now().Add(thawTime)) {
		t.Error("it does not go on")
	}
	synctest.Test(t, func(t *testing.T) { // and with a beat every second it never stops
		p := newPulse(time.Now())
		ctx, cancel := context.WithCancel(t.Context())
		go p.run(ctx)
		for range 100 {
			time.Sleep(777 * time.Millisecond)
			if p.frozen(time.Now()) {
				t.Fatal("it stands still")
			}
		}
		cancel()
	})
}

// The clock of a controller may be set while it runs, forward and back: by a time server after a power
// failure, by hand.
func TestACommandIsTakenAgainSoonAfterTheClockWasSet(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	p := newPulse(at)
	for _, jump := range []time.Duration{time.Hour, -time.Hour, -24 * time.Hour, 30 * 24 * time.Hour} {
		at = at.Add(jump)
		for range 4 {
			p.beat(at)
			at = at.Add(beatEvery)
		}
		if p.frozen(at) {
			t.Errorf("%s after the clock was set by %s commands are refused as old", 4*beatEvery, jump)
		}
	}
}
