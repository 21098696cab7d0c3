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
)

// fader is a volume with so many steps.
type fader struct {
	mu     sync.Mutex
	steps  int
	at     int // step
	muted  bool
	silent bool
	deaf   bool
	sets   []int
}

func (f *fader) Volume(context.Context) (int, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.silent {
		return 0, false, errSilence
	}
	return int(math.Round(float64(f.at) * 100 / float64(f.steps))), f.muted, nil
}

func (f *fader) SetVolume(_ context.Context, percent int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.silent {
		return errSilence
	}
	f.sets = append(f.sets, percent)
	if !f.deaf {
		f.at = int(math.Round(float64(percent*f.steps) / 100))
	}
	return nil
}

func (f *fader) SetMute(_ context.Context, muted bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.deaf {
		f.muted = muted
	}
	return nil
}

func (f *fader) but(do func(f *fader)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do(f)
}

func (f *fader) log() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprint(f.sets)
}

func bounds(most, start int) Limits { return Limits{Max: &most, Start: &start} }

func amplifierOn(f *fader, l Limits) func() devices.Device {
	return func() devices.Device { return NewAmplifier(quiet("amplifier"), l, f) }
}

// A13: volume.
func TestVolumeAndMute(t *testing.T) {
	f := &fader{steps: 20, at: 10}
	onBench(t, amplifierOn(f, Limits{}), func(b *bench) {
		b.want("volume", "50", devices.Reported)
		b.wantResult("volume", devices.Int(33), devices.Done)
		b.want("volume", "35", devices.Reported) // what it has, not what was asked
		b.wantResult("mute", devices.Bool(true), devices.Done)
		b.want("mute", "true", devices.Reported)
		f.but(func(f *fader) { f.deaf = true })
		b.wantResult("volume", devices.Int(80), devices.Failed)
		b.wantResult("mute", devices.Bool(false), devices.Failed)
		b.want("volume", "35", devices.Reported)
	})
}

func TestVolumeAboveTheLimitIsRefused(t *testing.T) {
	f := &fader{steps: 100, at: 90}
	onBench(t, amplifierOn(f, bounds(80, 30)), func(b *bench) {
		b.want("volume", "90", devices.Reported) // somebody has turned the knob; that is so
		o := devices.OutcomeOf(b.set("volume", devices.Int(81)))
		if o.Result != devices.Refused || o.Reason.EN != "The volume is limited to 80 %" || f.log() != "[]" {
			t.Errorf("%+v, set %s", o, f.log())
		}
		b.wantResult("volume", devices.Int(80), devices.Done)
	})
}

func TestStartLimit(t *testing.T) {
	away := func(b *bench, f *fader, d time.Duration) {
		f.but(func(f *fader) { f.silent = true })
		time.Sleep(d)
		f.but(func(f *fader) { f.silent = false })
		time.Sleep(2 * pollUsual)
	}
	for _, c := range []struct {
		name  string
		steps func(b *bench, f *fader)
		want  string
	}{
		{"found at the start of the daemon", func(*bench, *fader) {}, "[]"},
		{"its mains came", func(b *bench, _ *fader) { b.fed(false); b.fed(true); synctest.Wait() }, "[30]"},
		{"its mains came, and it took a while to answer", func(b *bench, f *fader) {
			b.fed(false)
			f.but(func(f *fader) { f.silent = true })
			b.fed(true)
			time.Sleep(10 * time.Second)
			f.but(func(f *fader) { f.silent = false })
			time.Sleep(2 * pollUsual)
		}, "[30]"},
		{"it was off and on by its own switch", func(b *bench, f *fader) { away(b, f, 20*time.Second) }, "[30]"},
		{"one answer was lost in the middle of a talk", func(b *bench, f *fader) { away(b, f, 3*time.Second) }, "[]"},
		{"once only", func(b *bench, f *fader) {
			b.fed(false)
			b.fed(true)
			synctest.Wait()
			_ = b.set("volume", devices.Int(70))
			time.Sleep(time.Minute)
		}, "[30 70]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fader{steps: 100, at: 60}
			onBench(t, amplifierOn(f, bounds(100, 30)), func(b *bench) {
				c.steps(b, f)
				if f.log() != c.want {
					t.Errorf("set %s, want %s", f.log(), c.want)
				}
			})
		})
	}
}

