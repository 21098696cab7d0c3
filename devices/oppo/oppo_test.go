package oppo

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	"lectern/devices/sim"
	simulator "lectern/devices/sim/oppo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick makes trays and discs fast enough to wait for.
const quick = 100

func pair(t *testing.T, kind line.Kind, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: simulator.New, Kind: kind, With: with, Speed: quick})
}

// chapterOf tells where the simulated player truly stands.
func chapterOf(t *testing.T, p *devicetest.Pair) func() int {
	t.Helper()
	player, ok := p.Equipment.(*simulator.Player)
	if !ok {
		t.Fatalf("%T", p.Equipment)
	}
	return player.Chapter
}

func TestPlayersConform(t *testing.T) {
	t.Parallel()
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			// Not quick: the chapters that the suite counts must not go by themselves.
			p := devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: simulator.New, Kind: kind})
			devicetest.Player(t, devicetest.PlayerCase{
				Pair: p, NoMedia: "no-disc", Nak: "nak", Chapter: chapterOf(t, p),
				Commands: map[devices.Transport]string{
					devices.TransportPlay: "#PLA\r", devices.TransportStop: "#STP\r", devices.TransportPause: "#PAU\r",
					devices.TransportForward: "#FWD\r", devices.TransportBack: "#REV\r",
					devices.TransportNext: "#NXT\r", devices.TransportPrevious: "#PRE\r",
				},
			})
		})
	}
}

func TestVolumesConform(t *testing.T) {
	t.Parallel()
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			devicetest.Volume(t, devicetest.VolumeCase{Pair: pair(t, kind, nil), Nak: "nak", Calm: kind == line.Serial})
		})
	}
}

func TestAMuteThatSomebodyTurnedOverIsTurnedAgain(t *testing.T) {
	script := scripted{"#SVM 2": "@SVM OK 2", "#QVL": "@QVL OK 30", "#MUT": "@MUT OK UNMUTE"}
	p := played(t, script)
	if err := p.Capability.(*Player).SetMute(devicetest.Asking(t), true); err != nil {
		t.Error(err)
	}
	if got := heard(p); strings.Count(got, "#MUT\r") != 2 {
		t.Errorf("on the wire %q", got)
	}
}

func TestWhatIsSaidOnTheWire(t *testing.T) {
	p := pair(t, line.Serial, nil)
	player := p.Capability.(*Player)
	if err := player.Act(devicetest.Asking(t), devices.TransportPlay); err != nil {
		t.Fatal(err)
	}
	if _, err := player.Transport(devicetest.Asking(t)); err != nil {
		t.Fatal(err)
	}
	if got := heard(p); got != "#SVM 2\r#QPW\r#PLA\r#QPL\r#QPW\r#QPL\r" {
		t.Errorf("on the wire %q", got)
	}
}

func heard(p *devicetest.Pair) string {
	chunks, _, _ := p.Wire.Heard(0)
	return string(slices.Concat(chunks...))
}

func TestPlayAndEjectWakeAPlayerInStandby(t *testing.T) {
	for what, want := range map[devices.Transport]devices.Transport{
		devices.TransportPlay: devices.TransportPlay, devices.TransportEject: devices.TransportOpen,
	} {
		t.Run(string(what), func(t *testing.T) {
			t.Parallel()
			p := pair(t, line.Serial, nil)
			player := p.Capability.(*Player)
			p.Nudge(t, "device", "transport", "standby")
			if got, err := player.Transport(devicetest.Asking(t)); err != nil || got != devices.TransportStandby {
				t.Fatalf("%v, %v", got, err)
			}
			if err := player.Act(devicetest.Asking(t), what); err != nil {
				t.Fatal(err)
			}
			if got, err := player.Transport(devicetest.Asking(t)); err != nil || got != want {
				t.Errorf("%v, %v", got, err)
			}
			if got := heard(p); strings.Count(got, "#PON\r") != 1 {
				t.Errorf("on the wire %q", got)
			}
		})
	}
}

