package oppo

import (
	"bytes"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	sim "lectern/devices/sim/oppo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, kind line.Kind) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: sim.New, Kind: kind})
}

func TestPlayersConform(t *testing.T) {
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			devicetest.Player(t, devicetest.PlayerCase{Pair: pair(t, kind), NoMedia: "no-disc", Nak: "nak", Calm: kind == line.Serial || testing.Short()})
		})
	}
}

// The player tells MUTE in place of a volume, and setting a volume ends the mute, so the suite of
// volumes does not fit it.
func TestVolumeAndMute(t *testing.T) {
	p := pair(t, line.Serial)
	player := p.Capability.(*Player)
	says := func(percent int, muted bool) {
		t.Helper()
		gotPercent, gotMuted, err := player.Volume(devicetest.Asking(t))
		if err != nil || gotPercent != percent || gotMuted != muted {
			t.Errorf("it says %d, %v, %v; want %d, %v", gotPercent, gotMuted, err, percent, muted)
		}
	}
	says(40, false)
	for _, percent := range []int{0, 55, 100} {
		if err := player.SetVolume(devicetest.Asking(t), percent); err != nil {
			t.Error(err)
		}
		says(percent, false)
	}
	for _, muted := range []bool{true, true, false, true} {
		if err := player.SetMute(devicetest.Asking(t), muted); err != nil {
			t.Error(err)
		}
		says(100, muted)
	}
	if err := player.SetVolume(devicetest.Asking(t), 30); err != nil {
		t.Error(err)
	}
	says(30, false)
	p.Nudge(t, "device", "volume", "12")
	says(12, false)
}

func TestWireVectors(t *testing.T) {
	p := pair(t, line.Serial)
	player := p.Capability.(*Player)
	if err := player.Act(devicetest.Asking(t), devices.TransportPlay); err != nil {
		t.Fatal(err)
	}
	if _, err := player.Transport(devicetest.Asking(t)); err != nil {
		t.Fatal(err)
	}
	chunks, _, _ := p.Wire.Heard(0)
	if got := string(bytes.Join(chunks, nil)); got != "#SVM 2\r#QPW\r#PLA\r#QPL\r#QPW\r#QPL\r" {
		t.Errorf("on the wire %q", got)
	}
}

func TestPlayWakesAPlayerInStandby(t *testing.T) {
	p := pair(t, line.Serial)
	player := p.Capability.(*Player)
	p.Nudge(t, "device", "transport", "standby")
	if got, err := player.Transport(devicetest.Asking(t)); err != nil || got != devices.TransportStandby {
		t.Fatalf("%v, %v", got, err)
	}
	if err := player.Act(devicetest.Asking(t), devices.TransportPlay); err != nil {
		t.Fatal(err)
	}
	if got, err := player.Transport(devicetest.Asking(t)); err != nil || got != devices.TransportPlay {
		t.Errorf("%v, %v", got, err)
	}
}

func TestBothFormsOfAnswers(t *testing.T) {
	for frame, want := range map[string]message{
		"@OK PLAY\r":          {kind: answer, ok: true, value: "PLAY"},
		"@QPL OK PLAY\r":      {kind: answer, name: "QPL", ok: true, value: "PLAY"},
		"@QPL OK HOME MENU\r": {kind: answer, name: "QPL", ok: true, value: "HOME MENU"},
		"@OK\r":               {kind: answer, ok: true},
		"@ER\r":               {kind: answer},
		"@PLA ER\r":           {kind: answer, name: "PLA"},
		"@PLA ER INVALID\r":   {kind: answer, name: "PLA", value: "INVALID"},
		"@UPL PLAY\r":         {kind: update, name: "UPL", value: "PLAY"},
		"@@UPL STOP\r":        {kind: update, name: "UPL", value: "STOP"},
		"\xff@UPW 1\r":        {kind: update, name: "UPW", value: "1"},
		"\n@OK ON\r":          {kind: answer, ok: true, value: "ON"},
		"noise\r":             {},
		"@\r":                 {},
		"@NOISE OK\r":         {},
	} {
		if got := parse([]byte(frame)); got != want {
			t.Errorf("%q is %+v, want %+v", frame, got, want)
		}
	}
}

func TestStatesOfThePlayer(t *testing.T) {
	for state, want := range map[string]devices.Transport{
		"PLAY": devices.TransportPlay, "PAUSE": devices.TransportPause, "STOP": devices.TransportStop, "FFWD": devices.TransportForward,
		"SREV": devices.TransportBack, "NO DISC": devices.TransportNoMedia, "OPEN": devices.TransportOpen, "LOADING": devices.TransportStop,
	} {
		if got, ok := transportOf(state); !ok || got != want {
			t.Errorf("%s is %q", state, got)
		}
	}
	if got, ok := transportOf("DANCING"); ok {
		t.Errorf("dancing is %q", got)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("@OK PLAY\r"))
	f.Add([]byte("@UPL PLAY\r@QPL OK STOP\r"))
	f.Fuzz(func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		if m := parse(got[:n]); m.answers("QPL") && m.ok {
			_, _ = transportOf(m.value)
		}
		_ = explain(got[:n])
	})
}
