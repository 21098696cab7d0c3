package kmtronic

import (
	"bytes"
	"strings"
	"testing"

	"lectern/devices/sim"
)

func board(t testing.TB, with map[string]any) *Board {
	t.Helper()
	e, err := New(sim.Options{}, []sim.Device{
		{ID: "lamp", With: map[string]any{"relay": 1}}, {ID: "fan", With: map[string]any{"relay": 5}},
		{ID: "last", With: map[string]any{"relay": 8}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := e.(*Board)
	b.mute = with["feedback"] == false
	return b
}

func TestTheBoardTalksAsTheManualSays(t *testing.T) {
	b := board(t, nil)
	for _, s := range []struct{ say, answer []byte }{
		{[]byte{0xFF, 9, 0}, []byte{0, 0, 0, 0, 0, 0, 0, 0}},
		{[]byte{0xFF, 1, 1}, nil},
		{[]byte{0xFF, 8, 1}, nil},
		{[]byte{0xFF, 9, 0}, []byte{1, 0, 0, 0, 0, 0, 0, 1}},
		{[]byte{0xFF, 1, 0, 0xFF, 9, 0}, []byte{0, 0, 0, 0, 0, 0, 0, 1}},
		{[]byte{0xFF, 0x0A, 0x10}, nil}, // relay 5 and no other
		{[]byte{7, 0xFF, 9, 0}, []byte{0, 0, 0, 0, 1, 0, 0, 0}},
		{[]byte{0xFF, 0x0A, 0xFF}, nil},
		{[]byte{0xFF, 9, 0}, []byte{1, 1, 1, 1, 1, 1, 1, 1}},
		{[]byte{0xFF, 2, 7}, nil},
		{[]byte{0xFF, 9}, nil},
	} {
		if got := b.Frame(s.say); !bytes.Equal(got, s.answer) {
			t.Errorf("% X was answered % X, want % X", s.say, got, s.answer)
		}
	}
	if got := board(t, map[string]any{"feedback": false}).Frame([]byte{0xFF, 9, 0}); got != nil {
		t.Errorf("without a wire back % X came", got)
	}
}

func TestFaultsAndNudges(t *testing.T) {
	b := board(t, nil)
	if err := b.Fault("stuck-5"); err != nil {
		t.Error(err)
	}
	b.Frame([]byte{0xFF, 5, 1, 0xFF, 1, 1})
	if got := b.Truth(); got["fan.power"] != "false" || got["lamp.power"] != "true" {
		t.Errorf("%v", got)
	}
	for _, name := range []string{"stuck-9", "stuck-", "nak"} {
		if err := b.Fault(name); err == nil || !strings.Contains(err.Error(), "stuck-N") {
			t.Errorf("fault %q: %v", name, err)
		}
	}
	for _, n := range [][3]string{{"lamp", "level", "1"}, {"lamp", "power", "maybe"}, {"door", "power", "true"}} {
		if err := b.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("nudging %v was taken", n)
		}
	}
	for _, with := range []map[string]any{nil, {"relay": 9}, {"relay": 5, "channels": 4}} {
		if _, err := New(sim.Options{}, []sim.Device{{ID: "x", With: with}}); err == nil {
			t.Errorf("%v was made", with)
		}
	}
}
