package equipment

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"lectern/devices"
	"lectern/devices/line"
)

func circuitOn(c *contact) func() devices.Device {
	return func() devices.Device { return NewCircuit(quiet("rack-1"), c) }
}

func TestCircuitIsReadAtStartAndNeverWritten(t *testing.T) {
	c := &contact{on: true}
	onBench(t, circuitOn(c), func(b *bench) {
		b.want("power", "true", devices.Reported)
		time.Sleep(time.Minute)
		if len(c.written()) != 0 {
			t.Errorf("nobody asked for anything, yet it wrote %v", c.written())
		}
	})
}

func TestCircuitIsDoneWhenItReadsSo(t *testing.T) {
	c := &contact{delay: 20 * time.Millisecond, lag: 600 * time.Millisecond}
	onBench(t, circuitOn(c), func(b *bench) {
		b.wantResult("power", devices.Bool(true), devices.Done)
		if !c.isOn() {
			t.Error("done, but the contact is open")
		}
		b.want("power", "true", devices.Reported)
	})
}

func TestCircuitThatOnlyAcknowledgesHasFailed(t *testing.T) {
	c := &contact{stuck: true}
	onBench(t, circuitOn(c), func(b *bench) {
		o := devices.OutcomeOf(b.set("power", devices.Bool(true)))
		if o.Result != devices.Failed || o.Reason.EN != "The circuit acknowledged but reads off: check its contact and its manual switch" {
			t.Errorf("%+v", o)
		}
		b.want("power", "false", devices.Reported)
	})
}

// echoing is a contact whose acknowledgement repeats what it was told.
type echoing struct{ *contact }

func (echoing) Echoes() bool { return true }

func TestAnEchoIsShownAheadOfTheReading(t *testing.T) {
	c := &contact{delay: 20 * time.Millisecond}
	onBench(t, func() devices.Device { return NewLight(quiet("lamp"), echoing{c}) }, func(b *bench) {
		time.Sleep(25 * time.Millisecond) // it has been read
		b.want("power", "false", devices.Reported)
		var wg sync.WaitGroup
		wg.Go(func() { b.wantResult("power", devices.Bool(true), devices.Done) })
		time.Sleep(25 * time.Millisecond) // acknowledged, and being read
		b.want("power", "true", devices.Reported)
		wg.Wait()
	})
}

func TestAnEchoThatIsNotSoIsPutRight(t *testing.T) {
	c := &contact{stuck: true}
	onBench(t, func() devices.Device { return NewLight(quiet("lamp"), echoing{c}) }, func(b *bench) {
		b.want("power", "false", devices.Reported)
		b.wantResult("power", devices.Bool(true), devices.Failed)
		b.want("power", "false", devices.Reported)
		if was := b.heard.was("power"); was != "[false true false]" {
			t.Errorf("it was told as %s", was)
		}
	})
}

func TestLostAnswerToACommandThatWasDoneIsDone(t *testing.T) {
	c := &contact{}
	c.fail = func(what string) error {
		if what == "write" {
			return errAnswerLost
		}
		return nil
	}
	onBench(t, circuitOn(c), func(b *bench) { b.wantResult("power", devices.Bool(true), devices.Done) })
}

func TestSilenceIsToldAndEnds(t *testing.T) {
	c := &contact{}
	onBench(t, circuitOn(c), func(b *bench) {
		c.but(func(c *contact) { c.fail = func(string) error { return errSilence } })
		b.wantResult("power", devices.Bool(true), devices.Failed)
		if !errors.Is(b.lastReach(), line.ErrNoReply) {
			t.Errorf("reach: %v", b.lastReach())
		}
		c.but(func(c *contact) { c.fail = nil })
		time.Sleep(2 * pollUsual)
		if b.lastReach() != nil {
			t.Errorf("it answers again, yet: %v", b.lastReach())
		}
	})
}

