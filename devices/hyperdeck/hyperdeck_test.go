package hyperdeck

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	"lectern/devices/sim"
	simulator "lectern/devices/sim/hyperdeck"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: simulator.New, Kind: line.TCP, With: with})
}

func heard(p *devicetest.Pair) string {
	chunks, _, _ := p.Wire.Heard(0)
	return string(slices.Concat(chunks...))
}

func TestRecordersConform(t *testing.T) {
	t.Parallel()
	p := pair(t, nil)
	deck, ok := p.Equipment.(*simulator.Deck)
	if !ok {
		t.Fatalf("%T", p.Equipment)
	}
	devicetest.Player(t, devicetest.PlayerCase{
		Pair: p, NoMedia: "no-media", Nak: "nak", Chapter: deck.Clip,
		Commands: map[devices.Transport]string{
			devices.TransportPlay: "play\r\n", devices.TransportStop: "stop\r\n", devices.TransportRecord: "record\r\n",
			devices.TransportForward: "play: speed: 400\r\n", devices.TransportBack: "play: speed: -400\r\n",
			devices.TransportNext: "goto: clip id: +1\r\n", devices.TransportPrevious: "goto: clip id: -1\r\n",
		},
	})
}

const usualNotify = "notify: transport: true remote: true slot: true\r\n"

func TestWhatIsSaidOnTheWire(t *testing.T) {
	for _, c := range []struct {
		with map[string]any
		want string
	}{
		{nil, usualNotify + "play\r\nplay: speed: 400\r\nplay: speed: -400\r\nstop\r\nrecord\r\ntransport info\r\n"},
		{
			map[string]any{"shuttle": 1600, "override": true},
			usualNotify + "remote: override: true\r\nplay\r\nplay: speed: 1600\r\nplay: speed: -1600\r\nstop\r\nrecord\r\ntransport info\r\n",
		},
	} {
		p := pair(t, c.with)
		deck := p.Capability.(*Deck)
		for _, act := range []devices.Transport{devices.TransportPlay, devices.TransportForward, devices.TransportBack, devices.TransportStop, devices.TransportRecord} {
			if err := deck.Act(devicetest.Asking(t), act); err != nil {
				t.Errorf("%s: %v", act, err)
			}
		}
		if got, err := deck.Transport(devicetest.Asking(t)); err != nil || got != devices.TransportRecord {
			t.Errorf("%v, %v", got, err)
		}
		if got := heard(p); got != c.want {
			t.Errorf("on the wire %q, want %q", got, c.want)
		}
	}
}

func TestRejectionsSayWhatToDo(t *testing.T) {
	p := pair(t, nil)
	deck := p.Capability.(*Deck)
	for fault, want := range map[string][2]string{
		"remote-disabled": {"111", "press its REM button"}, "no-input": {"110", "no input signal"},
		"no-media": {"105", "no disk"}, "disk-full": {"104", "put in another"},
	} {
		p.Fault(t, fault)
		no := new(devices.Rejection)
		if err := deck.Act(devicetest.Asking(t), devices.TransportRecord); !errors.As(err, &no) || no.Code != want[0] || !strings.Contains(no.Reason.EN, want[1]) {
			t.Errorf("%s: %v", fault, err)
		}
		p.Fault(t, "")
	}
	p.Nudge(t, "device", "transport", "record")
	no := new(devices.Rejection)
	if err := deck.Act(devicetest.Asking(t), devices.TransportPlay); !errors.As(err, &no) || no.Code != "150" || !no.Busy {
		t.Errorf("playing while it records: %v", err)
	}
}

func TestBeforeTheFirstClipThereIsNone(t *testing.T) {
	p := pair(t, nil)
	deck := p.Capability.(*Deck)
	var err error
	for range 10 {
		if err = deck.Act(devicetest.Asking(t), devices.TransportPrevious); err != nil {
			break
		}
	}
	no := new(devices.Rejection)
	if !errors.As(err, &no) || no.Code != "109" {
		t.Errorf("got %v", err)
	}
}

func TestOverrideTakesControlFromThePanel(t *testing.T) {
	p := pair(t, map[string]any{"override": true})
	p.Fault(t, "remote-disabled")
	if err := p.Capability.(*Deck).Act(devicetest.Asking(t), devices.TransportPlay); err != nil {
		t.Error(err)
	}
}

func TestARefusedConnectionSaysWhy(t *testing.T) {
	p := pair(t, nil)
	p.Fault(t, "refused")
	var err error
	devicetest.Until(t, "the refusal", func() bool {
		// The connection that is there is served on; it is the next that is refused.
		if fault := p.Wire.Fault("unplug"); fault != nil {
			t.Fatal(fault)
		}
		if fault := p.Wire.Fault(""); fault != nil {
			t.Fatal(fault)
		}
		_, err = p.Capability.(*Deck).Transport(devicetest.Asking(t))
		return errors.As(err, new(*devices.Rejection))
	})
	no := new(devices.Rejection)
	if !errors.As(err, &no) || no.Code != "120" || !errors.Is(err, line.ErrDown) {
		t.Errorf("got %v", err)
	}
}

