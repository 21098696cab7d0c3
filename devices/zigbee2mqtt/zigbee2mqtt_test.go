package zigbee2mqtt

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
	sim "lectern/devices/sim/zigbee2mqtt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, name string, with map[string]any) *devicetest.Pair {
	t.Helper()
	i := slices.IndexFunc(Drivers(), func(d devices.Driver) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("no driver %s", name)
	}
	with = maps.Clone(with)
	with["name"] = "room/by the door" // a friendly name may have both
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Drivers()[i], Factory: sim.New, Kind: line.MQTT, Speed: 20, With: with})
}

func TestZigbeeConforms(t *testing.T) {
	t.Run("switch", func(t *testing.T) {
		t.Parallel()
		devicetest.Switch(t, devicetest.SwitchCase{Pair: pair(t, "zigbee-switch", map[string]any{"property": "state_left"})})
	})
	t.Run("dimmer", func(t *testing.T) {
		t.Parallel()
		devicetest.Dimmer(t, devicetest.DimmerCase{Pair: pair(t, "zigbee-dimmer", map[string]any{})})
	})
	t.Run("dimmer that cannot be asked", func(t *testing.T) {
		t.Parallel()
		devicetest.Dimmer(t, devicetest.DimmerCase{Pair: pair(t, "zigbee-dimmer", map[string]any{"get": false}), Calm: true})
	})
	t.Run("cover", func(t *testing.T) {
		t.Parallel()
		devicetest.Positioner(t, devicetest.MoverCase{Pair: pair(t, "zigbee-cover", map[string]any{"motion": "moving"})})
	})
	t.Run("sensor", func(t *testing.T) {
		t.Parallel()
		devicetest.Sensor(t, devicetest.SensorCase{Pair: pair(t, "zigbee-sensor", map[string]any{"value": "temperature"}), Values: []float64{21.5, 24, -3.25}})
	})
}

// A cover that says nothing of its motion is timed by the equipment, so it must not pretend to know its place.
func TestACoverWithoutMotionIsAMoverOnly(t *testing.T) {
	p := pair(t, "zigbee-cover", map[string]any{})
	if _, is := p.Capability.(devices.Positioner); is {
		t.Fatalf("%T says where it is", p.Capability)
	}
	if err := p.Capability.(devices.Mover).Move(devicetest.Asking(t), devices.Up); !errors.Is(err, devices.ErrSent) {
		t.Errorf("moving: %v", err)
	}
	devicetest.Until(t, "it goes up", func() bool { return p.Equipment.Truth()["device.motion"] == "up" })
}

// The bridge's last will makes everything behind it unreachable, and not off.
func TestWithoutTheBridgeNothingIsReached(t *testing.T) {
	p := pair(t, "zigbee-switch", map[string]any{})
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

// An error is logged by the bridge and told to nobody: only the state tells that a command was not done.
func TestACommandThatChangesNothingIsNotDone(t *testing.T) {
	p := pair(t, "zigbee-switch", map[string]any{"timeout": "300ms"})
	p.Fault(t, "nak")
	if err := p.Capability.(devices.Switch).SetOn(devicetest.Asking(t), true); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("switching: %v", err)
	}
}

// The messages of the guide.
func TestTopicsAndPayloads(t *testing.T) {
	s := (&Switch{Settings: Settings{Name: "plug", Base: "zigbee2mqtt"}, Property: "state", Get: true}).topics()
	d := (&Dimmer{Settings: Settings{Name: "lamp", Base: "zigbee2mqtt"}, Get: true}).topics()
	c := (&Cover{Settings: Settings{Name: "blind", Base: "house/z2m"}}).topics()
	for what, pair := range map[string][2]string{
		"switch set":      {s.Set + " " + s.On, `zigbee2mqtt/plug/set {"state":"ON"}`},
		"switch get":      {s.Ask + " " + s.AskWith, `zigbee2mqtt/plug/get {"state":""}`},
		"dimmer set":      {d.Set + " " + d.Payload, `zigbee2mqtt/lamp/set {"brightness":{level},"state":"ON"}`},
		"dimmer off":      {d.Off, `{"state":"OFF"}`},
		"dimmer get":      {d.AskWith, `{"brightness":"","state":""}`},
		"cover up":        {c.Set + " " + c.Up, `house/z2m/blind/set {"state":"OPEN"}`},
		"cover stop":      {c.Stop, `{"state":"STOP"}`},
		"cover height":    {c.PositionPayload, `{"position":{position}}`},
		"cover, unasked":  {c.Ask, ""},
		"availability":    {c.Available, "house/z2m/blind/availability"},
		"bridge":          {c.Host, "house/z2m/bridge/state"},
		"state, of cover": {c.State + " " + c.Value, "house/z2m/blind position"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %s; want %s", what, pair[0], pair[1])
		}
	}
}

func FuzzObject(f *testing.F) {
	f.Add("state", "ON")
	fuzz.Run(f, func(t *testing.T, key, value string) {
		if got := object(map[string]string{key: value}); got == "" || got == "{}" {
			t.Errorf("%q: %q is %s", key, value, got)
		}
	})
}
