package furman

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
	simulator "lectern/devices/sim/furman"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, kind line.Kind, with map[string]any) (*devicetest.Pair, *outlets) {
	t.Helper()
	p := devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: simulator.New, Kind: kind, With: with, Speed: 10})
	return p, p.Capability.(*outlets)
}

func heard(p *devicetest.Pair) string {
	chunks, _, _ := p.Wire.Heard(0)
	return string(slices.Concat(chunks...))
}

func reads(t *testing.T, s devices.Switch, want bool) {
	t.Helper()
	if got, err := s.On(devicetest.Asking(t)); err != nil || got != want {
		t.Errorf("read %v, %v; want %v", got, err, want)
	}
}

func notified(t *testing.T, o *outlets) {
	t.Helper()
	select {
	case <-o.Changed():
	case <-devicetest.Asking(t).Done():
		t.Error("it spoke up and nobody was notified")
	}
}

func TestBanksConform(t *testing.T) {
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			p, _ := pair(t, kind, map[string]any{"bank": 2})
			devicetest.Switch(t, devicetest.SwitchCase{Pair: p}) // there is no error reply
		})
	}
}

func TestWhatIsSaidIsTheProtocols(t *testing.T) {
	p, o := pair(t, line.Serial, map[string]any{"unit": 1, "bank": 3})
	for _, on := range []bool{true, false} {
		if err := o.SetOn(devicetest.Asking(t), on); err != nil {
			t.Fatal(err)
		}
	}
	reads(t, o, false)
	reads(t, o, false)
	if got := heard(p); got != "!BANK_ON 1 3\r!BANK_OFF 1 3\r!EVENTS_ENABLE 1\r?BANK_STAT 1\r?BANK_STAT 1\r" {
		t.Errorf("on the wire %q", got)
	}
	p, o = pair(t, line.Serial, map[string]any{"sequence": true})
	for _, on := range []bool{true, false} {
		if err := o.SetOn(devicetest.Asking(t), on); err != nil && !errors.Is(err, devices.ErrAccepted) {
			t.Fatal(err)
		}
	}
	if got := heard(p); !strings.HasPrefix(got, "!SEQ_ON 0\r") || !strings.Contains(got, "!SEQ_OFF 0\r") {
		t.Errorf("on the wire %q", got)
	}
}

// TestAnswersAreReadHoweverTheyAreSetOut: the protocol's description does not tell spaces from ends of
// line, nor words from digits.
func TestAnswersAreReadHoweverTheyAreSetOut(t *testing.T) {
	want := map[int]bool{1: true, 2: false, 3: true}
	for _, text := range []string{
		"$ACK 0 BANK_STAT BANK1=ON BANK2=OFF BANK3=ON \x04",
		"$ACK 0,BANK_STAT\rBANK1=1\rBANK2=0\rBANK3=1\r\x04",
		"$ACK 0 BANK_STAT\r\nBANK1 = ON\r\nBANK2 = OFF\r\nBANK3 = ON\r",
		"$ACK 0 BANK_STAT BANK1=ON BANK2=OFF BANK3=ON\r",
	} {
		n := split([]byte(text))
		if n < len(text)-1 { // an end of text after the last bank may be left over
			t.Errorf("%q is cut after %d of %d", text, n, len(text))
			continue
		}
		m := parse([]byte(text)[:n])
		if !m.acknowledges(0, askBanks(0)) || !maps.Equal(m.banks, want) {
			t.Errorf("%q is %+v", text, m)
		}
		for cut := range n - 1 { // without the end of text it is all there
			if got := split([]byte(text)[:cut]); got != 0 {
				t.Errorf("%q is taken for all of it", text[:cut])
			}
		}
	}
}

