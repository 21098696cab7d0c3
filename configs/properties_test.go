package configs

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPropertiesOfEveryKind(t *testing.T) {
	ports := []Port{{ID: "a"}, {ID: "b"}}
	for _, c := range []struct {
		device Device
		want   []string
	}{
		{Device{Kind: "circuit"}, []string{"power"}},
		{Device{Kind: "light"}, []string{"power"}},
		{Device{Kind: "dimmer"}, []string{"level"}},
		{Device{Kind: "curtain"}, []string{"motion", "position"}},
		{Device{Kind: "screen"}, []string{"motion", "position"}},
		{Device{Kind: "projector"}, []string{"fault", "input", "lamp", "power", "remaining"}},
		{Device{Kind: "matrix", Inputs: ports, Outputs: []Port{{ID: "left"}, {ID: "right"}}}, []string{"left", "right"}},
		{Device{Kind: "player"}, []string{"mute", "transport", "volume"}},
		{Device{Kind: "recorder"}, []string{"mute", "transport", "volume"}},
		{Device{Kind: "amplifier"}, []string{"mute", "volume"}},
		{Device{Kind: "sensor", Measures: "humidity"}, []string{"humidity"}},
		{Device{Kind: "camera"}, nil},
		{Device{Kind: "toaster"}, nil},
	} {
		if got := slices.Sorted(maps.Keys(PropertiesOf(c.device))); !cmp.Equal(got, c.want) {
			t.Errorf("%s has %v, want %v", c.device.Kind, got, c.want)
		}
	}
}

func TestSelectionOffersTheSourcesOfItsPlace(t *testing.T) {
	sources := []Source{{ID: "a"}, {ID: "b", On: "left"}, {ID: "c", On: "sources"}}
	for on, want := range map[string][]string{"sources": {"a", "c"}, "left": {"b"}} {
		got := SelectionOf(sources, on)["selected"]
		if !cmp.Equal(got.Words, want) || !cmp.Equal(got.States, []string{"none"}) {
			t.Errorf("%s offers %+v, want %v", on, got, want)
		}
	}
	if got := SelectionOf(sources, "right"); got != nil {
		t.Errorf("right, where no source is, offers %v", got)
	}
}

func TestValuesAreComparedInOneForm(t *testing.T) {
	power := PropertyInfo{Kind: "bool"}
	level := PropertyInfo{Kind: "enum", Words: []string{"off", "1"}, States: []string{"other"}, Acts: []string{"next"}}
	percent := PropertyInfo{Kind: "integer", Max: 100}
	for _, c := range []struct {
		info PropertyInfo
		use  use
		raw  any
		want string
		ok   bool
	}{
		{power, asked, true, "on", true}, {power, asked, "on", "on", true}, {power, asked, "false", "off", true},
		{power, asked, 1, "", false}, {power, asked, "ON", "", false},
		{level, asked, false, "off", true}, {level, asked, 1, "1", true}, {level, asked, "other", "other", false},
		{level, reported, "other", "other", true}, {level, asked, "next", "next", true}, {level, reported, "next", "next", false},
		{percent, asked, "40", "40", true}, {percent, asked, 40.0, "40", true}, {percent, asked, -1, "-1", false},
		{percent, asked, 0.5, "0.5", false}, {percent, asked, "NaN", "NaN", false}, {percent, asked, "x", "0", false},
		{PropertyInfo{Kind: "number", Min: -50, Max: 100}, reported, 21.5, "21.5", true},
		{PropertyInfo{Kind: "text"}, reported, "lamp", "lamp", true}, {PropertyInfo{Kind: "text"}, reported, 3, "3", false},
	} {
		if got, ok := c.info.read(c.raw, c.use); ok != c.ok || ok && got != c.want {
			t.Errorf("%s %v: %q, %v; want %q, %v", c.info.Kind, c.raw, got, ok, c.want, c.ok)
		}
	}
}
