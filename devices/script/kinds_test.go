package script

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"lectern/devices"
	"lectern/devices/line"
)

// board answers requests as a table says; what is not in it is not answered.
type board struct {
	frames map[string]string
	sent   []line.Exchange
}

func (b *board) Do(_ context.Context, x line.Exchange) ([]byte, error) {
	b.sent = append(b.sent, x)
	if x.OneWay {
		return nil, nil
	}
	answer, ok := b.frames[string(x.Request)]
	if !ok || !x.Accept([]byte(answer)) {
		return nil, fmt.Errorf("%w to %q", line.ErrNoReply, x.Request)
	}
	return []byte(answer), nil
}

func (b *board) heard() string {
	var words []string
	for _, x := range b.sent {
		words = append(words, string(x.Request))
	}
	b.sent = nil
	return strings.Join(words, " ")
}

// device makes a device of a protocol, on a board.
func device(t *testing.T, kind, protocol string, frames map[string]string) (any, *board) {
	t.Helper()
	p, faults := compile(scripted(t, kind, "protocol:\n  id: x\n  frame: {end: ';'}\n"+protocol))
	if len(faults) > 0 {
		t.Fatal(errors.Join(faults...))
	}
	b := &board{frames: frames}
	return capability(&talk{program: p, wire: b, device: "device", kind: line.Serial, told: make(map[string]string)}), b
}

var ctx = context.Background()

func isSent(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, devices.ErrSent) {
		t.Errorf("%s: %v", what, err)
	}
}

func TestAMotorThatKnowsWhereItIs(t *testing.T) {
	made, b := device(t, "curtain", `
  commands: {up: {send: "U;"}, down: {send: "D;"}, stop: {send: "S;"}, position: {send: "P{position};", reply: ok}}
  queries: {where: {send: "?;", reply: '(?P<motion>[udsx])(?P<position>\d+|-)'}}
  values: {position: {scale: [100, 0], words: {"-": none}}, motion: {words: {u: up, d: down, s: stop}}}
`, map[string]string{"?;": "u30;", "P25;": "ok;"})
	motor, ok := made.(devices.Positioner)
	if !ok {
		t.Fatalf("%T", made)
	}
	if w, err := motor.Where(ctx); err != nil || w != (devices.Whereabouts{Percent: 70, Known: true, Motion: devices.Up}) {
		t.Errorf("%+v, %v", w, err)
	}
	b.frames["?;"] = "s-;"
	if w, err := motor.Where(ctx); err != nil || w.Known || w.Motion != devices.Stop {
		t.Errorf("without limits: %+v, %v", w, err)
	}
	b.frames["?;"] = "x30;"
	if w, err := motor.Where(ctx); !errors.Is(err, line.ErrGarbled) {
		t.Errorf("a motion that nobody knows: %+v, %v", w, err)
	}
	b.heard()
	if err := errors.Join(motor.GoTo(ctx, 75), motor.Move(ctx, devices.Stop)); err != nil {
		t.Error(err) // it can be read back
	}
	if stop := b.sent[1]; !stop.Sure || stop.Key != b.sent[0].Key || stop.Key == "" {
		t.Errorf("a stop must not wait, and takes the place of what waits: %+v", stop)
	}
	if got := b.heard(); got != "P25; S;" {
		t.Errorf("sent %q", got)
	}
	if motor.GoTo(ctx, 101) == nil || motor.Move(ctx, "sideways") == nil || b.heard() != "" {
		t.Error("what is no position or motion was sent")
	}
}

func TestAMotorThatDoesNotSayWhereItIsIsTimed(t *testing.T) {
	made, _ := device(t, "screen", `
  commands: {up: {send: "U;"}, down: {send: "D;"}, stop: {send: "S;"}}
`, nil)
	if _, knows := made.(devices.Positioner); knows {
		t.Error("it pretends to know its position")
	}
	isSent(t, "up", made.(devices.Mover).Move(ctx, devices.Up))
}

