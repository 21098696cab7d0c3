package modbus

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	"lectern/devices/sim"
	simulator "lectern/devices/sim/modbus"
)

// scripted is a unit that answers as a test says.
type scripted func(request []byte) (reply []byte)

func (scripted) Truth() map[string]string           { return nil }
func (scripted) Nudge(string, string, string) error { return nil }
func (scripted) Fault(string) error                 { return nil }
func (s scripted) Frame(request []byte) []byte      { return s(request) }

// talker is a peer on TCP that answers what it reads as a test says.
type talker struct{ scripted }

// Serve implements sim.Stream.
func (s talker) Serve(_ context.Context, conn io.ReadWriter) error {
	for buf := make([]byte, 300); ; {
		n, err := conn.Read(buf)
		if err != nil {
			return err //nolint:wrapcheck // nobody reads it
		}
		if _, err := conn.Write(s.scripted(buf[:n])); err != nil {
			return err //nolint:wrapcheck // nobody reads it
		}
	}
}

// against joins coil 0 of unit 1 with a peer that answers as a test says.
func against(t *testing.T, kind line.Kind, e sim.Equipment) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: driver(t, "modbus-coil"), Kind: kind, With: map[string]any{"unit": 1, "coil": 0},
		Factory: func(sim.Options, []sim.Device) (sim.Equipment, error) { return e, nil },
	})
}

// answering makes a unit that says the same whatever it is asked.
func answering(reply []byte) sim.Factory {
	return func(sim.Options, []sim.Device) (sim.Equipment, error) {
		return scripted(func([]byte) []byte { return reply }), nil
	}
}

// rtu puts a checksum to a frame.
func rtu(body ...byte) []byte {
	return binary.LittleEndian.AppendUint16(body, crc16(body))
}

// coils joins coils 0 and 1 of unit 1, the first closed and the second open, on one line.
func coils(t *testing.T, kind line.Kind, timeout time.Duration) (first, second devices.Switch, p *devicetest.Pair) {
	t.Helper()
	relay := driver(t, "modbus-coil")
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: relay, Factory: simulator.New, Kind: kind, Timeout: timeout,
		With:   map[string]any{"unit": 1, "coil": 0},
		Others: map[string]devicetest.PairOther{"second": {Driver: relay, With: map[string]any{"unit": 1, "coil": 1}}},
	})
	p = pairs["device"]
	p.Nudge(t, "device", "power", "true")
	return p.Capability.(devices.Switch), pairs["second"].Capability.(devices.Switch), p
}

func heard(p *devicetest.Pair) []byte {
	chunks, _, _ := p.Wire.Heard(0)
	return bytes.Join(chunks, nil)
}

func TestAnExceptionIsARejectionInWords(t *testing.T) {
	for _, code := range []byte{1, 2, 3, 4, 5, 6, 8, 10, 11, 99} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			p := against(t, line.TCP, scripted(func(request []byte) []byte { return rtu(1, request[1]|0x80, code) }))
			err := p.Capability.(devices.Switch).SetOn(devicetest.Asking(t), true)
			no := new(devices.Rejection)
			if !errors.As(err, &no) || no.Code != fmt.Sprintf("exception %d", code) || no.Reason.ZH == "" || no.Reason.EN == "" {
				t.Fatalf("got %v", err)
			}
			if busy := code == 5 || code == 6; no.Busy != busy {
				t.Errorf("busy is %v", no.Busy)
			}
			if !strings.Contains(err.Error(), "unit 1: write coil 0 on") {
				t.Errorf("%q does not say what was done, and to whom", err)
			}
		})
	}
}

