package script_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	"lectern/devices/script"
	"lectern/devices/sim"
	benq "lectern/devices/sim/benq"
	epson "lectern/devices/sim/escvp21"
	"lectern/devices/sim/hdmimatrix"
	sequencer "lectern/devices/sim/hs08r"
	"lectern/devices/sim/modbus"
	"lectern/devices/sim/oppo"
	"lectern/devices/sim/sis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// written returns the first protocol of a room file as it is written there.
func written(t testing.TB, path string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var room struct {
		Protocols []map[string]any `yaml:"protocols"`
	}
	if err := yaml.Unmarshal(data, &room); err != nil || len(room.Protocols) == 0 {
		t.Fatalf("%s: %v", path, err)
	}
	return room.Protocols[0]
}

func example(t testing.TB, name string) map[string]any {
	return written(t, filepath.Join("..", "..", "configs", "examples", name))
}

func protocol(t testing.TB, name string) map[string]any {
	return written(t, filepath.Join("testdata", name))
}

// driver is the script driver for one kind of device.
func driver(kind string) devices.Driver {
	d := script.Driver()
	d.Kinds = []string{kind}
	return d
}

// settings are a protocol with arguments, as a room file has them.
func settings(protocol map[string]any, arguments map[string]any) map[string]any {
	with := maps.Clone(arguments)
	if with == nil {
		with = make(map[string]any)
	}
	with["protocol"] = protocol
	return with
}

type join struct {
	kind      string
	protocol  map[string]any
	arguments map[string]any
	factory   sim.Factory
	line      line.Kind
	speed     float64
}

func (j join) pair(t *testing.T) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: driver(j.kind), Factory: j.factory, Kind: j.line, Speed: j.speed, With: settings(j.protocol, j.arguments),
	})
}

var lines = []line.Kind{line.Serial, line.TCP}

func TestAScriptedSequencerConforms(t *testing.T) {
	t.Parallel()
	for _, kind := range lines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			p := join{"circuit", example(t, "script-hs08r.yaml"), map[string]any{"channel": 3}, sequencer.New, kind, 1}.pair(t)
			devicetest.Switch(t, devicetest.SwitchCase{Pair: p, Nak: "nak", Calm: kind == line.TCP})
		})
	}
}

func TestAScriptedBenQProjectorConforms(t *testing.T) {
	t.Parallel()
	for _, kind := range lines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			p := example(t, "script-benq.yaml")
			p["lamp"] = map[string]any{"warming": "400ms", "cooling": "700ms"}
			devicetest.Projector(t, devicetest.ProjectorCase{
				Pair:   join{"projector", p, nil, benq.New, kind, 100}.pair(t),
				Inputs: [2]string{"hdmi", "rgb"}, Nak: "nak", Reckoned: true, Calm: kind == line.Serial,
			})
		})
	}
}

func TestAScriptedEpsonProjectorConforms(t *testing.T) {
	t.Parallel()
	devicetest.Projector(t, devicetest.ProjectorCase{
		Pair:   join{"projector", protocol(t, "epson.yaml"), nil, epson.New, line.Serial, 100}.pair(t),
		Inputs: [2]string{"30", "A0"}, Nak: "nak", Calm: true,
	})
}

func TestAScriptedMatrixConforms(t *testing.T) {
	t.Parallel()
	for _, kind := range lines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			devicetest.Selector(t, devicetest.SelectorCase{
				Pair:    join{"matrix", protocol(t, "extron.yaml"), nil, sis.New, kind, 1}.pair(t),
				Outputs: []string{"1", "2"}, Inputs: []string{"1", "2", "3"}, Unties: true, NoInput: "99", Nak: "nak", Calm: kind == line.Serial,
			})
		})
	}
}

func TestAScriptedHDMIMatrixConforms(t *testing.T) {
	t.Parallel()
	letter := func(o sim.Options, list []sim.Device) (sim.Equipment, error) {
		list[0].With = map[string]any{"dialect": "letter"}
		return hdmimatrix.New(o, list)
	}
	for _, kind := range lines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			devicetest.Selector(t, devicetest.SelectorCase{
				Pair:    join{"matrix", example(t, "script-hdmi-matrix.yaml"), nil, letter, kind, 1}.pair(t),
				Outputs: []string{"1", "3", "8"}, Inputs: []string{"1", "4", "8"}, Unties: true, NoInput: "9", Nak: "nak", Calm: kind == line.TCP,
			})
		})
	}
}