func TestAProjectorThatCannotBeAskedIsUnknown(t *testing.T) {
	made, _ := device(t, "projector", `
  commands: {"on": {send: "1;"}, "off": {send: "0;"}, input: {send: "i{input};"}}
`, nil)
	beam := made.(devices.Projector)
	isSent(t, "on", beam.SetPower(ctx, true))
	isSent(t, "input", beam.SetInput(ctx, "2"))
	if s, err := beam.Status(ctx); !errors.As(err, new(*devices.Refusal)) || s.Power != devices.PowerUnknown {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestAProjectorTellsWhatIsWrong(t *testing.T) {
	made, b := device(t, "projector", `
  commands: {"on": {send: "1;"}, "off": {send: "0;"}, input: {send: "i{input};"}}
  queries: {all: {send: "?;", reply: '(?P<power>.),(?P<input>.),(?P<lamp>\d+),(?P<fault>..)'}}
  values: {power: {words: {"0": off, "1": on, "2": cooling}}, fault: {words: {"00": none}}}
  faults: [{code: "04", zh: 过热, en: Too hot}]
`, map[string]string{"?;": "1,2,345,04;"})
	beam := made.(devices.Projector)
	s, err := beam.Status(ctx)
	if err != nil || s.Power != devices.PowerOn || s.Input != "2" || s.Lamp != 345 || s.Fault.Code != "04" || s.Fault.Text.EN != "Too hot" {
		t.Errorf("%+v, %v", s, err)
	}
	if b.heard() != "?;" {
		t.Error("one query that tells all was sent more than once")
	}
	b.frames["?;"] = "0,2,345,77;"
	if s, err = beam.Status(ctx); err != nil || s.Input != "" || s.Lamp != -1 || s.Fault.Code != "77" || s.Fault.Text.ZH == "" {
		t.Errorf("%+v, %v", s, err)
	}
	b.frames["?;"] = "0,2,345,00;"
	if s, err = beam.Status(ctx); err != nil || s.Fault.Code != "" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestAPlayerThatCannotBeAskedRemembersWhatLasts(t *testing.T) {
	made, _ := device(t, "recorder", `
  commands: {play: {send: "P;"}, stop: {send: "S;"}, next: {send: "N;"}, eject: {send: "E;"}}
`, nil)
	deck := made.(devices.Player)
	if _, hasVolume := made.(devices.Volume); hasVolume {
		t.Error("it has a volume that nobody gave it")
	}
	state := func(want devices.Transport) {
		t.Helper()
		got, err := deck.Transport(ctx)
		if want == "" {
			if !errors.As(err, new(*devices.Refusal)) {
				t.Errorf("it is %q, %v", got, err)
			}
			return
		}
		if got != want || !errors.Is(err, devices.ErrSent) {
			t.Errorf("it is %q, %v, want %q", got, err, want)
		}
	}
	state("")
	isSent(t, "play", deck.Act(ctx, devices.TransportPlay))
	state(devices.TransportPlay)
	isSent(t, "next", deck.Act(ctx, devices.TransportNext))
	state(devices.TransportPlay) // of the next chapter
	isSent(t, "eject", deck.Act(ctx, devices.TransportEject))
	state("")
	if deck.Act(ctx, devices.TransportRecord) == nil {
		t.Error("a command that it does not have was taken")
	}
}

func TestAVolumeThatCannotBeAskedIsAssumed(t *testing.T) {
	made, b := device(t, "player", `
  commands: {play: {send: "P;"}, volume: {send: "v{volume:02d};"}, mute: {send: "m;"}, unmute: {send: "u;"}}
  values: {volume: {scale: [0, 20]}}
`, nil)
	volume := made.(devices.Volume)
	if _, _, err := volume.Volume(ctx); !errors.As(err, new(*devices.Refusal)) {
		t.Errorf("before anything was set: %v", err)
	}
	isSent(t, "volume", volume.SetVolume(ctx, 45))
	isSent(t, "mute", volume.SetMute(ctx, true))
	if percent, muted, err := volume.Volume(ctx); percent != 45 || !muted || !errors.Is(err, devices.ErrSent) {
		t.Errorf("%d, %v, %v", percent, muted, err)
	}
	if got := b.heard(); got != "v09; m;" {
		t.Errorf("sent %q", got)
	}
}

func TestAMatrixThatCannotUntieSaysSo(t *testing.T) {
	made, b := device(t, "matrix", `
  commands: {select: {send: "{input}>{output};", reply: '{input}>{output}'}}
`, map[string]string{"2>1;": "2>1;"})
	matrix := made.(devices.Selector)
	if err := matrix.Select(ctx, "1", "2"); err != nil {
		t.Error(err)
	}
	if got, err := matrix.Selected(ctx, "1"); got != "2" || !errors.Is(err, devices.ErrSent) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := matrix.Selected(ctx, "2"); !errors.As(err, new(*devices.Refusal)) {
		t.Errorf("an output that was never set: %v", err)
	}
	b.heard()
	if err := matrix.Select(ctx, "1", ""); !errors.As(err, new(*devices.Refusal)) || b.heard() != "" {
		t.Errorf("untying: %v", err)
	}
}

func TestASensorWithWords(t *testing.T) {
	made, b := device(t, "sensor", `
  queries: {q: {send: "?;", reply: '(?P<value>.+)'}}
  values: {value: {words: {OPEN: "1", SHUT: "0"}}}
`, map[string]string{"?;": "OPEN;"})
	gauge := made.(devices.Sensor)
	if got, err := gauge.Measure(ctx); got != 1 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	b.frames["?;"] = "AJAR;"
	if got, err := gauge.Measure(ctx); !errors.Is(err, line.ErrGarbled) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAGreetingThatNobodyHeardIsSaidAgain(t *testing.T) {
	made, b := device(t, "circuit", `
  greet: [{send: "hi;", reply: hello}]
  commands: {"on": {send: "1;", reply: ok}, "off": {send: "0;", reply: ok}}
`, map[string]string{"1;": "ok;"})
	c := made.(*contact)
	if err := c.welcome(ctx, b.Do); err != nil {
		t.Errorf("on a serial line the equipment may be off: %v", err)
	}
	if err := c.SetOn(ctx, true); !errors.Is(err, line.ErrNoReply) || b.heard() != "hi; hi;" {
		t.Errorf("without a greeting it was spoken to: %v", err)
	}
	b.frames["hi;"] = "hello;"
	if err := c.SetOn(ctx, true); err != nil || b.heard() != "hi; 1;" {
		t.Errorf("%v", err)
	}
	if err := c.SetOn(ctx, true); err != nil || b.heard() != "1;" {
		t.Errorf("%v", err)
	}
}

func TestASecretIsNotInNotesOrErrors(t *testing.T) {
	made, b := device(t, "circuit", `
  greet: [{send: "login {password};", reply: ok, secret: true}]
  commands: {"on": {send: "1;"}, "off": {send: "0;"}}
password: swordfish
`, nil)
	c := made.(*contact)
	c.kind = line.TCP
	err := c.welcome(ctx, b.Do)
	if err == nil || !b.sent[0].Secret || strings.Contains(b.sent[0].Note, "swordfish") {
		t.Errorf("%v, %+v", err, b.sent[0])
	}
}