func TestAReplyIsFoundAmongNoiseAndTheRepliesOfOthers(t *testing.T) {
	p := against(t, line.TCP, scripted(func(request []byte) []byte {
		return slices.Concat(
			[]byte{0x00, 0xFF, 0x01},          // a glitch
			rtu(2, 1, 1, 0),                   // another unit
			rtu(1, 3, 2, 0, 0),                // another function
			rtu(1, 1, 2, 0, 0),                // another length
			rtu(1, 0x83, 2),                   // the exception of another function
			[]byte{1, 1, 1, 0, 0x12, 0x34},    // another checksum
			request,                           // an adapter that hears itself
			rtu(1, 1, 1, 1), []byte{0xFF, 13}, // it, and more noise
		)
	}))
	for range 3 {
		if on, err := p.Capability.(devices.Switch).On(devicetest.Asking(t)); err != nil || !on {
			t.Errorf("read %v, %v", on, err)
		}
	}
}

func TestAShortReplyIsNoReply(t *testing.T) {
	p := against(t, line.TCP, scripted(func([]byte) []byte { return rtu(1, 1, 0) }))
	if on, err := p.Capability.(devices.Switch).On(devicetest.Asking(t)); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("read %v, %v", on, err)
	}
}

// TestALateReplyIsNotTheAnswerToTheNextQuestion: the two replies look the same but for the value.
func TestALateReplyIsNotTheAnswerToTheNextQuestion(t *testing.T) {
	for _, kind := range []line.Kind{line.Serial, line.TCP, line.ModbusTCP} {
		for _, late := range []string{"150ms", "350ms", "900ms"} {
			t.Run(string(kind)+" "+late, func(t *testing.T) {
				t.Parallel()
				first, second, p := coils(t, kind, 100*time.Millisecond)
				if err := p.Wire.Fault("late=" + late); err != nil {
					t.Fatal(err)
				}
				if on, err := first.On(devicetest.Asking(t)); !errors.Is(err, line.ErrNoReply) {
					t.Fatalf("read %v, %v", on, err)
				}
				if err := p.Wire.Fault(""); err != nil {
					t.Fatal(err)
				}
				devicetest.Until(t, "a reading", func() bool {
					on, err := second.On(devicetest.Asking(t))
					if err == nil && on {
						t.Error("the first coil's state was taken for the second's")
					}
					return err == nil
				})
			})
		}
	}
}