func TestInStandbyNothingElseIsSent(t *testing.T) {
	for _, c := range []struct {
		wake bool
		what devices.Transport
	}{{true, devices.TransportStop}, {true, devices.TransportNext}, {false, devices.TransportPlay}, {false, devices.TransportEject}} {
		p := pair(t, line.Serial, map[string]any{"wake": c.wake})
		p.Nudge(t, "device", "transport", "standby")
		refusal := new(devices.Refusal)
		if err := p.Capability.(*Player).Act(devicetest.Asking(t), c.what); !errors.As(err, &refusal) || refusal.Reason.ZH == "" {
			t.Errorf("wake %v, %s: %v", c.wake, c.what, err)
		}
		if got := heard(p); got != "#SVM 2\r#QPW\r" {
			t.Errorf("wake %v, %s: on the wire %q", c.wake, c.what, got)
		}
	}
}

// A player that is woken without a disc must not be waited for until somebody puts one in.
func TestWakingWithoutADiscIsRejected(t *testing.T) {
	p := pair(t, line.Serial, nil)
	p.Fault(t, "no-disc")
	p.Nudge(t, "device", "transport", "standby")
	no := new(devices.Rejection)
	if err := p.Capability.(*Player).Act(devicetest.Asking(t), devices.TransportPlay); !errors.As(err, &no) || !strings.Contains(no.Reason.EN, "no disc") {
		t.Errorf("got %v", err)
	}
}

func TestAPlayerThatDoesNotStartIsGivenUp(t *testing.T) {
	p := played(t, scripted{"#SVM 2": "@SVM OK 2", "#QPW": "@QPW OK OFF", "#PON": "@PON OK ON", "#QPL": "@QPL OK LOADING"})
	ctx, cancel := context.WithTimeout(devicetest.Asking(t), time.Second)
	defer cancel()
	no := new(devices.Rejection)
	if err := p.Capability.(*Player).Act(ctx, devices.TransportPlay); !errors.As(err, &no) || !no.Busy {
		t.Errorf("got %v", err)
	}
	if got := heard(p); strings.Contains(got, "#PLA") {
		t.Errorf("on the wire %q", got)
	}
}

func TestPlayWithTheTrayOpenIsAcceptedUntilTheDiscIsRead(t *testing.T) {
	p := devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: simulator.New, Speed: 10})
	player := p.Capability.(*Player)
	p.Nudge(t, "device", "transport", "open")
	if err := player.Act(devicetest.Asking(t), devices.TransportPlay); !errors.Is(err, devices.ErrAccepted) {
		t.Errorf("got %v", err)
	}
	no := new(devices.Rejection)
	if err := player.Act(devicetest.Asking(t), devices.TransportPause); !errors.As(err, &no) || !no.Busy {
		t.Errorf("pausing while it loads: %v", err)
	}
	devicetest.Until(t, "it plays", func() bool {
		got, err := player.Transport(devicetest.Asking(t))
		return err == nil && got == devices.TransportPlay
	})
}

func TestRejectionsSayWhy(t *testing.T) {
	p := pair(t, line.Serial, nil)
	for state, c := range map[string]struct {
		what devices.Transport
		want string
	}{
		"open": {devices.TransportStop, "tray is open"}, "no-media": {devices.TransportPlay, "no disc"}, "stop": {devices.TransportForward, "press play"},
	} {
		p.Nudge(t, "device", "transport", state)
		no := new(devices.Rejection)
		if err := p.Capability.(*Player).Act(devicetest.Asking(t), c.what); !errors.As(err, &no) || no.Code != "ER" || !strings.Contains(no.Reason.EN, c.want) {
			t.Errorf("%s: %v", state, err)
		}
	}
}

func TestEveryPressOfForwardIsTheNextSpeed(t *testing.T) {
	p := pair(t, line.Serial, nil)
	player := p.Capability.(*Player)
	p.Nudge(t, "device", "transport", "play")
	for range 3 {
		if err := player.Act(devicetest.Asking(t), devices.TransportForward); err != nil {
			t.Error(err)
		}
	}
	var answers []string
	entries, _ := p.Line.Trace(0)
	for _, e := range entries {
		if text := string(e.Bytes); e.Dir == "rx" && strings.HasPrefix(text, "@FWD") {
			answers = append(answers, strings.TrimSpace(text))
		}
	}
	if want := []string{"@FWD OK 1X", "@FWD OK 2X", "@FWD OK 3X"}; !slices.Equal(answers, want) {
		t.Errorf("the player answered %q", answers)
	}
}

