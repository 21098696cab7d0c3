package main

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"

	"lectern/configs"
)

// cable is what a panel is connected by. It can be cut without a word, as cables are: connections stay
// and nothing passes; or broken off, as by a daemon that dies.
type cable struct {
	listener net.Listener

	mu    sync.Mutex
	to    string
	mend  chan struct{} // closed while it lets pass
	conns map[net.Conn]bool
}

func lay(t *testing.T, to string) *cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: listener, to: to, mend: make(chan struct{}), conns: make(map[net.Conn]bool)}
	close(c.mend)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { c.join(near) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.open()
		c.breakOff()
		wg.Wait()
	})
	return c
}

func (c *cable) url() string { return "http://" + c.listener.Addr().String() }

func (c *cable) lead(to string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to = to
}

func (c *cable) join(near net.Conn) {
	c.mu.Lock()
	to := c.to
	c.mu.Unlock()
	far, err := net.Dial("tcp", to)
	if err != nil {
		_ = near.Close()
		return
	}
	c.mu.Lock()
	c.conns[near], c.conns[far] = true, true
	c.mu.Unlock()
	var wg sync.WaitGroup
	pass := func(to, from net.Conn) {
		defer to.Close()
		b := make([]byte, 32<<10)
		for {
			n, err := from.Read(b)
			c.wait()
			if n > 0 {
				if _, err := to.Write(b[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
	wg.Go(func() { pass(far, near) })
	wg.Go(func() { pass(near, far) })
	wg.Wait()
	c.mu.Lock()
	delete(c.conns, near)
	delete(c.conns, far)
	c.mu.Unlock()
}

func (c *cable) wait() {
	c.mu.Lock()
	mend := c.mend
	c.mu.Unlock()
	<-mend
}

// close lets nothing pass; open lets pass what has waited.
func (c *cable) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mend = make(chan struct{})
}

func (c *cable) open() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.mend:
	default:
		close(c.mend)
	}
}

func (c *cable) breakOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		_ = conn.Close()
	}
}

func address(h *house) string { return h.url[len("http://"):] }

func TestACutCableIsToldAndNothingIsReplayed(t *testing.T) {
	in := browser(t)
	h := demo(t)
	c := lay(t, address(h))
	p := hang(t, in, c.url(), wall)
	p.unlock()
	p.page("lights")
	p.sets("wall-lights.power", "true")
	e := h.listen("bus")
	c.close()
	p.touch(`[data-set="door-lights.power=true"]`) // nobody can know yet that the cable is cut
	p.sees(".cover")                               // within 12 s of silence, by the clock of the panel
	p.reads(".cover", "控制器离线")
	if !eval[bool](p, "document.querySelector('main').inert") {
		t.Error("what cannot be carried out can be pressed")
	}
	h.set("spot-1.level", "mid") // somebody else, meanwhile
	c.open()                     // and the touch of before arrives now
	p.misses(".cover")
	p.sees(`[data-set="spot-1.level=mid"][aria-pressed=true]`)
	p.sees(`[data-set="door-lights.power=false"][aria-pressed=true]`)
	h.set("window-lights.power", true) // everything before it has been on the wire by now
	if bytes.Contains(e.heard(), wireBytes("01 05 00 00 FF 00")) {
		t.Error("the touch of before the cut was carried out")
	}
	p.sets("door-lights.power", "true") // and now it is
}

func TestTheDaemonRestartsUnderThePanel(t *testing.T) {
	in := browser(t)
	h := demo(t)
	c := lay(t, address(h))
	p := hang(t, in, c.url(), wall)
	p.unlock()
	p.page("lights")
	h.stop()
	c.breakOff()
	p.sees(".cover")
	h.nudge("wall-lights", "power", "true") // by hand at the relay, while nobody looked
	h.start()
	c.lead(address(h))
	p.misses(".cover")
	// Another life of the daemon does not know the panel: the PIN is asked for again.
	p.sees(".sky")
	p.unlock()
	p.page("lights")
	p.sees(`[data-set="wall-lights.power=true"][aria-pressed=true]`)
	p.sets("wall-lights.power", "false")
}

func TestTwoPanelsAreInStep(t *testing.T) {
	in := browser(t)
	h := demo(t)
	one, two := hang(t, in, h.url, wall), hang(t, in, h.url, screen{1280, 800, "en", ""})
	one.unlock()
	two.unlock()
	one.page("lights")
	two.page("lights")
	one.sets("spot-2.level", "high")
	two.sees(`[data-set="spot-2.level=high"][aria-pressed=true]`)
	two.sets("wall-lights.power", "true")
	one.sees(`[data-set="wall-lights.power=true"][aria-pressed=true]`)
	h.nudge("door-lights", "power", "true")
	one.sees(`[data-set="door-lights.power=true"][aria-pressed=true]`)
	two.sees(`[data-set="door-lights.power=true"][aria-pressed=true]`)
}