func TestOneWayCircuitIsAssumed(t *testing.T) {
	c := &contact{oneWay: true}
	onBench(t, circuitOn(c), func(b *bench) {
		b.want("power", "", devices.Unknown)
		if b.lastReach() != nil {
			t.Errorf("that it cannot be read is no failure: %v", b.lastReach())
		}
		b.wantResult("power", devices.Bool(true), devices.Sent)
		b.want("power", "true", devices.Assumed)
		time.Sleep(2 * pollUsual)
		b.want("power", "true", devices.Assumed)
	})
}

func TestWithoutMainsNothingIsAskedReportedOrDone(t *testing.T) {
	c := &contact{on: true}
	onBench(t, circuitOn(c), func(b *bench) {
		b.fed(false)
		synctest.Wait()
		before := c.asked()
		b.want("power", "", devices.Unknown)
		time.Sleep(time.Minute)
		o := devices.OutcomeOf(b.set("power", devices.Bool(false)))
		if o.Result != devices.Refused || o.Reason != noMains().Reason || !o.Lasting || c.asked() != before || len(c.written()) != 0 {
			t.Errorf("%+v, %d reads, wrote %v", o, c.asked()-before, c.written())
		}
		if err := b.device.Refresh(b.ctx); err != nil {
			t.Errorf("refresh: %v", err)
		}
		b.fed(true)
		synctest.Wait()
		b.want("power", "true", devices.Reported)
	})
}

func TestAnswerThatComesAfterTheMainsHasGoneIsNotReported(t *testing.T) {
	c := &contact{on: true, delay: time.Second}
	onBench(t, circuitOn(c), func(b *bench) {
		time.Sleep(500 * time.Millisecond) // the first poll is under way
		b.fed(false)
		time.Sleep(5 * time.Second)
		b.want("power", "", devices.Unknown)
	})
}

func TestPersonDoesNotWaitForAPoll(t *testing.T) {
	c := &contact{delay: 5 * time.Second}
	onBench(t, circuitOn(c), func(b *bench) {
		time.Sleep(time.Second) // four seconds of the first poll are left
		began := time.Now()
		c.but(func(c *contact) { c.delay = 0 })
		b.wantResult("power", devices.Bool(true), devices.Done)
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %s", took)
		}
		if b.lastReach() != nil {
			t.Errorf("an interrupted poll is no failure: %v", b.lastReach())
		}
	})
}