// TestASwitchNeedNotWaitForALateReply: while a late reply to a read may still come, no other read of
// the unit is sent; a write is, since nothing can be taken for its reply.
func TestASwitchNeedNotWaitForALateReply(t *testing.T) {
	first, second, p := coils(t, line.Serial, 0)
	if err := p.Wire.Fault("silence"); err != nil {
		t.Fatal(err)
	}
	if _, err := first.On(devicetest.Asking(t)); !errors.Is(err, line.ErrNoReply) {
		t.Fatal(err)
	}
	if err := p.Wire.Fault(""); err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() { _, err := first.On(devicetest.Asking(t)); read <- err }()
	devicetest.Until(t, "the read waits", func() bool { return p.Line.Waiting() == 1 })
	if err := second.SetOn(devicetest.Asking(t), true); err != nil {
		t.Error(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
	both, one, set := rtu(1, 1, 0, 0, 0, 2), rtu(1, 1, 0, 0, 0, 1), rtu(1, 5, 0, 1, 0xFF, 0)
	if got, want := heard(p), slices.Concat(both, set, one); !bytes.Equal(got, want) {
		t.Errorf("on the wire % X, want % X", got, want)
	}
}

func TestTheLinesOwnTimeoutIsKept(t *testing.T) {
	first, _, p := coils(t, line.Serial, 10*time.Second)
	if err := p.Wire.Fault("late=800ms"); err != nil {
		t.Fatal(err)
	}
	if on, err := first.On(devicetest.Asking(t)); err != nil || !on {
		t.Errorf("read %v, %v", on, err)
	}
}

// TestTransactionsOfALineAreNumberedTogether: devices that count for themselves would use the same
// numbers, and a late reply to one could be taken by another.
func TestTransactionsOfALineAreNumberedTogether(t *testing.T) {
	first, second, p := coils(t, line.ModbusTCP, 0)
	for i, ask := range []func() error{
		func() error { return first.SetOn(devicetest.Asking(t), false) },
		func() error { return second.SetOn(devicetest.Asking(t), true) },
		func() error { _, err := first.On(devicetest.Asking(t)); return err },
	} {
		if err := ask(); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	want := frame(t, "00 01 00 00 00 06 01 05 00 00 00 00"+"00 02 00 00 00 06 01 05 00 01 FF 00"+"00 03 00 00 00 06 01 01 00 00 00 02")
	if got := heard(p); !bytes.Equal(got, want) {
		t.Errorf("on the wire % X, want % X", got, want)
	}
}

func TestAModbusTCPReplyIsFoundByItsNumber(t *testing.T) {
	p := against(t, line.ModbusTCP, talker{func(request []byte) []byte {
		late := append([]byte{request[0], request[1] - 1}, frame(t, "00 00 00 04 01 01 01 00")...)
		foreign := append(bytes.Clone(request[:2]), frame(t, "00 00 00 04 02 01 01 00")...)
		return append(slices.Concat(late, foreign, request[:2]), frame(t, "00 00 00 04 01 01 01 01")...)
	}})
	for range 3 {
		if on, err := p.Capability.(devices.Switch).On(devicetest.Asking(t)); err != nil || !on {
			t.Errorf("read %v, %v", on, err)
		}
	}
}

func TestWhatIsNoModbusTCPIsGarbledAndSaysSo(t *testing.T) {
	p := against(t, line.ModbusTCP, talker{func([]byte) []byte { return []byte("SSH-2.0-OpenSSH_9.2p1\r\n") }})
	_, err := p.Capability.(devices.Switch).On(devicetest.Asking(t))
	if !errors.Is(err, line.ErrGarbled) || !strings.Contains(err.Error(), "check the line's kind") {
		t.Errorf("got %v", err)
	}
}

func TestTheTraceShowsFramesAndSaysWhatTheyMean(t *testing.T) {
	for kind, want := range map[line.Kind][]string{
		line.Serial: {
			"tx read coils 0 to 1 01 01 00 00 00 02 BD CB", "rx unit 1: 01 01 01 01 01 90 48",
			"tx write coil 0 off 01 05 00 00 00 00 CD CA", "rx unit 1: written 01 05 00 00 00 00 CD CA",
			"tx read coils 0 to 1 01 01 00 00 00 02 BD CB",
			"rx unit 1: the equipment answered exception 4: The unit reports a failure 01 81 04 41 93",
		},
		line.ModbusTCP: {
			"tx read coils 0 to 1 00 01 00 00 00 06 01 01 00 00 00 02", "rx unit 1: 01 00 01 00 00 00 04 01 01 01 01",
			"tx write coil 0 off 00 02 00 00 00 06 01 05 00 00 00 00", "rx unit 1: written 00 02 00 00 00 06 01 05 00 00 00 00",
			"tx read coils 0 to 1 00 03 00 00 00 06 01 01 00 00 00 02",
			"rx unit 1: the equipment answered exception 4: The unit reports a failure 00 03 00 00 00 03 01 81 04",
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			first, _, p := coils(t, kind, 0)
			if _, err := first.On(devicetest.Asking(t)); err != nil {
				t.Error(err)
			}
			if err := first.SetOn(devicetest.Asking(t), false); err != nil {
				t.Error(err)
			}
			p.Fault(t, "nak")
			if _, err := first.On(devicetest.Asking(t)); err == nil {
				t.Error("no exception")
			}
			var got []string
			entries, _ := p.Line.Trace(0)
			for _, e := range entries {
				if e.Dir == "tx" || e.Dir == "rx" {
					got = append(got, fmt.Sprintf("%s %s % X", e.Dir, e.Note, e.Bytes))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("the trace is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestEveryPercentOfAWideScaleReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := circuit{min: rapid.IntRange(0, 65535).Draw(t, "min"), max: rapid.IntRange(0, 65535).Draw(t, "max")}
		if d := s.max - s.min; d > -100 && d < 100 {
			t.Skip("less than a hundred steps")
		}
		for percent := range 101 {
			raw := int(s.raw(percent))
			if got := s.percent(uint16(raw)); got != percent {
				t.Errorf("%d%% is %d, which is %d%%", percent, raw, got)
			}
			if raw < min(s.min, s.max) || raw > max(s.min, s.max) {
				t.Errorf("%d%% is %d, which is not on the scale", percent, raw)
			}
		}
		if s.raw(0) != uint16(s.min) || s.raw(100) != uint16(s.max) {
			t.Errorf("the ends are %d and %d", s.raw(0), s.raw(100))
		}
	})
}

func TestAPercentOfANarrowScaleReadsBackUntilSomebodyTurnsIt(t *testing.T) {
	p := pair(t, "modbus-dimmer", line.TCP, map[string]any{"unit": 1, "base": 0, "max": 10})
	lamp := p.Capability.(devices.Dimmer)
	reads := func(want int) {
		t.Helper()
		if got, err := lamp.Level(devicetest.Asking(t)); err != nil || got != want {
			t.Errorf("read %d, %v; want %d", got, err, want)
		}
	}
	for _, percent := range []int{33, 66, 1, 100} {
		if err := lamp.SetLevel(devicetest.Asking(t), percent); err != nil {
			t.Error(err)
		}
		reads(percent)
	}
	p.Nudge(t, "device", "percent", "40")
	reads(40)
}

func TestDriversClaimWhatTheyOccupy(t *testing.T) {
	for name, c := range map[string]struct {
		with map[string]any
		want string
	}{
		"modbus-coil":          {map[string]any{"unit": 3, "coil": 5}, "unit 3 coil 5"},
		"modbus-command-relay": {map[string]any{"unit": 2, "register": 1}, "unit 2 register 1"},
		"modbus-dimmer":        {map[string]any{"unit": 3, "base": 7, "stride": 5, "channel": 2}, "unit 3 register 17"},
	} {
		d := driver(t, name)
		if got := d.Claims(devicetest.DecodeSettings(t, d, c.with)); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s claims %q, want %q", name, got, c.want)
		}
	}
}

// TestAReplyThatDripsInIsTakenWhole: byte by byte, with anything that is no unit's address before it.
func TestAReplyThatDripsInIsTakenWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.ByteRange(1, 247).Draw(t, "unit")
		var request, reply []byte
		switch function := rapid.SampledFrom([]byte{1, 2, 3, 4, 5, 6, 15, 16, 0x81, 0x86}).Draw(t, "function"); function {
		case 1, 2:
			request, reply = rtu(unit, function, 0, 9, 0, 5), rtu(unit, function, 1, rapid.Byte().Draw(t, "bits"))
		case 3, 4:
			data := rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "data")
			request, reply = rtu(unit, function, 0, 9, 0, 4), rtu(append([]byte{unit, function, 8}, data...)...)
		case 0x81, 0x86:
			request, reply = rtu(unit, function&^0x80, 0, 9, 0, 1), rtu(unit, function, rapid.Byte().Draw(t, "exception"))
		default:
			request, reply = rtu(unit, function, 0, 9, 0, 1), rtu(unit, function, 0, 9, 0, 1)
		}
		noise := rapid.SliceOfN(rapid.ByteRange(248, 255), 0, 9).Draw(t, "noise")
		got := append(bytes.Clone(noise), reply...)
		for n := range got {
			if _, end, err := findRTU(got[:n], request); end != 0 || err != nil {
				t.Errorf("% X was taken for all of % X (%v)", got[:n], got, err)
			}
		}
		if start, end, err := findRTU(got, request); start != len(noise) || end != len(got) || err != nil {
			t.Errorf("in % X the reply is from %d to %d, %v", got, start, end, err)
		}
	})
}