func TestMessagesAreRead(t *testing.T) {
	for text, want := range map[string]message{
		"$ACK 0,SEQ_ON\r":        {kind: ack, name: "SEQ_ON"},
		"\x04$ACK 12,BANK_OFF\r": {kind: ack, unit: 12, name: "BANK_OFF"},
		"$SEQ_ON_DONE\r":         {kind: done},
		"$SEQ_OFF_DONE\r":        {kind: done},
		"*0 BANK1=ON\r":          {kind: event},
		"\x04":                   {},
		"$ACK\r":                 {},
		"$ACK x,SEQ_ON\r":        {},
		"$ACK 0 BANK_STAT BANK1=ON BANK2=OFF \x04":         {kind: ack, name: "BANK_STAT"},
		"$ACK 0 BANK_STAT BANK1=ON BANK2=?? BANK3=ON \x04": {kind: ack, name: "BANK_STAT"},
	} {
		got := parse([]byte(text))
		if got.kind != want.kind || got.unit != want.unit || got.name != want.name || got.banks != nil {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
	if (message{kind: ack, unit: 1, name: "SEQ_ON"}).acknowledges(0, cmdSequence(0, true)) {
		t.Error("another unit's acknowledgement was taken")
	}
	if (message{kind: ack, name: "SEQ_ON"}).acknowledges(0, cmdSequence(0, false)) {
		t.Error("another command's acknowledgement was taken")
	}
}

func TestASequenceIsAcceptedAndItsEndIsNews(t *testing.T) {
	p, all := pair(t, line.TCP, map[string]any{"sequence": true})
	reads(t, all, false)
	if err := all.SetOn(devicetest.Asking(t), true); !errors.Is(err, devices.ErrAccepted) {
		t.Fatalf("got %v", err)
	}
	devicetest.Until(t, "some banks are on", func() bool { return p.Equipment.Truth()["device.power"] == "some" })
	if on, err := all.On(devicetest.Asking(t)); !on || !errors.As(err, new(*devices.Refusal)) {
		t.Errorf("on its way it reads %v, %v", on, err)
	}
	devicetest.Until(t, "all banks are on", func() bool { return p.Equipment.Truth()["device.power"] == "true" })
	notified(t, all)
	reads(t, all, true)
	if err := all.SetOn(devicetest.Asking(t), true); err != nil {
		t.Errorf("all on, told on: %v", err)
	}
}

func TestWhatSomebodyDoesAtTheUnitIsNews(t *testing.T) {
	p, o := pair(t, line.Serial, map[string]any{"bank": 1})
	reads(t, o, false)
	p.Nudge(t, "device", "power", "true")
	notified(t, o)
	reads(t, o, true)
}

func TestEventsAreEnabledAgainAfterASilence(t *testing.T) {
	p, o := pair(t, line.Serial, map[string]any{"bank": 1})
	reads(t, o, false)
	p.Nudge(t, "device", "events", "off")
	p.Fault(t, "deaf")
	if _, err := o.On(devicetest.Asking(t)); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("got %v", err)
	}
	p.Fault(t, "")
	reads(t, o, false)
	p.Nudge(t, "device", "power", "true")
	notified(t, o)
}

func TestABankThatDoesNotSwitchIsReadAsItIs(t *testing.T) {
	p, o := pair(t, line.Serial, map[string]any{"bank": 2})
	p.Fault(t, "stuck-2")
	if err := o.SetOn(devicetest.Asking(t), true); err != nil {
		t.Error(err) // the unit acknowledges
	}
	reads(t, o, false)
}

func TestUnitsOfAChainAreToldApart(t *testing.T) {
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: Driver(), Factory: simulator.New, With: map[string]any{"unit": 0, "bank": 1},
		Others: map[string]devicetest.PairOther{
			"second": {Driver: Driver(), With: map[string]any{"unit": 1, "bank": 1}},
			"third":  {Driver: Driver(), With: map[string]any{"unit": 0, "bank": 3}},
		},
	})
	for id, p := range pairs {
		if err := p.Capability.(devices.Switch).SetOn(devicetest.Asking(t), id == "second"); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	for id, p := range pairs {
		reads(t, p.Capability.(devices.Switch), id == "second")
	}
}

func TestSettingsAndClaims(t *testing.T) {
	d := Driver()
	for want, with := range map[string]map[string]any{"unit 0 bank 2": {"bank": 2}, "unit 3 sequence": {"unit": 3, "sequence": true}} {
		if got := d.Claims(devicetest.DecodeSettings(t, d, with)); !slices.Equal(got, []string{want}) {
			t.Errorf("%v claims %q", with, got)
		}
	}
	for _, s := range []*Settings{{}, {Bank: 4}, {Bank: 1, Sequence: true}, {Bank: 1, Unit: -1}, {Bank: 1, Unit: 100}} {
		if err := s.Validate(); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte("$ACK 0,BANK_STAT\rBANK1=1\rBANK2=0\rBANK3=1\r\x04"))
	f.Add([]byte("$ACK 0 BANK_STAT BANK1=ON BANK2=OFF BANK3=ON \x04"))
	f.Add([]byte("*\r$SEQ_ON_DONE\r$ACK 0,SEQ_ON\r"))
	fuzz.Run(f, func(t *testing.T, got []byte) {
		for range 1000 {
			n := split(got)
			if n < 0 || n > len(got) {
				t.Fatalf("split at %d of %d", n, len(got))
			}
			if n == 0 {
				return
			}
			if m := parse(got[:n]); m.banks != nil && len(m.banks) != banks {
				t.Fatalf("%q is %+v", got[:n], m)
			}
			_ = explain(got[:n])
			got = got[n:]
		}
	})
}