func TestFiveWrongPINsMakeThePanelWait(t *testing.T) {
	in := browser(t)
	h := demo(t)
	p := hang(t, in, h.url, wall)
	p.touch(".sky")
	for left := 4; left >= 0; left-- {
		p.enter("9999")
		if left > 0 {
			p.reads(".told", "还可试"+string(rune('0'+left))+"次")
		}
	}
	p.reads(".told", "请等待")
	p.until("it counts the seconds", "(n => window.first === undefined ? (window.first = n, false) : n < window.first)(Number(document.querySelector('.told').innerText.match(/\\d+/)))")
	p.sees("[data-key=enter][aria-disabled]")
	p.touch(`[data-key="1"]`)
	p.sees("main.keypad .faint") // nothing is taken while it waits
}

func TestAFailedStepAsksWhatToDo(t *testing.T) {
	in := browser(t)
	h := demo(t)
	h.fault("rack-matrix", "refuse-4")
	p := hang(t, in, h.url, wall)
	p.unlock()
	p.system()
	// Who cannot hold confirms.
	p.touch("[data-confirm=system-on]")
	p.touch("[data-answer=yes]")
	p.reads(".run.asking [role=alert]", "计算机电源")
	for _, choice := range []string{"retry", "skip", "unwind"} {
		p.sees("[data-decide=" + choice + "]")
	}
	h.fault("rack-matrix", "")
	p.touch("[data-decide=retry]")
	p.reads(".run h3", "完成")
	h.truly("rack-computers.power", "true")
	h.truly("rack-amplifier.power", "true")
}

func TestIdlePanelsFallAsleepAndLock(t *testing.T) {
	t.Parallel()
	in := browser(t)
	h := open(t, example("demo.yaml"), func(r *configs.Room) {
		r.Panel.Idle = configs.Idle{Sleep: 6 * time.Second, Dark: 9 * time.Second, Lock: time.Hour, Area: 2 * time.Second}
	})
	p := hang(t, in, h.url, wall)
	p.unlock()
	p.system()
	p.sees("main[data-page=home]") // the system page closes first
	p.sees(".sky")
	p.sees(".dark")
	p.touch(".dark")
	p.touch(".sky")
	p.sees("main[data-page=home]") // the meeting is not over: no PIN again
}

func TestUnknownAndOfflineAreToldByShapeAndWord(t *testing.T) {
	in := browser(t)
	h := powered(t)
	p := hang(t, in, h.url, wall)
	p.unlock()
	p.page("dvd")
	p.misses(".card .chip.offline")
	h.fault("player", "silence")
	p.reads(".card .chip.offline", "离线")
	p.sees(".card.offline")
	h.set("rack-recorder.power", false)
	p.page("recorder")
	p.reads(".chip.unfed", "未通电")
}

// nudge changes equipment by hand, behind the daemon's back.
func (h *house) nudge(device, property, value string) {
	h.t.Helper()
	if err := h.cast.Nudge(device, property, value); err != nil {
		h.t.Fatal(err)
	}
}

// fault gives a device or a line a fault, or takes it away.
func (h *house) fault(where, name string) {
	h.t.Helper()
	if err := h.cast.Fault(where, name); err != nil {
		h.t.Fatal(err)
	}
}

// A room that hides its state: the sky and the keypad know no more than what it is called; who opens it
// sees everything at once, and after the meeting nothing more arrives.
func TestAHiddenRoomShowsItselfToWhoOpensIt(t *testing.T) {
	in := browser(t)
	no := false
	h := open(t, example("demo.yaml"), func(r *configs.Room) { r.Panel.LockedView = &no })
	p := hang(t, in, h.url, wall)
	p.reads(".sky h1", "第一会议室")
	for range 2 {
		p.unlock()
		p.page("lights")
		p.sets("spot-2.level", "high")
		p.sees(`[data-set="spot-2.level=high"][aria-pressed=true]`)
		h.nudge("door-lights", "power", "true")
		p.sees(`[data-set="door-lights.power=true"][aria-pressed=true]`)
		p.touch("#end")
		p.touch("[data-answer=lock]")
		p.sees(".sky")
		h.nudge("door-lights", "power", "false")
		p.misses(".cover") // the controller is there, and says so
	}
}