// TestAPlayerThatWasOffSpeaksUpAgain: with its mains a player forgets its verbose mode.
func TestAPlayerThatWasOffSpeaksUpAgain(t *testing.T) {
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			p := pair(t, kind, nil)
			player := p.Capability.(*Player)
			is := func(want devices.Transport) {
				t.Helper()
				devicetest.Until(t, string(want), func() bool {
					got, err := player.Transport(devicetest.Asking(t))
					return err == nil && got == want
				})
			}
			is(devices.TransportStop)
			p.Fault(t, "restart")
			p.Fault(t, "")
			is(devices.TransportStandby)
			p.Nudge(t, "device", "transport", "stop")
			is(devices.TransportStop)
			select {
			case <-player.Changed():
			default:
			}
			p.Nudge(t, "device", "transport", "pause")
			select {
			case <-player.Changed():
			case <-devicetest.Asking(t).Done():
				t.Error("nobody heard the player's own buttons")
			}
		})
	}
}

func TestAPlayerThatNeverNamesItsAnswersIsNotAskedToForEver(t *testing.T) {
	p := played(t, scripted{"#SVM 2": "@OK 2", "#QPW": "@OK ON", "#QPL": "@OK PAUSE"})
	for range 10 {
		if got, err := p.Capability.(*Player).Transport(devicetest.Asking(t)); err != nil || got != devices.TransportPause {
			t.Fatalf("%v, %v", got, err)
		}
	}
	if got := strings.Count(heard(p), "#SVM 2"); got != verboseTries {
		t.Errorf("it was asked %d times", got)
	}
}

func TestAPlayerWithoutVerboseModeIsPolled(t *testing.T) {
	p := played(t, scripted{"#SVM 2": "@ER", "#QPW": "@OK ON", "#QPL": "@OK PLAY"})
	for range 3 {
		if got, err := p.Capability.(*Player).Transport(devicetest.Asking(t)); err != nil || got != devices.TransportPlay {
			t.Fatalf("%v, %v", got, err)
		}
	}
	if got := strings.Count(heard(p), "#SVM 2"); got != 1 {
		t.Errorf("it was asked %d times", got)
	}
}

// What cannot be the answer is not taken for it, and what nobody knows is no state.
func TestStrangeAnswersAreErrors(t *testing.T) {
	for what, script := range map[string]scripted{
		"a power that is none":  {"#QPW": "@QPW OK MAYBE", "#QPL": "@QPL OK PLAY"},
		"a state of tomorrow":   {"#QPW": "@QPW OK ON", "#QPL": "@QPL OK HOVERING"},
		"a late answer, short":  {"#QPW": "@OK PLAY", "#QPL": "@OK PLAY"},
		"the answer to another": {"#QPW": "@QVL OK 30", "#QPL": "@QPL OK PLAY"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			script["#SVM 2"] = "@SVM OK 2"
			if got, err := played(t, script).Capability.(*Player).Transport(devicetest.Asking(t)); err == nil {
				t.Errorf("read %q", got)
			}
		})
	}
}

// scripted is a player that answers each command with a text, whatever it means.
type scripted map[string]string

func (scripted) Truth() map[string]string           { return nil }
func (scripted) Nudge(string, string, string) error { return nil }
func (scripted) Fault(string) error                 { return nil }

func (s scripted) Serve(_ context.Context, conn io.ReadWriter) error {
	var command []byte
	for buf := make([]byte, 64); ; {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		for _, c := range buf[:n] {
			if c != '\r' {
				command = append(command, c)
				continue
			}
			if answer, ok := s[string(command)]; ok {
				if _, err := io.WriteString(conn, answer+"\r"); err != nil {
					return err
				}
			}
			command = command[:0]
		}
	}
}

func played(t *testing.T, script scripted) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: Driver(), Factory: func(sim.Options, []sim.Device) (sim.Equipment, error) { return script, nil },
	})
}