func TestAmplifierThatDoesNotAnswerAtTheStartOfTheDaemonIsLeftAsItIs(t *testing.T) {
	f := &fader{steps: 100, at: 60, silent: true}
	onBench(t, amplifierOn(f, bounds(100, 30)), func(b *bench) {
		time.Sleep(time.Minute) // its line is being opened
		f.but(func(f *fader) { f.silent = false })
		time.Sleep(time.Minute)
		if f.log() != "[]" {
			t.Errorf("set %s", f.log())
		}
		b.want("volume", "60", devices.Reported)
	})
}

// deck is a player; it takes a moment to do what it is told.
type deck struct {
	fader
	mu    sync.Mutex
	state devices.Transport
	next  devices.Transport
	at    time.Time
	takes time.Duration
	empty bool
	acts  []string
}

func (d *deck) pass() {
	if d.next != "" && !time.Now().Before(d.at) {
		d.state, d.next = d.next, ""
	}
}

func (d *deck) Transport(context.Context) (devices.Transport, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pass()
	return d.state, nil
}

func (*deck) Transports() []devices.Transport {
	return []devices.Transport{
		devices.TransportPlay, devices.TransportStop, devices.TransportPause, devices.TransportForward,
		devices.TransportBack, devices.TransportNext, devices.TransportEject,
	}
}

func (d *deck) Act(_ context.Context, t devices.Transport) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pass()
	d.acts = append(d.acts, string(t))
	switch {
	case d.empty:
	case t == devices.TransportNext:
	default:
		d.next, d.at = t, time.Now().Add(d.takes)
	}
	return nil
}

// silentDeck has no volume of its own.
type silentDeck struct{ devices.Player }

func playerOn(p devices.Player) func() devices.Device {
	return func() devices.Device { return NewPlayer(quiet("dvd"), PlayerSpec{}, p) }
}

// A14, A15: play, stop, forward, back, volume.
func TestPlayerDoesWhatItIsTold(t *testing.T) {
	d := &deck{fader: fader{steps: 100, at: 40}, state: devices.TransportStop, takes: 700 * time.Millisecond}
	onBench(t, playerOn(d), func(b *bench) {
		for _, act := range []string{"play", "forward", "back", "pause", "stop"} {
			b.wantResult("transport", devices.Word(act), devices.Done)
			b.want("transport", act, devices.Reported)
		}
		b.wantResult("transport", devices.Word("next"), devices.Done)
		b.want("transport", "stop", devices.Reported)
		b.wantResult("volume", devices.Int(55), devices.Done)
		b.want("volume", "55", devices.Reported)
	})
}

func TestPlayerWithoutADiscSaysSo(t *testing.T) {
	d := &deck{fader: fader{steps: 100}, state: devices.TransportNoMedia, empty: true}
	onBench(t, playerOn(d), func(b *bench) {
		o := devices.OutcomeOf(b.set("transport", devices.Word("play")))
		if o.Result != devices.Failed || o.Reason.EN != "There is no disc or tape in it" {
			t.Errorf("%+v", o)
		}
		b.want("transport", "no-media", devices.Reported)
	})
}

func TestTwoActsAreTwoActsAndNoneWaitsForAReadBack(t *testing.T) {
	d := &deck{fader: fader{steps: 100}, state: devices.TransportStop, takes: time.Hour}
	onBench(t, playerOn(d), func(b *bench) {
		results := make(chan devices.Result, 3)
		for _, act := range []string{"play", "next", "next"} {
			go func() { results <- b.result("transport", devices.Word(act)) }()
			synctest.Wait()
		}
		time.Sleep(time.Second)
		d.mu.Lock()
		got := fmt.Sprint(d.acts)
		d.mu.Unlock()
		if got != "[play next next]" {
			t.Errorf("acts %s", got)
		}
		for range 3 {
			<-results
		}
	})
}