// scripted is a deck that answers each line with a text, whatever it means.
type scripted map[string]string

func (scripted) Truth() map[string]string           { return nil }
func (scripted) Nudge(string, string, string) error { return nil }
func (scripted) Fault(string) error                 { return nil }

func (s scripted) Serve(_ context.Context, conn io.ReadWriter) error {
	if _, err := io.WriteString(conn, s[""]); err != nil {
		return err
	}
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if _, err := io.WriteString(conn, s[lines.Text()]); err != nil {
			return err
		}
	}
	return nil
}

const (
	introduction = "500 connection info:\r\nprotocol version: 1.0\r\nmodel: Old\r\n\r\n"
	yes          = "200 ok\r\n"
)

func played(t *testing.T, script scripted) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: Driver(), Kind: line.TCP,
		Factory: func(sim.Options, []sim.Device) (sim.Equipment, error) { return script, nil },
	})
}

func notified(t *testing.T, p *devicetest.Pair) bool {
	t.Helper()
	select {
	case <-p.Capability.(*Deck).Changed():
		return true
	default:
		return false
	}
}

func TestNoticesBetweenACommandAndItsAnswerAreToldApart(t *testing.T) {
	p := played(t, scripted{
		"": introduction, strings.TrimSpace(usualNotify): yes,
		"transport info": "502 slot info:\r\nslot id: 1\r\nstatus: empty\r\n\r\n508 transport info:\r\nstatus: record\r\nspeed: 100\r\n\r\n" +
			"208 transport info:\r\nstatus: play\r\nspeed: 100\r\n\r\n",
	})
	if got, err := p.Capability.(*Deck).Transport(devicetest.Asking(t)); err != nil || got != devices.TransportPlay {
		t.Errorf("%v, %v", got, err)
	}
	if !notified(t, p) {
		t.Error("nobody was notified")
	}
}

func TestNoticesOfOtherThingsMakeNobodyLook(t *testing.T) {
	p := played(t, scripted{
		"": introduction, strings.TrimSpace(usualNotify): yes,
		"transport info": "513 display timecode:\r\ndisplay timecode: 01:00:00:00\r\n\r\n208 transport info:\r\nstatus: play\r\nspeed: 100\r\n\r\n",
	})
	if _, err := p.Capability.(*Deck).Transport(devicetest.Asking(t)); err != nil {
		t.Error(err)
	}
	if notified(t, p) {
		t.Error("a timecode is not worth a look")
	}
}

func TestOldFirmwareIsAskedForLess(t *testing.T) {
	for what, script := range map[string]scripted{
		"transport only": {strings.TrimSpace(usualNotify): "101 unsupported parameter\r\n", "notify: transport: true": yes},
		"nothing":        {strings.TrimSpace(usualNotify): "103 unsupported\r\n", "notify: transport: true": "103 unsupported\r\n"},
	} {
		script[""] = introduction
		script["transport info"] = "208 transport info:\r\nstatus: stopped\r\nspeed: 0\r\n\r\n"
		script["slot info"] = "103 unsupported\r\n"
		p := played(t, script)
		if got, err := p.Capability.(*Deck).Transport(devicetest.Asking(t)); err != nil || got != devices.TransportStop {
			t.Errorf("%s: %v, %v", what, got, err)
		}
		if got := heard(p); got != usualNotify+"notify: transport: true\r\ntransport info\r\nslot info\r\n" {
			t.Errorf("%s: on the wire %q", what, got)
		}
	}
}

func TestASlotThatAnswersNoDiskIsEmpty(t *testing.T) {
	p := played(t, scripted{
		"": introduction, strings.TrimSpace(usualNotify): yes,
		"transport info": "208 transport info:\r\nstatus: preview\r\nspeed: 100\r\nslot id: none\r\n\r\n", "slot info": "105 no disk\r\n",
	})
	if got, err := p.Capability.(*Deck).Transport(devicetest.Asking(t)); err != nil || got != devices.TransportNoMedia {
		t.Errorf("%v, %v", got, err)
	}
}

func TestStrangeAnswersAreErrors(t *testing.T) {
	for what, info := range map[string]string{
		"a status of tomorrow": "208 transport info:\r\nstatus: hovering\r\nspeed: 0\r\n\r\n",
		"the wrong answer":     "200 ok\r\n",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := played(t, scripted{"": introduction, strings.TrimSpace(usualNotify): yes, "transport info": info})
			if got, err := p.Capability.(*Deck).Transport(devicetest.Asking(t)); err == nil {
				t.Errorf("read %q", got)
			}
		})
	}
	for what, hello := range map[string]string{"another protocol": "SSH-2.0-OpenSSH\r\n", "another code": "208 transport info:\r\n\r\n"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := played(t, scripted{"": hello})
			if got, err := p.Capability.(*Deck).Transport(devicetest.Asking(t)); !errors.Is(err, line.ErrDown) {
				t.Errorf("read %q, %v", got, err)
			}
		})
	}
}
