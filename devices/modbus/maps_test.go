package modbus

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goburrow/modbus"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	sim "lectern/devices/sim/modbus"
)

// crossed is what is on the wire in one step: a request body without its checksum.
func crossed(bodies ...string) []byte {
	var all []byte
	for _, b := range bodies {
		body, _ := hex.DecodeString(strings.ReplaceAll(b, " ", ""))
		all = append(all, rtu(body...)...)
	}
	return all
}

// TestEveryMapSpeaksToTheRegistersOfItsUnit: for each table the last circuit is dimmed to 50 % and
// read, and a dimmed circuit is made dark.
func TestEveryMapSpeaksToTheRegistersOfItsUnit(t *testing.T) {
	known := make(map[string]bool)
	for _, c := range []struct {
		name    string
		channel int
		dims    []string // 50 %
		reads   []string
		darkens []string
	}{
		{"wb-mdm3", 2, []string{"01 06 00 02 00 32", "01 05 00 02 FF 00"}, []string{"01 01 00 02 00 01", "01 03 00 02 00 01"}, []string{"01 05 00 02 00 00"}},
		{"wb-led", 3, []string{"01 06 07 D3 00 32", "01 05 00 03 FF 00"}, []string{"01 01 00 03 00 01", "01 03 07 D3 00 01"}, []string{"01 05 00 03 00 00"}},
		{"wb-mao4", 3, []string{"01 06 00 13 00 32", "01 05 00 13 FF 00"}, []string{"01 01 00 13 00 01", "01 03 00 13 00 01"}, []string{"01 05 00 13 00 00"}},
		{"wb-mao4-mv", 3, []string{"01 06 00 03 13 88"}, []string{"01 03 00 03 00 01"}, []string{"01 06 00 03 00 00"}},
		{"ddm845r", 3, []string{"01 06 00 2B 02 00"}, []string{"01 03 00 2B 00 01"}, []string{"01 06 00 2B 00 00"}},
		{"ddm845r-all", 0, []string{"01 06 00 2C 00 32"}, []string{"01 03 00 2C 00 01"}, []string{"01 06 00 2C 00 00"}},
		{"ecodim-dali-gw2", 63, []string{"01 06 0C F3 00 7F"}, []string{"01 03 0C F7 00 01"}, []string{"01 06 0C F3 00 00"}},
		{"ecodim-dali-gw2-group", 15, []string{"01 06 08 1B 00 7F"}, nil, []string{"01 06 08 1B 00 00"}},
		{"ecodim-dali-gw2-all", 0, []string{"01 06 03 E8 00 7F"}, nil, []string{"01 06 03 E8 00 00"}},
	} {
		known[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			p := pair(t, "modbus-dimmer", line.Serial, map[string]any{"unit": 1, "map": c.name, "channel": c.channel})
			lamp := p.Capability.(devices.Dimmer)
			oneWay := c.reads == nil
			if err := lamp.SetLevel(devicetest.Asking(t), 50); errors.Is(err, devices.ErrSent) != oneWay || err != nil && !oneWay {
				t.Errorf("dimming gave %v", err)
			}
			if got, err := lamp.Level(devicetest.Asking(t)); got != 50 || errors.Is(err, devices.ErrSent) != oneWay || err != nil && !oneWay {
				t.Errorf("it reads %d, %v", got, err)
			}
			if got := p.Equipment.Truth()["device.percent"]; got != "50" {
				t.Errorf("it shines at %s %%", got)
			}
			if err := lamp.SetLevel(devicetest.Asking(t), 0); err != nil && !oneWay {
				t.Errorf("darkening gave %v", err)
			}
			if want, got := crossed(slices.Concat(c.dims, c.reads, c.darkens)...), heard(p); !bytes.Equal(got, want) {
				t.Errorf("on the wire\n% X, want\n% X", got, want)
			}
			if got := p.Equipment.Truth()["device.percent"]; got != "0" {
				t.Errorf("dark, it shines at %s %%", got)
			}
		})
	}
	doc, _ := reflect.TypeFor[DimmerSettings]().FieldByName("Map")
	for _, m := range registerMaps() {
		if !known[m.name] {
			t.Errorf("map %s has no vector", m.name)
		}
		if !strings.Contains(doc.Tag.Get("doc"), m.name) {
			t.Errorf("map %s is not in the setting's description", m.name)
		}
	}
}

func TestMappedDimmersConform(t *testing.T) {
	for _, m := range registerMaps() {
		if m.readBase == none {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := pair(t, "modbus-dimmer", line.TCP, map[string]any{"unit": 7, "map": m.name, "channel": m.circuits - 1})
			devicetest.Dimmer(t, devicetest.DimmerCase{Pair: p, Nak: "nak", Calm: m.name != "wb-mdm3"})
		})
	}
}

