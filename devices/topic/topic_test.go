package topic

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/devicetest/fuzz"
	"lectern/devices/line"
	"lectern/devices/mqtt"
	sim "lectern/devices/sim/topic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, name string, with map[string]any) *devicetest.Pair {
	t.Helper()
	i := slices.IndexFunc(Drivers(), func(d devices.Driver) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("no driver %s", name)
	}
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Drivers()[i], Factory: sim.New, Kind: line.MQTT, Speed: 20, With: maps.Clone(with)})
}

func TestTopicsConform(t *testing.T) {
	t.Run("switch", func(t *testing.T) {
		t.Parallel()
		devicetest.Switch(t, devicetest.SwitchCase{Pair: pair(t, "mqtt-switch", map[string]any{
			"set": "shellies/plug/relay/0/command", "on": "on", "off": "off", "state": "shellies/plug/relay/0", "available": "shellies/plug/online",
		})})
	})
	t.Run("switch that is asked, JSON", func(t *testing.T) {
		t.Parallel()
		devicetest.Switch(t, devicetest.SwitchCase{Pair: pair(t, "mqtt-switch", map[string]any{
			"set": "a/set", "state": "a/state", "value": "relay.power", "ask": "a/get", "ask_with": "?", "state_on": "yes", "state_off": "no",
		}), Calm: true})
	})
	t.Run("dimmer", func(t *testing.T) {
		t.Parallel()
		devicetest.Dimmer(t, devicetest.DimmerCase{Pair: pair(t, "mqtt-dimmer", map[string]any{
			"set": "lamp/set", "payload": `{"turn":"on","brightness":{level}}`, "off": `{"turn":"off"}`, "state": "lamp/status", "value": "brightness",
			"power": "power", "power_off": "OFF", "max": 255,
		})})
	})
	t.Run("coarse dimmer", func(t *testing.T) {
		t.Parallel()
		p := pair(t, "mqtt-dimmer", map[string]any{"set": "lamp/set", "state": "lamp", "max": 10})
		lamp := p.Capability.(devices.Dimmer)
		for percent := 0; percent <= 100; percent++ {
			if err := lamp.SetLevel(devicetest.Asking(t), percent); err != nil {
				t.Fatalf("dimming to %d: %v", percent, err)
			}
			if got, err := lamp.Level(devicetest.Asking(t)); err != nil || got != percent {
				t.Errorf("read %d, %v; want %d", got, err, percent)
			}
		}
	})
	t.Run("cover", func(t *testing.T) {
		t.Parallel()
		devicetest.Positioner(t, devicetest.MoverCase{Pair: pair(t, "mqtt-cover", map[string]any{
			"set": "blind/command", "up": "open", "stop": "stop", "down": "close", "position": "blind/command/pos", "state": "blind/pos", "motion": "blind/motion",
		})})
	})
	t.Run("inverted cover, JSON", func(t *testing.T) {
		t.Parallel()
		devicetest.Positioner(t, devicetest.MoverCase{Pair: pair(t, "mqtt-cover", map[string]any{
			"set": "blind/set", "state": "blind", "value": "pos", "motion_value": "does", "inverted": true, "position_payload": "pos,{position}", "ask": "blind/get",
		}), Calm: true})
	})
	t.Run("sensor", func(t *testing.T) {
		t.Parallel()
		devicetest.Sensor(t, devicetest.SensorCase{Pair: pair(t, "mqtt-sensor", map[string]any{
			"state": "weather", "value": "inside.tenths", "divide": 10,
		}), Values: []float64{21.5, 24, -3.2}})
	})
}

// What has no state is one-way: what it was told is assumed, and before that nothing is known.
func TestOneWayIsAssumed(t *testing.T) {
	p := pair(t, "mqtt-switch", map[string]any{"set": "radio/plug"})
	contact := p.Capability.(devices.Switch)
	if _, err := contact.On(devicetest.Asking(t)); !errors.As(err, new(*devices.Refusal)) {
		t.Errorf("before it was told: %v", err)
	}
	if err := contact.SetOn(devicetest.Asking(t), true); !errors.Is(err, devices.ErrSent) {
		t.Errorf("switching: %v", err)
	}
	if on, err := contact.On(devicetest.Asking(t)); !on || !errors.Is(err, devices.ErrSent) {
		t.Errorf("it was told on, and reads %v, %v", on, err)
	}
	devicetest.Until(t, "it is on", func() bool { return p.Equipment.Truth()["device.power"] == "true" })
	lamp := pair(t, "mqtt-dimmer", map[string]any{"set": "radio/lamp"}).Capability.(devices.Dimmer)
	if err := lamp.SetLevel(devicetest.Asking(t), 40); !errors.Is(err, devices.ErrSent) {
		t.Errorf("dimming: %v", err)
	}
	if got, err := lamp.Level(devicetest.Asking(t)); got != 40 || !errors.Is(err, devices.ErrSent) {
		t.Errorf("it was told 40, and reads %v, %v", got, err)
	}
}

