package shelly

import (
	"encoding/json"
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
	sim "lectern/devices/sim/shelly"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, name string, with map[string]any) *devicetest.Pair {
	t.Helper()
	i := slices.IndexFunc(Drivers(), func(d devices.Driver) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("no driver %s", name)
	}
	with = maps.Clone(with)
	with["topic_prefix"] = "shellyplus1-a8032abe54dc"
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Drivers()[i], Factory: sim.New, Kind: line.MQTT, Speed: 20, With: with})
}

func TestShellysConform(t *testing.T) {
	t.Run("switch", func(t *testing.T) {
		t.Parallel()
		devicetest.Switch(t, devicetest.SwitchCase{Pair: pair(t, "shelly-switch", map[string]any{"id": 1}), Nak: "nak"})
	})
	t.Run("light", func(t *testing.T) {
		t.Parallel()
		devicetest.Dimmer(t, devicetest.DimmerCase{Pair: pair(t, "shelly-light", map[string]any{}), Nak: "nak"})
	})
	t.Run("cover", func(t *testing.T) {
		t.Parallel()
		devicetest.Positioner(t, devicetest.MoverCase{Pair: pair(t, "shelly-cover", map[string]any{}), Nak: "nak"})
	})
	t.Run("sensor", func(t *testing.T) {
		t.Parallel()
		devicetest.Sensor(t, devicetest.SensorCase{
			Pair: pair(t, "shelly-sensor", map[string]any{"component": "temperature", "id": 100}), Values: []float64{21.5, 24, -3.25}, Nak: "nak",
		})
	})
}

func TestLateAndDoubleAnswersAreNoTrouble(t *testing.T) {
	for _, way := range []string{"late", "twice"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			p := pair(t, "shelly-switch", map[string]any{})
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

func TestGoneIsNotOff(t *testing.T) {
	p := pair(t, "shelly-switch", map[string]any{})
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

func TestAnUncalibratedCoverHasNoPosition(t *testing.T) {
	p := pair(t, "shelly-cover", map[string]any{})
	p.Fault(t, "uncalibrated")
	motor := p.Capability.(devices.Positioner)
	if w, err := motor.Where(devicetest.Asking(t)); err != nil || w.Known {
		t.Errorf("it says %+v, %v", w, err)
	}
	if err := motor.GoTo(devicetest.Asking(t), 40); !errors.As(err, new(*devices.Refusal)) {
		t.Errorf("going to a height: %v", err)
	}
	if err := motor.Move(devicetest.Asking(t), devices.Up); err != nil {
		t.Errorf("up: %v", err)
	}
}

// The frame that the documentation shows, and who it is answered to.
func TestRequestFrame(t *testing.T) {
	got, err := encode(1, "homeassistant", "Switch.Set", 0, map[string]any{"on": true})
	if want := `{"id":1,"src":"homeassistant","method":"Switch.Set","params":{"id":0,"on":true}}`; err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	if !json.Valid([]byte(got)) {
		t.Error("not JSON")
	}
}

func TestMessages(t *testing.T) {
	c := codec{prefix: "shelly1", source: "lectern-lamp-X", component: "switch:0"}
	hear := func(topic, payload string) []mqtt.News {
		return c.read(line.Message{Topic: topic, Payload: []byte(payload)})
	}
	for _, one := range []struct{ topic, payload, key, value string }{
		{"lectern-lamp-X/rpc", `{"id":7,"src":"shelly1","dst":"lectern-lamp-X","result":{"was_on":true}}`, mqtt.Answer(7), `{"was_on":true}`},
		{"lectern-lamp-X/rpc", `{"id":8,"src":"shelly1","dst":"lectern-lamp-X","result":null}`, mqtt.Answer(8), `{}`},
		{"shelly1/events/rpc", `{"src":"shelly1","dst":"shelly1/events","method":"NotifyStatus","params":{"ts":1.5,"switch:0":{"id":0,"output":true}}}`, "switch:0", `{"id":0,"output":true}`},
		{"shelly1/online", "false", mqtt.Online, "false"},
	} {
		if got := hear(one.topic, one.payload); len(got) != 1 || got[0].Key != one.key || got[0].Value != one.value || got[0].Err != nil {
			t.Errorf("%s %s says %+v", one.topic, one.payload, got)
		}
	}
	got := hear("lectern-lamp-X/rpc", `{"id":9,"src":"shelly1","dst":"lectern-lamp-X","error":{"code":-105,"message":"Argument 'id', value 5 not found!"}}`)
	no := new(devices.Rejection)
	if len(got) != 1 || got[0].Key != mqtt.Answer(9) || !errors.As(got[0].Err, &no) || no.Code != "-105" || no.Reason.ZH == "" {
		t.Errorf("an error says %+v", got)
	}
	for _, other := range [][2]string{
		{"lectern-lamp-X/rpc", `{"id":7,"src":"shelly1","dst":"somebody","result":{}}`},
		{"lectern-lamp-X/rpc", `{"src":"shelly1","dst":"lectern-lamp-X","result":{}}`},
		{"lectern-lamp-X/rpc", `nonsense`},
		{"shelly1/events/rpc", `{"method":"NotifyStatus","params":{"switch:1":{"output":true}}}`},
		{"shelly1/events/rpc", `{"method":"NotifyEvent","params":{"switch:0":{}}}`},
	} {
		if got := hear(other[0], other[1]); got != nil {
			t.Errorf("%s %s says %+v", other[0], other[1], got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("a/rpc", []byte(`{"id":7,"dst":"a","result":{"state":"open","current_pos":40}}`))
	f.Add("p/events/rpc", []byte(`{"method":"NotifyStatus","params":{"switch:0":{"output":true}}}`))
	fuzz.Run(f, func(t *testing.T, topic string, payload []byte) {
		c := codec{prefix: "p", source: "a", component: "switch:0"}
		for _, n := range c.read(line.Message{Topic: topic, Payload: payload}) {
			v, err := mqtt.Decode([]byte(n.Value))
			if err != nil {
				continue
			}
			if w, err := whereabouts(v); err == nil && (w.Percent < 0 || w.Percent > 100) {
				t.Errorf("%s is read as %+v", n.Value, w)
			}
		}
	})
}
