package modbus

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/goburrow/modbus"
	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/devicetest/fuzz"
	"lectern/devices/line"
	sim "lectern/devices/sim/modbus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func driver(t *testing.T, name string) devices.Driver {
	t.Helper()
	for _, d := range Drivers() {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("no driver %s", name)
	return devices.Driver{}
}

func pair(t *testing.T, name string, kind line.Kind, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: driver(t, name), Factory: sim.New, Kind: kind, With: with})
}

// frame reads spaced hexadecimal.
func frame(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWireVectors(t *testing.T) {
	for _, c := range []struct {
		name, driver string
		with         map[string]any
		do           func(ctx context.Context, capability any) error
		want         string
	}{
		{"Waveshare relay 1 on", "modbus-coil", map[string]any{"unit": 1, "coil": 0}, on, "01 05 00 00 FF 00 8C 3A"},
		{"Waveshare relay 1 off", "modbus-coil", map[string]any{"unit": 1, "coil": 0}, off, "01 05 00 00 00 00 CD CA"},
		{"one relay by function 0F", "modbus-coil", map[string]any{"unit": 1, "coil": 0, "write": 15}, on, "01 0F 00 00 00 01 01 01 EF 57"},
		{"one relay read", "modbus-coil", map[string]any{"unit": 1, "coil": 0}, isOn, "01 01 00 00 00 01 FD CA"},
		{"R421A08 relay 1 on", "modbus-command-relay", map[string]any{"unit": 1, "register": 1}, on, "01 06 00 01 01 00 D9 9A"},
		{"R421A08 relay 1 off", "modbus-command-relay", map[string]any{"unit": 1, "register": 1}, off, "01 06 00 01 02 00 D9 6A"},
		{"R421A08 relay 1 read", "modbus-command-relay", map[string]any{"unit": 1, "register": 1}, isOn, "01 03 00 01 00 01 D5 CA"},
		{"R421A08 relay 1 on for 10 s", "modbus-command-relay", map[string]any{"unit": 1, "register": 1, "on": 0x060A}, on, "01 06 00 01 06 0A 5B AD"},
		{"R421A08 relay 1 on for 100 s", "modbus-command-relay", map[string]any{"unit": 1, "register": 1, "on": 0x0664}, on, "01 06 00 01 06 64 DA 41"},
		{"dimmer 50 %", "modbus-dimmer", map[string]any{"unit": 1, "base": 0}, level(50), "01 06 00 00 00 32 08 1F"},
		{"dimmer full, 0-1000", "modbus-dimmer", map[string]any{"unit": 1, "base": 0, "max": 1000}, level(100), "01 06 00 00 03 E8 89 74"},
		{"SHT20 temperature", "modbus-sensor", map[string]any{"unit": 1, "register": 1, "divide": 10, "signed": true}, measure, "01 04 00 01 00 01 60 0A"},
		{"SHT20 humidity", "modbus-sensor", map[string]any{"unit": 1, "register": 2, "divide": 10}, measure, "01 04 00 02 00 01 90 0A"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pair(t, c.driver, line.Serial, c.with)
			if err := c.do(devicetest.Asking(t), p.Capability); err != nil {
				t.Fatal(err)
			}
			chunks, _, _ := p.Wire.Heard(0)
			if got := bytes.Join(chunks, nil); !bytes.Equal(got, frame(t, c.want)) {
				t.Errorf("on the wire % X, want %s", got, c.want)
			}
		})
	}
}

func on(ctx context.Context, c any) error   { return c.(devices.Switch).SetOn(ctx, true) }
func off(ctx context.Context, c any) error  { return c.(devices.Switch).SetOn(ctx, false) }
func isOn(ctx context.Context, c any) error { _, err := c.(devices.Switch).On(ctx); return err }
func measure(ctx context.Context, c any) error {
	_, err := c.(devices.Sensor).Measure(ctx)
	return err
}
func level(percent int) func(context.Context, any) error {
	return func(ctx context.Context, c any) error { return c.(devices.Dimmer).SetLevel(ctx, percent) }
}

