package equipment

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// motor is a motor that knows where it is, on a line that takes one exchange at a time.
type motor struct {
	mu       sync.Mutex
	height   float64
	goal     float64
	way      devices.Motion
	since    time.Time
	unknown  bool
	deaf     bool
	delay    time.Duration
	told     []string
	enter    chan struct{} // a motion has come to the wire; nil tells nobody
	release  chan struct{} // and is sent when this is closed
	urgency  line.Urgency
	oneByOne sync.Mutex
}

func (m *motor) pass() {
	moved := 100 * float64(time.Since(m.since)) / float64(travelled)
	m.since = time.Now()
	switch m.way {
	case devices.Up:
		m.height = min(m.goal, m.height+moved)
	case devices.Down:
		m.height = max(m.goal, m.height-moved)
	default:
		return
	}
	if m.height == m.goal {
		m.way = devices.Stop
	}
}

func (m *motor) Where(ctx context.Context) (devices.Whereabouts, error) {
	m.oneByOne.Lock()
	defer m.oneByOne.Unlock()
	m.mu.Lock()
	delay := m.delay
	m.mu.Unlock()
	if !sleep(ctx, delay) {
		return devices.Whereabouts{}, fmt.Errorf("%w: %w", line.ErrNoReply, context.Cause(ctx))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pass()
	return devices.Whereabouts{Percent: int(math.Round(m.height)), Known: !m.unknown, Motion: m.way}, nil
}

func (m *motor) drive(what string, way devices.Motion, goal float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pass()
	m.told = append(m.told, what)
	if m.deaf || m.height == goal {
		return
	}
	m.way, m.goal = way, goal
}

func (m *motor) Move(ctx context.Context, way devices.Motion) error {
	if way == devices.Stop {
		m.mu.Lock()
		m.urgency = line.UrgencyOf(ctx)
		m.mu.Unlock()
	} else if m.enter != nil {
		m.enter <- struct{}{}
		<-m.release
	}
	m.drive(string(way), way, map[devices.Motion]float64{devices.Up: 100, devices.Stop: -1}[way])
	return nil
}

func (m *motor) GoTo(_ context.Context, percent int) error {
	m.mu.Lock()
	m.pass()
	way := devices.Up
	if float64(percent) < m.height {
		way = devices.Down
	}
	m.mu.Unlock()
	m.drive(fmt.Sprint(percent), way, float64(percent))
	return nil
}

func (m *motor) but(f func(m *motor)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pass()
	f(m)
}

func (m *motor) log() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprint(m.told)
}

func newMotor(height float64) *motor { return &motor{height: height, way: devices.Stop} }

func (m *motor) device() devices.Device {
	m.since = time.Now()
	return NewCurtain(quiet("door"), CurtainSpec{}, m)
}

// A9, A10 with a motor that has its own control.
func TestMotorThatKnowsWhereItIs(t *testing.T) {
	m := newMotor(0)
	onBench(t, m.device, func(b *bench) {
		b.want("position", "0", devices.Reported)
		b.wantResult("motion", up, devices.Done)
		time.Sleep(5 * time.Second)
		b.wantResult("motion", stop, devices.Done)
		b.want("motion", "stop", devices.Reported)
		b.want("position", "25", devices.Reported)
		b.wantResult("position", devices.Int(60), devices.Accepted)
		b.want("motion", "up", devices.Reported)
		time.Sleep(time.Minute)
		b.want("position", "60", devices.Reported)
		b.wantResult("position", devices.Int(60), devices.Done)
		b.wantResult("motion", down, devices.Done)
		time.Sleep(time.Minute)
		b.wantResult("motion", down, devices.Done) // it is there
		if m.urgency != line.Halt {
			t.Error("a stop goes before everything on the line")
		}
	})
}

func TestMotorWithoutLimitsHasNoPosition(t *testing.T) {
	m := newMotor(40)
	m.unknown = true
	onBench(t, m.device, func(b *bench) {
		b.want("position", "", devices.Unknown)
		b.want("motion", "stop", devices.Reported)
	})
}

func TestMotorThatOnlyAcknowledgesHasFailed(t *testing.T) {
	m := newMotor(40)
	m.deaf = true
	onBench(t, m.device, func(b *bench) {
		b.wantResult("motion", up, devices.Failed)
		b.wantResult("position", devices.Int(80), devices.Failed)
	})
}

func TestMoveThatWaitsIsNotSentAfterAStop(t *testing.T) {
	m := newMotor(50)
	onBench(t, m.device, func(b *bench) {
		m.but(func(m *motor) { m.delay, m.deaf = 500*time.Millisecond, true })
		first, waiting := make(chan devices.Result, 1), make(chan devices.Result, 1)
		go func() { first <- b.result("motion", up) }()
		time.Sleep(100 * time.Millisecond)
		go func() { waiting <- b.result("motion", down) }()
		time.Sleep(100 * time.Millisecond)
		m.but(func(m *motor) { m.delay = 0 })
		b.wantResult("motion", stop, devices.Done)
		if f, w := <-first, <-waiting; f != devices.Superseded || w != devices.Superseded || m.log() != "[up stop]" {
			t.Errorf("%s, %s, told %s", f, w, m.log())
		}
	})
}

func TestMoveThatMeetsAStopOnItsWayIsStoppedAgain(t *testing.T) {
	m := newMotor(50)
	onBench(t, func() devices.Device {
		m.enter, m.release = make(chan struct{}), make(chan struct{})
		return m.device()
	}, func(b *bench) {
		move, halt := make(chan devices.Result, 1), make(chan devices.Result, 1)
		go func() { move <- b.result("motion", up) }()
		<-m.enter
		go func() { halt <- b.result("motion", stop) }()
		synctest.Wait()
		close(m.release)
		if a, s := <-move, <-halt; a != devices.Superseded || s != devices.Done || m.log() != "[stop up stop]" {
			t.Errorf("move %s, stop %s, told %s", a, s, m.log())
		}
		b.want("motion", "stop", devices.Reported)
	})
}

func TestStopOfAMotorDoesNotWaitForItsPoll(t *testing.T) {
	m := newMotor(50)
	m.delay = 5 * time.Second
	onBench(t, m.device, func(b *bench) {
		time.Sleep(time.Second)
		halt := make(chan devices.Result, 1)
		go func() { halt <- b.result("motion", stop) }()
		synctest.Wait()
		if m.log() != "[stop]" {
			t.Errorf("told %s", m.log())
		}
		m.but(func(m *motor) { m.delay = 0 })
		<-halt
	})
}