func TestTransportWords(t *testing.T) {
	d := &deck{fader: fader{steps: 100}}
	p := NewPlayer(quiet("dvd"), PlayerSpec{}, d).Properties()
	asks := func(word string) bool { return p[0].Asks(devices.Word(word)) }
	if !p[0].Momentary || !asks("play") || !asks("next") || asks("record") || asks("no-media") || asks("standby") || len(p) != 3 {
		t.Errorf("%+v", p)
	}
	if _, err := p[0].Read("record"); err != nil {
		t.Errorf("somebody may record by its own buttons: %v", err)
	}
	if p := NewPlayer(quiet("vcr"), PlayerSpec{}, silentDeck{d}).Properties(); len(p) != 1 {
		t.Errorf("a recorder without volume has %d properties", len(p))
	}
}

// switcher is a matrix.
type switcher struct {
	routes map[string]string
	deaf   bool
}

func (s *switcher) Selected(_ context.Context, output string) (string, error) {
	return s.routes[output], nil
}

func (s *switcher) Select(_ context.Context, output, input string) error {
	if !s.deaf {
		s.routes[output] = input
	}
	return nil
}

func TestMatrixRoutesEachOutput(t *testing.T) {
	s := &switcher{routes: map[string]string{"1": "2", "2": "9"}}
	in := []Choice{{ID: "pc", Code: "1"}, {ID: "dvd", Code: "2"}}
	out := []Choice{{ID: "screen", Code: "1"}, {ID: "preview", Code: "2"}}
	onBench(t, func() devices.Device { return NewMatrix(quiet("matrix"), in, out, s) }, func(b *bench) {
		b.want("screen", "dvd", devices.Reported)
		b.want("preview", other, devices.Reported)
		b.wantResult("preview", devices.Word("pc"), devices.Done)
		b.want("preview", "pc", devices.Reported)
		b.want("screen", "dvd", devices.Reported)
		b.wantResult("screen", devices.Word(noInput), devices.Done)
		b.want("screen", noInput, devices.Reported)
		if s.routes["1"] != "" || s.routes["2"] != "1" {
			t.Errorf("routes %v", s.routes)
		}
		s.deaf = true
		b.wantResult("screen", devices.Word("pc"), devices.Failed)
	})
}

// gauge is a sensor.
type gauge float64

func (g gauge) Measure(context.Context) (float64, error) { return float64(g), nil }

func TestSensorsMeasureInTheirOwnWay(t *testing.T) {
	for _, c := range []struct {
		measures, unit string
		raw            float64
		want, shown    string
	}{
		{"temperature", "", 30.500000000000004, "30.5", "°C"},
		{"humidity", "", 54.6, "54.6", "%"},
		{"light", "", 420, "420", "lx"},
		{"light", "klx", 0.42, "0.42", "klx"},
		{"presence", "", 1, "true", ""},
		{"contact", "", 0, "false", ""},
	} {
		device := func() devices.Device {
			return NewSensor(quiet("s"), SensorSpec{Measures: c.measures, Unit: c.unit}, gauge(c.raw))
		}
		onBench(t, device, func(b *bench) {
			b.want(c.measures, c.want, devices.Reported)
			p := b.device.Properties()[0]
			if p.Name != c.measures || p.Unit != c.shown || p.Settable {
				t.Errorf("%+v", p)
			}
			if _, err := p.Read(b.get(c.measures).value); err != nil {
				t.Errorf("its own reading is out of its range: %v", err)
			}
			b.wantResult(c.measures, devices.Bool(true), devices.Failed)
		})
	}
}

func TestSensorThatMeasuresNonsenseIsAFault(t *testing.T) {
	device := func() devices.Device {
		return NewSensor(quiet("s"), SensorSpec{Measures: "temperature"}, gauge(math.NaN()))
	}
	onBench(t, device, func(b *bench) {
		if b.lastReach() == nil || !b.get("temperature").value.IsZero() {
			t.Errorf("%v, %s", b.lastReach(), b.get("temperature"))
		}
	})
}