func TestAScriptedVolumeConforms(t *testing.T) {
	t.Parallel()
	volume := func(o sim.Options, list []sim.Device) (sim.Equipment, error) {
		list[0].Driver = "extron-sis-volume"
		return sis.New(o, list)
	}
	for _, kind := range lines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			devicetest.Volume(t, devicetest.VolumeCase{
				Pair: join{"amplifier", protocol(t, "extron.yaml"), nil, volume, kind, 1}.pair(t), Calm: kind == line.TCP, Nak: "nak",
			})
		})
	}
}

func TestAScriptedModbusDimmerConforms(t *testing.T) {
	t.Parallel()
	dimmer := func(o sim.Options, list []sim.Device) (sim.Equipment, error) {
		list[0].Driver, list[0].With = "modbus-dimmer", map[string]any{"unit": 3, "base": 40, "max": 1000}
		return modbus.New(o, list)
	}
	devicetest.Dimmer(t, devicetest.DimmerCase{
		Pair: join{"dimmer", protocol(t, "modbus.yaml"), map[string]any{"unit": 3, "register": 40}, dimmer, line.Serial, 1}.pair(t), Nak: "nak",
	})
}

func TestAScriptedModbusSensorConforms(t *testing.T) {
	t.Parallel()
	sensor := func(o sim.Options, list []sim.Device) (sim.Equipment, error) {
		list[0].Driver, list[0].With = "modbus-sensor", map[string]any{"unit": 5, "register": 1, "divide": 10, "signed": true, "function": 3}
		return modbus.New(o, list)
	}
	devicetest.Sensor(t, devicetest.SensorCase{
		Pair:   join{"sensor", protocol(t, "modbus.yaml"), map[string]any{"unit": 5, "register": 1}, sensor, line.TCP, 1}.pair(t),
		Values: []float64{30.5, -4.2, 0}, Nak: "nak", Calm: true,
	})
}

func TestAScriptedPlayerConforms(t *testing.T) {
	t.Parallel()
	p := join{"player", protocol(t, "oppo.yaml"), nil, oppo.New, line.Serial, 1}.pair(t)
	devicetest.Player(t, devicetest.PlayerCase{
		Pair: p, NoMedia: "no-disc", Nak: "nak", Calm: true, Chapter: p.Equipment.(*oppo.Player).Chapter,
		Commands: map[devices.Transport]string{
			devices.TransportPlay: "#PLA\r", devices.TransportStop: "#STP\r", devices.TransportPause: "#PAU\r",
			devices.TransportForward: "#FWD\r", devices.TransportBack: "#REV\r",
			devices.TransportNext: "#NXT\r", devices.TransportPrevious: "#PRE\r",
		},
	})
}

// TestASequencerThatOnlyListensIsAssumed: without replies and queries nothing is reported.
func TestASequencerThatOnlyListensIsAssumed(t *testing.T) {
	t.Parallel()
	p := map[string]any{"id": "mute", "bus": "hs08r", "commands": map[string]any{
		"on":  map[string]any{"hex": "5B B5 01 16 00 00 00 01 {channel:02X} AA"},
		"off": map[string]any{"hex": "5B B5 01 16 00 00 00 00 {channel:02X} AA"},
	}}
	mute := func(o sim.Options, list []sim.Device) (sim.Equipment, error) {
		list[0].With = map[string]any{"channel": 3, "feedback": false}
		return sequencer.New(o, list)
	}
	pair := join{"circuit", p, map[string]any{"channel": 3}, mute, line.Serial, 1}.pair(t)
	contact := pair.Capability.(devices.Switch)
	if on, err := contact.On(devicetest.Asking(t)); !errors.As(err, new(*devices.Refusal)) {
		t.Errorf("before anything was sent it is %v, %v", on, err)
	}
	for _, on := range []bool{true, false} {
		if err := contact.SetOn(devicetest.Asking(t), on); !errors.Is(err, devices.ErrSent) {
			t.Errorf("setting gave %v", err)
		}
		devicetest.Until(t, "the relay", func() bool { return (pair.Equipment.Truth()["device.power"] == "true") == on })
		if got, err := contact.On(devicetest.Asking(t)); got != on || !errors.Is(err, devices.ErrSent) {
			t.Errorf("after %v it is %v, %v", on, got, err)
		}
	}
}