func TestRelaysConform(t *testing.T) {
	for _, c := range []struct {
		name, driver string
		kind         line.Kind
		with         map[string]any
		calm         bool
	}{
		{"coil on a bus", "modbus-coil", line.Serial, map[string]any{"unit": 9, "coil": 5}, false},
		{"coil by function 15, RTU over TCP", "modbus-coil", line.TCP, map[string]any{"unit": 9, "coil": 12, "write": 15}, true},
		{"coil on Modbus TCP", "modbus-coil", line.ModbusTCP, map[string]any{"unit": 9, "coil": 5}, false},
		{"command relay on a bus", "modbus-command-relay", line.Serial, map[string]any{"unit": 2, "register": 8}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			devicetest.Switch(t, devicetest.SwitchCase{Pair: pair(t, c.driver, c.kind, c.with), Nak: "nak", Calm: c.calm})
		})
	}
}

func TestDimmersConform(t *testing.T) {
	for _, c := range []struct {
		name string
		kind line.Kind
		with map[string]any
		calm bool
	}{
		{"percent, RTU over TCP", line.TCP, map[string]any{"unit": 3, "base": 0, "channel": 2}, false},
		{"0-1023 with function 16", line.ModbusTCP, map[string]any{"unit": 3, "base": 40, "max": 1023, "write": 16}, true},
		{"a scale that runs down, read with function 4", line.Serial, map[string]any{"unit": 3, "base": 7, "stride": 5, "channel": 1, "min": 254, "max": 0, "read": 4}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			devicetest.Dimmer(t, devicetest.DimmerCase{Pair: pair(t, "modbus-dimmer", c.kind, c.with), Nak: "nak", Calm: c.calm})
		})
	}
}

func TestSensorsConform(t *testing.T) {
	for _, c := range []struct {
		name   string
		with   map[string]any
		values []float64
	}{
		{"signed tenths", map[string]any{"unit": 5, "register": 1, "divide": 10, "signed": true}, []float64{30.5, -4.2, 0}},
		{"holding register", map[string]any{"unit": 5, "register": 1, "function": 3}, []float64{300, 12}},
		{"discrete input", map[string]any{"unit": 5, "register": 0, "function": 2}, []float64{1, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			devicetest.Sensor(t, devicetest.SensorCase{Pair: pair(t, "modbus-sensor", line.Serial, c.with), Values: c.values, Nak: "nak", Calm: true}) // the others have the same wire
		})
	}
}

func TestACoilBeyondTheBoardIsARejection(t *testing.T) {
	p := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: driver(t, "modbus-coil"), Factory: sim.New, With: map[string]any{"unit": 1, "coil": 0},
	})["device"]
	beyond := &coil{board: newBoard(p.Line, 1), set: CoilSettings{Unit: 1, Coil: 8, Write: 5}}
	rejection := new(devices.Rejection)
	if err := beyond.SetOn(devicetest.Asking(t), true); !errors.As(err, &rejection) || rejection.Code != "exception 2" {
		t.Errorf("%v", err)
	}
}

func TestAStrangeUnitGetsNoAnswer(t *testing.T) {
	p := pair(t, "modbus-coil", line.Serial, map[string]any{"unit": 1, "coil": 0})
	stranger := &coil{board: newBoard(p.Line, 2), set: CoilSettings{Unit: 2, Write: 5}}
	if _, err := stranger.On(devicetest.Asking(t)); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("%v", err)
	}
}

func TestFindRTUPassesOverWhatIsNotTheReply(t *testing.T) {
	read := frame(t, "01 03 00 01 00 01 D5 CA")
	for _, c := range []struct {
		name, got  string
		start, end int
	}{
		{"the reply", "01 03 02 00 01 79 84", 0, 7},
		{"not all of it", "01 03 02 00 01 79", 0, 0},
		{"a glitch before it", "00 01 03 02 00 01 79 84", 1, 8},
		{"wrong checksum", "01 03 02 00 01 79 85", 0, 0},
		{"the late reply of another unit", "02 03 02 00 00 FC 44 01 03 02 00 01 79 84", 7, 14},
		{"a late reply of another length", "01 03 08 00 00 00 21 00 42 00 64 88 2F", 0, 0},
		{"its own echo", "01 03 00 01 00 01 D5 CA", 0, 0},
		{"an exception", "01 83 02 C0 F1", 0, 5},
	} {
		start, end, err := findRTU(frame(t, c.got), read)
		if err != nil || start != c.start || end != c.end {
			t.Errorf("%s: %d %d %v", c.name, start, end, err)
		}
	}
	write := frame(t, "01 05 00 00 FF 00 8C 3A")
	if _, end, _ := findRTU(frame(t, "01 05 00 00 00 00 CD CA"), write); end != 0 {
		t.Error("the reply to an earlier write was taken for this one's")
	}
}

