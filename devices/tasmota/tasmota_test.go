package tasmota

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/devicetest/fuzz"
	"lectern/devices/line"
	"lectern/devices/mqtt"
	sim "lectern/devices/sim/tasmota"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func driver(t *testing.T, name string) devices.Driver {
	t.Helper()
	i := slices.IndexFunc(Drivers(), func(d devices.Driver) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("no driver %s", name)
	}
	return Drivers()[i]
}

func pair(t *testing.T, name string, with map[string]any) *devicetest.Pair {
	t.Helper()
	with = maps.Clone(with)
	with["topic"] = "lights"
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: driver(t, name), Factory: sim.New, Kind: line.MQTT, Speed: 20, With: with})
}

func TestTasmotaConforms(t *testing.T) {
	t.Run("switch", func(t *testing.T) {
		t.Parallel()
		devicetest.Switch(t, devicetest.SwitchCase{Pair: pair(t, "tasmota-switch", map[string]any{"relay": 2}), Nak: "nak"})
	})
	t.Run("only relay, other topics", func(t *testing.T) {
		t.Parallel()
		devicetest.Switch(t, devicetest.SwitchCase{Pair: pair(t, "tasmota-switch", map[string]any{"full_topic": "tasmota/%topic%/%prefix%/"}), Nak: "nak", Calm: true})
	})
	t.Run("dimmer", func(t *testing.T) {
		t.Parallel()
		devicetest.Dimmer(t, devicetest.DimmerCase{Pair: pair(t, "tasmota-dimmer", map[string]any{}), Nak: "nak"})
	})
	t.Run("shutter", func(t *testing.T) {
		t.Parallel()
		devicetest.Positioner(t, devicetest.MoverCase{Pair: pair(t, "tasmota-shutter", map[string]any{}), Nak: "nak"})
	})
	t.Run("sensor", func(t *testing.T) {
		t.Parallel()
		devicetest.Sensor(t, devicetest.SensorCase{
			Pair: pair(t, "tasmota-sensor", map[string]any{"value": "AM2301.Temperature"}), Values: []float64{21.5, 24, -3.25}, Nak: "nak",
		})
	})
}

// What the firmware is free to do must not change what is read.
func TestEveryWayOfAnsweringIsUnderstood(t *testing.T) {
	for _, way := range []string{"late", "twice", "setoption4", "retain"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			p := pair(t, "tasmota-switch", map[string]any{"relay": 1})
			p.Fault(t, way)
			contact := p.Capability.(devices.Switch)
			for _, on := range []bool{true, false, true} {
				if err := contact.SetOn(devicetest.Asking(t), on); err != nil {
					t.Fatalf("switching to %v: %v", on, err)
				}
				if got, err := contact.On(devicetest.Asking(t)); err != nil || got != on {
					t.Errorf("read %v, %v; want %v", got, err, on)
				}
			}
		})
	}
}

// Its last will makes a device unreachable, and not off.
func TestGoneIsNotOff(t *testing.T) {
	p := pair(t, "tasmota-switch", map[string]any{"relay": 1})
	contact := p.Capability.(devices.Switch)
	if err := contact.SetOn(devicetest.Asking(t), true); err != nil {
		t.Fatal(err)
	}
	p.Fault(t, "offline")
	devicetest.Until(t, "the will is heard", func() bool {
		_, err := contact.On(devicetest.Asking(t))
		return err != nil && strings.Contains(err.Error(), "offline")
	})
	if err := contact.SetOn(devicetest.Asking(t), false); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("switching a device that is gone: %v", err)
	}
	p.Fault(t, "")
	devicetest.Until(t, "it is back", func() bool {
		on, err := contact.On(devicetest.Asking(t))
		return err == nil && on
	})
}

// A command that the broker took and nobody carried out is not done.
func TestTakenByTheBrokerIsNotDone(t *testing.T) {
	p := pair(t, "tasmota-switch", map[string]any{"relay": 1, "timeout": "300ms"})
	p.Fault(t, "silence")
	if err := p.Capability.(devices.Switch).SetOn(devicetest.Asking(t), true); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("a silent device: %v", err)
	}
}

func news(t *testing.T, topic, payload string, retained bool) []mqtt.News {
	t.Helper()
	c := codec{place: Place{Topic: "lights", FullTopic: "%prefix%/%topic%/", Timeout: time.Second}}
	return c.read(line.Message{Topic: topic, Payload: []byte(payload), Retained: retained})
}