func TestGuardDoesNotWaitForAPoll(t *testing.T) {
	c := &contact{delay: 5 * time.Second, on: true}
	onBench(t, circuitOn(c), func(b *bench) {
		time.Sleep(time.Second)
		c.but(func(c *contact) { c.delay = 0 })
		began := time.Now()
		if err := b.device.Refresh(b.ctx); err != nil || time.Since(began) != 0 {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		b.want("power", "true", devices.Reported)
	})
}

func TestOfManyWishesThatWaitOnlyTheNewestIsSent(t *testing.T) {
	c := &contact{delay: 100 * time.Millisecond}
	onBench(t, circuitOn(c), func(b *bench) {
		time.Sleep(time.Second)
		var wg sync.WaitGroup
		results := make([]devices.Result, 6)
		for i := range results {
			wg.Go(func() { results[i] = b.result("power", devices.Bool(i%2 == 1)) })
			synctest.Wait() // one after the other
		}
		wg.Wait()
		if got := c.written(); len(got) != 2 || got[0] || !got[1] {
			t.Errorf("wrote %v, want the first and the last", got)
		}
		for i, r := range results[1:5] {
			if r != devices.Superseded {
				t.Errorf("wish %d: %s", i+1, r)
			}
		}
		if results[5] != devices.Done || !c.isOn() {
			t.Errorf("the last: %s", results[5])
		}
	})
}

func TestWishThatWaitsTooLongExpiresUnsent(t *testing.T) {
	c := &contact{delay: time.Second}
	onBench(t, circuitOn(c), func(b *bench) {
		go func() { _ = b.set("power", devices.Bool(true)) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(b.ctx, 100*time.Millisecond)
		defer cancel()
		err := b.device.Set(ctx, "power", devices.Bool(false))
		if devices.OutcomeOf(err).Result != devices.Expired {
			t.Errorf("%v", err)
		}
		time.Sleep(10 * time.Second)
		if got := c.written(); len(got) != 1 {
			t.Errorf("wrote %v", got)
		}
	})
}

func TestCommandsFailAfterTheEnd(t *testing.T) {
	c := &contact{}
	onBench(t, circuitOn(c), func(b *bench) {
		b.end()
		b.ended <- <-b.ended
		if err := b.set("power", devices.Bool(true)); !errors.Is(err, errOver) {
			t.Errorf("set: %v", err)
		}
		if err := b.device.Refresh(context.Background()); !errors.Is(err, errOver) {
			t.Errorf("refresh: %v", err)
		}
	})
}

// talker is a contact that speaks up when somebody switches it by hand.
type talker struct {
	contact
	changed chan struct{}
}

func (t *talker) Changed() <-chan struct{} { return t.changed }

func TestWhatSpeaksUpIsAskedAtOnce(t *testing.T) {
	var c *talker
	onBench(t, func() devices.Device {
		c = &talker{changed: make(chan struct{}, 1)} // in the bubble: its channel belongs there
		return NewCircuit(quiet("lamp"), c)
	}, func(b *bench) {
		c.nudge(true)
		c.changed <- struct{}{}
		synctest.Wait()
		b.want("power", "true", devices.Reported)
	})
}

// lamp is a dimmer of 8 bits: it rounds.
type lamp struct {
	mu    sync.Mutex
	level int // 0 to 255
	sets  []int
	deaf  bool
}

func (l *lamp) Level(context.Context) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.level * 100 / 255, nil
}

func (l *lamp) SetLevel(_ context.Context, percent int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sets = append(l.sets, percent)
	if !l.deaf {
		l.level = percent * 255 / 100
	}
	return nil
}

// A7 of the work instruction: four levels, and off.
var fourLevels = []Level{{ID: "low", Percent: 25}, {ID: "medium", Percent: 50}, {ID: "high", Percent: 75}, {ID: "full", Percent: 100}}

func TestDimmerHasOffAndItsLevels(t *testing.T) {
	l := &lamp{}
	onBench(t, func() devices.Device { return NewDimmer(quiet("spots"), fourLevels, l) }, func(b *bench) {
		b.want("level", "off", devices.Reported)
		for _, level := range []string{"low", "medium", "high", "full", "off"} {
			b.wantResult("level", devices.Word(level), devices.Done)
			b.want("level", level, devices.Reported)
		}
		if p := b.device.Properties()[0]; p.Asks(devices.Word(other)) {
			t.Error("other can be asked for")
		}
		l.mu.Lock()
		l.deaf = true
		l.mu.Unlock()
		b.wantResult("level", devices.Word("high"), devices.Failed)
		b.want("level", "off", devices.Reported)
	})
}

func TestDimmerBetweenItsLevelsIsOther(t *testing.T) {
	l := &lamp{level: 95} // 37 %
	onBench(t, func() devices.Device { return NewDimmer(quiet("spots"), fourLevels, l) }, func(b *bench) {
		b.want("level", other, devices.Reported)
	})
}

func TestDimmerNamesAPercentageOnlyIfItIsNear(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		levels := make([]Level, rapid.IntRange(1, 6).Draw(rt, "levels"))
		for i := range levels {
			levels[i] = Level{ID: string(rune('a' + i)), Percent: rapid.IntRange(1, 100).Draw(rt, "percent")}
		}
		d := NewDimmer(quiet("d"), levels, &lamp{}).(*dimmer)
		percent := rapid.IntRange(0, 100).Draw(rt, "read")
		word := d.word(percent)
		if (percent == 0) != (word == "off") {
			rt.Fatalf("%d %% is %s", percent, word)
		}
		for _, l := range levels {
			distance := max(percent-l.Percent, l.Percent-percent)
			if word == l.ID && distance > levelSlack {
				rt.Fatalf("%d %% is called %s (%d %%)", percent, word, l.Percent)
			}
			if word == other && percent > 0 && distance <= levelSlack {
				rt.Fatalf("%d %% is %s (%d %%), not other", percent, l.ID, l.Percent)
			}
		}
	})
}