func TestGoneIsNotOff(t *testing.T) {
	p := pair(t, "mqtt-switch", map[string]any{"set": "plug/set", "state": "plug/state", "available": "plug/online"})
	contact := p.Capability.(devices.Switch)
	if err := contact.SetOn(devicetest.Asking(t), true); err != nil {
		t.Fatal(err)
	}
	p.Fault(t, "offline")
	devicetest.Until(t, "the will is heard", func() bool {
		_, err := contact.On(devicetest.Asking(t))
		return err != nil && strings.Contains(err.Error(), "offline")
	})
	p.Fault(t, "")
	devicetest.Until(t, "it is back", func() bool {
		on, err := contact.On(devicetest.Asking(t))
		return err == nil && on
	})
}

// A state is read as the words say, and what is neither is an error, not off.
func TestAWordThatIsNeitherIsAnError(t *testing.T) {
	p := pair(t, "mqtt-switch", map[string]any{"set": "plug/set", "state": "plug/state"})
	odd := pair(t, "mqtt-switch", map[string]any{"set": "plug/set", "state": "plug/state", "state_on": "1", "state_off": "0"})
	devicetest.Until(t, "the word that is known is read", func() bool { // the broker says it a moment after the connection
		on, err := p.Capability.(devices.Switch).On(devicetest.Asking(t))
		return err == nil && !on
	})
	c := odd.Capability.(*contact)
	c.set.StateOff = "never"
	devicetest.Until(t, "an error that names the word", func() bool {
		_, err := c.On(devicetest.Asking(t))
		return err != nil && strings.Contains(err.Error(), `"0"`)
	})
}

func TestFieldsOfPayloads(t *testing.T) {
	c := codec{feeds: []feed{{"t", "", "whole"}, {"t", "a.b", "inner"}, {"u", "", "other"}}, available: "will", host: "bridge"}
	for _, one := range []struct {
		topic, payload string
		want           []mqtt.News
	}{
		{"t", " 42\n", []mqtt.News{{Key: "whole", Value: "42"}}},
		{"t", `{"a":{"b":1.50}}`, []mqtt.News{{Key: "whole", Value: `{"a":{"b":1.50}}`}, {Key: "inner", Value: "1.50"}}},
		{"t", `{"a":{"b":null}}`, []mqtt.News{{Key: "whole", Value: `{"a":{"b":null}}`}}},
		{"u", "true", []mqtt.News{{Key: "other", Value: "true"}}},
		{"u", "", nil},
		{"v", "x", nil},
		{"will", "online", []mqtt.News{{Key: mqtt.Online, Value: "true"}}},
		{"bridge", `{"state":"offline"}`, []mqtt.News{{Key: mqtt.Host, Value: "false"}}},
		{"will", "perhaps", nil},
	} {
		if got := c.read(line.Message{Topic: one.topic, Payload: []byte(one.payload)}); !slices.Equal(got, one.want) {
			t.Errorf("%s %q says %+v; want %+v", one.topic, one.payload, got, one.want)
		}
	}
}

func TestScales(t *testing.T) {
	d := Dimmer{Max: 254}
	if d.raw(0) != 0 || d.raw(100) != 254 || d.raw(50) != 127 || d.percent(127) != 50 || d.percent(999) != 100 {
		t.Errorf("%d %d %d %d", d.raw(0), d.raw(100), d.raw(50), d.percent(127))
	}
	if d := (Dimmer{Max: 10}); d.raw(1) == 0 {
		t.Error("1 % is dark")
	}
	if d := (Dimmer{Min: 100, Max: 0}); d.raw(25) != 75 || d.percent(75) != 25 {
		t.Errorf("downwards: %d %d", d.raw(25), d.percent(75))
	}
}

func FuzzRead(f *testing.F) {
	f.Add("t", []byte(`{"a":{"b":1}}`))
	f.Add("will", []byte(`{"state":"online"}`))
	fuzz.Run(f, func(t *testing.T, topic string, payload []byte) {
		c := codec{feeds: []feed{{"t", "a.b", stateKey}}, available: "will"}
		for _, n := range c.read(line.Message{Topic: topic, Payload: payload}) {
			if n.Key != stateKey && n.Key != mqtt.Online {
				t.Errorf("%q says %+v", payload, n)
			}
			if p, err := mqtt.Percent(n.Value); err == nil && (p < 0 || p > 100) {
				t.Errorf("%q is %d %%", n.Value, p)
			}
		}
	})
}
