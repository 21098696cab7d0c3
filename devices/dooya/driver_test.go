package dooya_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/dooya"
	"lectern/devices/line"
	simulator "lectern/devices/sim/dooya"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair joins a motor 12 34 whose travel is a fifth of a second.
func pair(t *testing.T, kind line.Kind) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: dooya.Driver(), Factory: simulator.New, Kind: kind, Speed: 75, With: map[string]any{"id": "12 34"},
	})
}

func TestConformanceOnSerial(t *testing.T) {
	t.Parallel()
	devicetest.Positioner(t, devicetest.MoverCase{Pair: pair(t, line.Serial), Nak: "nak", Lost: "mains-loss"})
}

func TestConformanceOnTCP(t *testing.T) {
	t.Parallel()
	devicetest.Positioner(t, devicetest.MoverCase{Pair: pair(t, line.TCP), Nak: "nak", Lost: "mains-loss"})
}

// TestAStopTakesThePlaceOfWaitingMoves: a move that waits for its turn when somebody presses stop
// must never be sent.
func TestAStopTakesThePlaceOfWaitingMoves(t *testing.T) {
	t.Parallel()
	p := pair(t, line.Serial)
	motor := p.Capability.(devices.Positioner)
	if _, err := motor.Where(devicetest.Asking(t)); err != nil {
		t.Fatal(err)
	}
	if err := p.Wire.Fault("silence"); err != nil {
		t.Fatal(err)
	}
	_, since, _ := p.Wire.Heard(0)
	busy := make(chan error, 1)
	go func() { _, err := motor.Where(devicetest.Asking(t)); busy <- err }()
	_, _, more := p.Wire.Heard(since)
	<-more // the read is on the wire and keeps it for its time-out
	moved := make(chan error, 1)
	go func() { moved <- motor.GoTo(devicetest.Asking(t), 30) }()
	for p.Line.Waiting() == 0 {
		select {
		case err := <-moved:
			t.Fatal(err)
		default:
		}
	}
	stopped := make(chan error, 1)
	go func() { stopped <- motor.Move(line.WithUrgency(devicetest.Asking(t), line.Halt), devices.Stop) }()
	if err := <-moved; !errors.Is(err, line.ErrSuperseded) {
		t.Errorf("the move gave %v", err)
	}
	if err := p.Wire.Fault(""); err != nil {
		t.Fatal(err)
	}
	<-busy
	if err := <-stopped; err != nil {
		t.Errorf("the stop gave %v", err)
	}
	chunks, _, _ := p.Wire.Heard(since)
	if heard := bytes.Join(chunks, nil); bytes.Contains(heard, []byte{0x55, 0x12, 0x34, 0x03, 0x04}) {
		t.Errorf("the move was sent after the stop: % X", heard)
	}
}

func TestMotorsOnOneBusAreToldApart(t *testing.T) {
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: dooya.Driver(), Factory: simulator.New, Speed: 75, With: map[string]any{"id": "12 34"},
		Others: map[string]devicetest.PairOther{"screen": {Driver: dooya.Driver(), With: map[string]any{"id": "fefe"}}},
	})
	pairs["device"].Nudge(t, "device", "position", "10")
	pairs["screen"].Nudge(t, "screen", "position", "90")
	for id, want := range map[string]int{"device": 10, "screen": 90} {
		w, err := pairs[id].Capability.(devices.Positioner).Where(devicetest.Asking(t))
		if err != nil || w.Percent != want {
			t.Errorf("%s says %+v, %v; want %d%%", id, w, err, want)
		}
	}
}

func TestTheDriverClaimsItsMotor(t *testing.T) {
	d := dooya.Driver()
	if got := d.Claims(devicetest.DecodeSettings(t, d, map[string]any{"id": "1234"})); !slices.Equal(got, []string{"motor 12 34"}) {
		t.Errorf("claims %q", got)
	}
	if err := (&dooya.Settings{ID: "00 00"}).Validate(); err == nil {
		t.Error("everybody is no motor")
	}
	if _, err := d.New(devices.Env{}, &dooya.Settings{}); err == nil {
		t.Error("a motor without an id was made")
	}
}

// asked lists which registers a motor was asked for: s for its status, p for its position.
func asked(p *devicetest.Pair) (registers string) {
	chunks, _, _ := p.Wire.Heard(0)
	for heard := bytes.Join(chunks, nil); len(heard) >= 8; {
		switch {
		case heard[3] != 1: // a command of 7 bytes, or of 8 with a position
			registers += "!"
			heard = heard[map[bool]int{true: 8, false: 7}[heard[4] == 4]:]
		case heard[4] == 5:
			registers, heard = registers+"s", heard[8:]
		default:
			registers, heard = registers+"p", heard[8:]
		}
	}
	return registers
}

// A motor at rest is asked where it is; what it does it is asked when it was told to move, now and then, and where
// it is found elsewhere.
func TestAMotorAtRestIsAskedOnlyWhereItIs(t *testing.T) {
	p := pair(t, line.Serial)
	motor := p.Capability.(devices.Positioner)
	where := func() devices.Whereabouts {
		w, err := motor.Where(devicetest.Asking(t))
		if err != nil {
			t.Error(err)
		}
		return w
	}
	p.Nudge(t, "device", "position", "10")
	for range 3 + 10 + 1 + 2 {
		if got, want := where(), (devices.Whereabouts{Percent: 10, Known: true, Motion: devices.Stop}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	const rest = "spspsp" + "pppppppppp" + "sp"
	if got, want := asked(p), rest+"pp"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	p.Nudge(t, "device", "position", "40") // somebody has pulled at it, and it stands again
	if got := where(); got.Percent != 40 {
		t.Errorf("%+v", got)
	}
	if got, want := asked(p), rest+"pp"+"psp"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	p.Nudge(t, "device", "motion", "up") // by a remote control
	devicetest.Until(t, "it moves, or is there", func() bool { w := where(); return w.Motion == devices.Up || w.Percent == 100 })
	devicetest.Until(t, "it is there", func() bool { return where().Percent == 100 })
	for range 5 {
		where()
	}
	if got := asked(p); got[len(got)-2:] != "pp" {
		t.Errorf("at rest again it was asked %s", got)
	}
	if err := motor.Move(devicetest.Asking(t), devices.Down); err != nil {
		t.Error(err)
	}
	where()
	if got := asked(p); got[len(got)-3:] != "!sp" {
		t.Errorf("after a command it was asked %s", got)
	}
}