// The messages of the documentation and of public logs.
func TestMessages(t *testing.T) {
	for _, c := range []struct {
		topic, payload string
		retained       bool
		key, value     string
	}{
		{"stat/lights/RESULT", `{"POWER2":"ON"}`, false, "POWER2", "ON"},
		{"stat/lights/RESULT", `{"POWER":"OFF"}`, false, "POWER1", "OFF"},
		{"stat/lights/POWER2", "ON", false, "POWER2", "ON"},
		{"stat/lights/POWER", `{"POWER":"ON"}`, false, "POWER1", "ON"}, // SetOption4
		{"stat/lights/RESULT", `{"POWER":"ON","Dimmer":40}`, false, "Dimmer", "40"},
		{"stat/lights/STATUS10", `{"StatusSNS":{"Time":"2018-12-03T13:48:08","SI7021":{"Temperature":17.7,"Humidity":51.2},"TempUnit":"C"}}`, false, "status 10", `{"SI7021":{"Humidity":51.2,"Temperature":17.7},"TempUnit":"C"}`},
		{"stat/lights/STATUS11", `{"StatusSTS":{"Time":"2024-02-24T22:20:38","UptimeSec":611,"POWER":"OFF"}}`, false, "status 11", `{"POWER":"OFF","POWER1":"OFF","UptimeSec":611}`},
		{"tele/lights/LWT", "Online", true, mqtt.Online, "true"},
		{"tele/lights/LWT", "Offline", true, mqtt.Online, "false"},
	} {
		got := news(t, c.topic, c.payload, c.retained)
		if !slices.ContainsFunc(got, func(n mqtt.News) bool { return n.Key == c.key && n.Value == c.value }) {
			t.Errorf("%s %s says %+v; want %s = %s", c.topic, c.payload, got, c.key, c.value)
		}
	}
	for _, c := range []struct {
		topic, payload string
		retained       bool
	}{
		{"stat/lights/POWER2", "ON", true}, // may be old
		{"stat/others/POWER2", "ON", false},
		{"stat/lights/SHUTTER1", "50", false}, // a bare number, before 7.1
		{"stat/lights/RESULT", `{"POWER9999":"ON"}`, false},
		{"stat/lights/RESULT", `[1]`, false},
		{"tele/lights/LWT", "Perhaps", true},
	} {
		if got := news(t, c.topic, c.payload, c.retained); got != nil {
			t.Errorf("%s %s says %+v", c.topic, c.payload, got)
		}
	}
	got := news(t, "stat/lights/RESULT", `{"Command":"Unknown"}`, false)
	if len(got) != 1 || !errors.As(got[0].Err, new(*devices.Rejection)) {
		t.Errorf("an unknown command says %+v", got)
	}
}

func TestPlacesOfShutters(t *testing.T) {
	for _, c := range []struct {
		position, direction string
		want                devices.Whereabouts
	}{
		{"100", "0", devices.Whereabouts{Percent: 100, Known: true, Motion: devices.Stop}},
		{"37", "1", devices.Whereabouts{Percent: 37, Known: true, Motion: devices.Up}},
		{"50", "-1", devices.Whereabouts{Percent: 50, Known: true, Motion: devices.Down}},
	} {
		if got, err := whereabouts(c.position, c.direction); err != nil || got != c.want {
			t.Errorf("%s %s is %+v, %v", c.position, c.direction, got, err)
		}
	}
	for _, wrong := range [][2]string{{"", "0"}, {"300", "0"}, {"50", "2"}, {"50", ""}} {
		if got, err := whereabouts(wrong[0], wrong[1]); err == nil {
			t.Errorf("%q is %+v", wrong, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, payload := range []string{"ON", `{"POWER":"ON","Dimmer":40}`, `{"Shutter1":{"Position":37,"Direction":1}}`, `{"Command":"Unknown"}`, `{"StatusSNS":{"A":[1]}}`} {
		f.Add("RESULT", []byte(payload))
	}
	fuzz.Run(f, func(t *testing.T, what string, payload []byte) {
		c := codec{place: Place{Topic: "lights", FullTopic: "%prefix%/%topic%/"}}
		for _, n := range c.read(line.Message{Topic: "stat/lights/" + what, Payload: payload}) {
			if n.Key == "" && n.Err == nil {
				t.Errorf("%q says nothing of anything", payload)
			}
		}
	})
}