func TestACircuitWhoseCoilIsOffIsDarkWhateverItsRegisterSays(t *testing.T) {
	p := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: driver(t, "modbus-dimmer"), Factory: sim.New, Kind: line.TCP, With: map[string]any{"unit": 1, "map": "wb-mdm3"},
	})["device"]
	lamp := p.Capability.(devices.Dimmer)
	reads := func(want int) {
		t.Helper()
		if got, err := lamp.Level(devicetest.Asking(t)); err != nil || got != want {
			t.Errorf("it reads %d, %v; want %d", got, err, want)
		}
	}
	if err := lamp.SetLevel(devicetest.Asking(t), 75); err != nil {
		t.Fatal(err)
	}
	reads(75)
	p.Nudge(t, "device", "percent", "0") // somebody at its button: the coil goes off, the register stays
	reads(0)
	data, err := newBoard(p.Line, 1).ask(devicetest.Asking(t), "read register 0", "", func(m modbus.Client) ([]byte, error) {
		return m.ReadHoldingRegisters(0, 1)
	})
	if err != nil || data[1] != 75 {
		t.Errorf("the register holds % X, %v", data, err)
	}
}

func TestALevelThatCannotBeReadIsUnknownAndThenAssumed(t *testing.T) {
	for _, with := range []map[string]any{
		{"unit": 1, "map": "ecodim-dali-gw2-group", "channel": 3}, {"unit": 1, "base": 5, "read_base": -1, "switch": 2},
	} {
		lamp := pair(t, "modbus-dimmer", line.TCP, with).Capability.(devices.Dimmer)
		if got, err := lamp.Level(devicetest.Asking(t)); !errors.As(err, new(*devices.Refusal)) {
			t.Errorf("before anything was sent it is %d, %v", got, err)
		}
		for _, percent := range []int{33, 0, 100} {
			if err := lamp.SetLevel(devicetest.Asking(t), percent); !errors.Is(err, devices.ErrSent) {
				t.Errorf("dimming to %d gave %v", percent, err)
			}
			if got, err := lamp.Level(devicetest.Asking(t)); got != percent || !errors.Is(err, devices.ErrSent) {
				t.Errorf("told %d, it is %d, %v", percent, got, err)
			}
		}
	}
}

func TestWhatIsSetGoesBeforeTheMap(t *testing.T) {
	for _, c := range []struct {
		with map[string]any
		want circuit
	}{
		{nil, circuit{0, 0, none, 0, 100, 6, 3}},
		{map[string]any{"base": 7, "stride": 5, "channel": 2, "min": 254, "max": 0, "write": 16, "read": 4}, circuit{17, 17, none, 254, 0, 16, 4}},
		{map[string]any{"map": "wb-led", "channel": 1}, circuit{2001, 2001, 1, 0, 100, 6, 3}},
		{map[string]any{"map": "wb-led", "channel": 1, "max": 255, "switch": -1}, circuit{2001, 2001, none, 0, 255, 6, 3}},
		{map[string]any{"map": "ecodim-dali-gw2", "channel": 2, "base": 4000}, circuit{4010, 4014, none, 0, 254, 6, 3}},
		{map[string]any{"map": "ecodim-dali-gw2", "channel": 2, "read_base": -1}, circuit{3010, none, none, 0, 254, 6, 3}},
		{map[string]any{"map": "wb-mao4", "switch": 100, "channel": 3}, circuit{19, 19, 103, 0, 100, 6, 3}},
		{map[string]any{"read_base": 50, "stride": 2, "channel": 1}, circuit{2, 52, none, 0, 100, 6, 3}},
	} {
		with := map[string]any{"unit": 1}
		for k, v := range c.with {
			with[k] = v
		}
		s := devicetest.DecodeSettings(t, driver(t, "modbus-dimmer"), with).(*DimmerSettings)
		if got := s.circuit(); got != c.want {
			t.Errorf("%v is %+v, want %+v", c.with, got, c.want)
		}
	}
}

func TestDimmerSettingsThatCannotBeSayWhatWouldBeRight(t *testing.T) {
	number := func(n int) *int { return &n }
	for want, s := range map[string]*DimmerSettings{
		`map "wb-mdm4" is not known: there is wb-mdm3, wb-led`: {Unit: 1, Map: "wb-mdm4"},
		"channel 3: it is 0 to 2":                              {Unit: 1, Map: "wb-mdm3", Channel: 3},
		"channel -1: it is 0 to":                               {Unit: 1, Channel: -1},
		"register to read 65539: it is 0 to 65535":             {Unit: 1, Map: "ecodim-dali-gw2", Base: number(65535)},
		"switch 70000: it is 0 to 65535":                       {Unit: 1, Switch: number(70000)},
		"or -1 where there is none":                            {Unit: 1, ReadBase: number(-2)},
		"stride is at least 1":                                 {Unit: 1, Stride: number(0)},
		"write 5: it is 6 or 16":                               {Unit: 1, Write: number(5)},
		"read 6: it is 3 or 4":                                 {Unit: 1, Read: number(6)},
	} {
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestACircuitClaimsItsCoilAsWell(t *testing.T) {
	d := driver(t, "modbus-dimmer")
	got := d.Claims(devicetest.DecodeSettings(t, d, map[string]any{"unit": 4, "map": "wb-mao4", "channel": 1}))
	if want := []string{"unit 4 register 17", "unit 4 coil 17"}; !slices.Equal(got, want) {
		t.Errorf("claims %q, want %q", got, want)
	}
	if relay := driver(t, "modbus-coil"); fmt.Sprint(relay.Claims(&CoilSettings{Unit: 4, Coil: 17})) != "[unit 4 coil 17]" {
		t.Error("a relay calls the same coil something else")
	}
}
