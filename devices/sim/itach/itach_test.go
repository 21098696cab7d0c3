package itach

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/devices/devicetest/fuzz"
	"lectern/devices/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func box(t testing.TB, devices ...sim.Device) *Box {
	t.Helper()
	e, err := New(sim.Options{Speed: 1000}, devices)
	if err != nil {
		t.Fatal(err)
	}
	return e.(*Box)
}

var (
	deck = sim.Device{ID: "deck", Driver: "itach-player", With: map[string]any{"port": 2, "codes": map[string]any{
		"play": "0000 006D 0002 0000 0022 0030 0018 03C0", "next": "sendir,1:1,1,40000,1,1,4,5A8,9ABB", "eject": "sendir,1:1,1,38000,1,1,20,30",
	}}}
	lamp = sim.Device{ID: "lamp", Driver: "itach-switch", With: map[string]any{"port": 3, "codes": map[string]any{
		"power-on": "sendir,1:1,1,38000,1,1,20,31", "power-off": "sendir,1:1,1,38000,1,1,20,32",
	}}}
)

func ask(t *testing.T, b *Box, command, want string) {
	t.Helper()
	if got, _ := b.obey(command); got != want {
		t.Errorf("%q was answered %q, the manual has %q", command, got, want)
	}
}

func truth(t *testing.T, b *Box, key, want string) {
	t.Helper()
	if got := b.Truth()[key]; got != want {
		t.Errorf("%s is %q, want %q", key, got, want)
	}
}

func TestCommandsOfTheManual(t *testing.T) {
	b := box(t, deck, lamp)
	ask(t, b, "getversion,0", "version,0,710-1008-05")
	ask(t, b, "getdevices", "device,0,0 ETHERNET\rdevice,1,3 IR\rendlistdevices")
	ask(t, b, "sendir,1:2,2445,34500,1,1,34,48,24,960", "completeir,1:2,2445")
	truth(t, b, "deck.transport", "play")
	ask(t, b, "sendir,1:2,7,40000,1,1,4,5,4,5,8,9,4,5,8,9,8,9", "completeir,1:2,7")
	ask(t, b, "sendir,1:2,8,40000,1,1,4,5A8,9ABB", "completeir,1:2,8")
	truth(t, b, "deck.chapter", "7")
	ask(t, b, "sendir,1:2,9,38000,1,1,20,30", "completeir,1:2,9")
	truth(t, b, "deck.transport", "open")
	ask(t, b, "sendir,1:3,9,38000,1,1,20,30", "completeir,1:3,9") // the deck does not see that connector
	truth(t, b, "deck.emissions", "4")
	ask(t, b, "sendir,1:3,1,38000,1,1,20,31", "completeir,1:3,1")
	truth(t, b, "lamp.power", "true")
	ask(t, b, "stopir,1:1", "stopir,1:1")
}

func TestErrorsOfTheManual(t *testing.T) {
	b := box(t, deck)
	for command, want := range map[string]string{
		"sendir,5:3,3456,23400,1,1,24,48,24,960":     "ERR_0:0,002",
		"sendir,1:2,23333,40000,2,3,24,48,24,48,960": "ERR_1:2,010",
		"sendir,1:3,0,40000,2,2,24,48,24,960":        "ERR_1:3,007",
		"sendir,1:4,0,40000,1,1,24,48":               "ERR_1:4,003",
		"sendir,1:1,65536,40000,1,1,24,48":           "ERR_1:1,004",
		"sendir,1:1,1,14000,1,1,24,48":               "ERR_1:1,005",
		"sendir,1:1,1,40000,51,1,24,48":              "ERR_1:1,006",
		"sendir,1:1,1,40000,1,1,2,48":                "ERR_1:1,009",
		"SENDIR,1:1,1,40000,1,1,24,48":               "ERR_0:0,001",
		"hello":                                      "ERR_0:0,001",
	} {
		ask(t, b, command, want)
	}
	old := box(t, sim.Device{ID: "deck", Driver: "itach-player", With: map[string]any{"port": 1, "module": 4, "model": "gc-100"}})
	ask(t, old, "sendir,4:1,1,40000,32,1,24,48", "unknowncommand 14")
	ask(t, old, "sendir,3:1,1,40000,1,1,24,48", "unknowncommand 2")
	flex := box(t, sim.Device{ID: "deck", Driver: "itach-player", With: map[string]any{"port": 1, "model": "flex"}})
	ask(t, flex, "sendir,1:1,1,40000,21,1,24,48", "ERR IR006")
}

func TestEmissionsTakeTheirTime(t *testing.T) {
	b := box(t, deck)
	b.options.Speed = 1
	if _, takes := b.obey("sendir,1:1,1,40000,3,3,1000,1000,2000,2000"); takes != 350*time.Millisecond {
		t.Errorf("it takes %s", takes)
	}
}

func TestFaults(t *testing.T) {
	b := box(t, deck)
	const play = "sendir,1:2,1,34500,1,1,34,48,24,960"
	for fault, answers := range map[string][]string{
		"nak": {"ERR_1:2,013"}, "busy": {"busyIR,1:2,1", "busyIR,1:2,1"}, "stopped": {"stopir,1:2"},
		"busy-briefly": {"busyIR,1:2,1", "busyIR,1:2,1", "completeir,1:2,1"},
	} {
		if err := b.Fault(fault); err != nil {
			t.Fatal(err)
		}
		for _, want := range answers {
			ask(t, b, play, want)
		}
	}
	truth(t, b, "deck.emissions", "1")
	if err := b.Fault("tired"); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("an unknown fault gave %v", err)
	}
	if err := b.Nudge("deck", "transport", "pause"); err != nil {
		t.Fatal(err)
	}
	truth(t, b, "deck.transport", "pause")
	if b.Nudge("door", "transport", "pause") == nil {
		t.Error("a door was nudged")
	}
}

func TestACodeThatIsNoneIsRefused(t *testing.T) {
	for _, code := range []string{"play", "sendir,1:1"} {
		_, err := New(sim.Options{}, []sim.Device{{ID: "x", Driver: "itach-player", With: map[string]any{"codes": map[string]any{"play": code}}}})
		if err == nil {
			t.Errorf("%q was taken", code)
		}
	}
}

func TestItSpeaksWithCRAlone(t *testing.T) {
	b := box(t, deck)
	here, there := net.Pipe()
	var end sync.WaitGroup
	end.Go(func() { _ = b.Serve(t.Context(), there) })
	t.Cleanup(func() { _ = here.Close(); end.Wait() })
	if _, err := here.Write([]byte("getversion,0\rsendir,1:1,5,38000,1,1,20,20\r")); err != nil {
		t.Fatal(err)
	}
	_ = here.SetReadDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(here)
	for _, want := range []string{"version,0,710-1008-05\r", "completeir,1:1,5\r"} {
		if got, err := r.ReadString('\r'); got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

func FuzzObey(f *testing.F) {
	f.Add("sendir,1:2,8,40000,1,1,4,5A8,9ABB")
	f.Add("sendir,1:2,8,40000,1,1,,,AAO")
	fuzz.Run(f, func(t *testing.T, command string) {
		b := box(t, deck, lamp)
		if _, takes := b.obey(command); takes < 0 {
			t.Fatal(takes)
		}
		_ = b.Truth()
	})
}