func TestFindMBAPWantsItsTransaction(t *testing.T) {
	request := frame(t, "12 34 00 00 00 06 01 03 00 01 00 01")
	late := "12 33 00 00 00 05 01 03 02 00 00"
	right := "12 34 00 00 00 05 01 03 02 00 01"
	if start, end, err := findMBAP(frame(t, late+right), request); err != nil || start != 11 || end != 22 {
		t.Errorf("%d %d %v", start, end, err)
	}
	if _, _, err := findMBAP([]byte("HTTP/1.1 400 Bad Request"), request); err == nil {
		t.Error("a web server was taken for a slow Modbus unit")
	}
}

// The library's own vectors, to hold its framing against the line's.
func TestFramesOfTheLibraryHaveTheRightChecksum(t *testing.T) {
	for _, s := range []string{"01 03 50 00 00 18 54 C0", "11 05 00 AC FF 00 4E 8B", "11 06 00 01 00 03 9A 9B", "11 0F 00 13 00 0A 02 CD 01 BF 0B"} {
		f := frame(t, s)
		h := modbus.NewRTUClientHandler("")
		h.SlaveId = f[0]
		built, err := h.Encode(&modbus.ProtocolDataUnit{FunctionCode: f[1], Data: f[2 : len(f)-2]})
		if err != nil || !bytes.Equal(built, f) {
			t.Errorf("% X, %v; want %s", built, err, s)
		}
		if sum := crc16(f[:len(f)-2]); byte(sum) != f[len(f)-2] || byte(sum>>8) != f[len(f)-1] {
			t.Errorf("%s: checksum %04X", s, sum)
		}
	}
}

func TestBadSettingsSayWhatWouldBeRight(t *testing.T) {
	for _, c := range []struct {
		settings interface{ Validate() error }
		want     string
	}{
		{&CoilSettings{Unit: 0, Write: 5}, "a Modbus unit is 1 to 247"},
		{&CoilSettings{Unit: 1, Coil: 70000, Write: 5}, "coil 70000: it is 0 to 65535"},
		{&CoilSettings{Unit: 1, Write: 6}, "it is 5 or 15"},
		{&DimmerSettings{Unit: 1, Max: new(int)}, "there is nothing between dark and full"},
		{&SensorSettings{Unit: 1, Function: 5, Divide: 1}, "it is 4, 3 or 2"},
	} {
		if err := c.settings.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.settings, err)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte{1, 3, 2, 0, 1, 0x79, 0x84}, []byte{1, 3, 0, 1, 0, 1, 0xD5, 0xCA})
	f.Add([]byte{0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 1}, []byte{0, 1, 0, 0, 0, 6, 1, 3, 0, 1, 0, 1})
	fuzz.Run(f, func(t *testing.T, got, request []byte) {
		if len(request) >= 8 {
			start, end, err := findRTU(got, request)
			found(t, got, start, end)
			if end > 0 && !bytes.Equal(rtu(bytes.Clone(got[start:end-2])...), got[start:end]) || end > 0 && got[start] != request[0] || err != nil {
				t.Errorf("% X was taken for the reply to % X (%v)", got[start:end], request, err)
			}
			_ = explainRTU(got[start:end])
		}
		if len(request) >= 12 {
			start, end, err := findMBAP(got, request)
			found(t, got, start, end)
			if end > 0 && (!bytes.Equal(got[start:start+2], request[:2]) || got[start+6] != request[6] || err != nil) {
				t.Errorf("% X was taken for the reply to % X (%v)", got[start:end], request, err)
			}
			_ = explainMBAP(got[start:end])
		}
		_, _ = explainRTU(got), explainMBAP(got) // of a frame that the trace has cut short
	})
}

func found(t *testing.T, got []byte, start, end int) {
	t.Helper()
	if start < 0 || start > end || end > len(got) {
		t.Fatalf("a frame from %d to %d in %d bytes", start, end, len(got))
	}
}
