package mqtt

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lectern/devices"
)

func TestEverySetHasAResult(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		h, f := show(t, v)
		r := f.outcomes(t, "spot/level", "low", "accepted", "done")
		if r.Device != "spot" || r.Property != "level" || r.Value != "low" || r.Reason != "" || time.Since(r.Time).Abs() > time.Minute {
			t.Errorf("%+v", r)
		}
		f.says(t, "homie/5/hall/spot/level", "low")
		f.says(t, "homie/5/hall/spot/level/$target", "low")

		r = f.outcomes(t, "spot/level", "high", "accepted", "refused")
		if r.Reason != "Too bright" || r.ReasonZH != "太亮" || r.Retry != 7 {
			t.Errorf("%+v", r)
		}
		f.outcomes(t, "spot/level", "deaf", "accepted", "failed")
		f.outcomes(t, "spot/level", "busy", "accepted", "expired")
		f.outcomes(t, "spot/level", "blind", "accepted", "sent")
		f.outcomes(t, "spot/hours", "35", "accepted", "done")
		f.outcomes(t, "spot/title", "今天\n", "accepted", "done")
		f.outcomes(t, "spot/title", "\x00", "accepted", "done") // the convention's empty text
		f.says(t, "homie/5/hall/spot/title", "\x00")
		if got := h.lamp.done(); !slices.Equal(got, []string{"low", "35", "今天\n", ""}) {
			t.Errorf("did %q", got)
		}
	})
}

func TestWhatIsAcceptedForLaterEndsOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		h, f := show(t, v)
		topic := "homie/5/hall/spot/level/$result"
		await := func(n int) {
			t.Helper()
			f.until(t, "accepted", func() bool { return len(f.results(topic)) == n })
			for p, _ := h.rooms.Get("spot", "level"); p.Target.IsZero(); p, _ = h.rooms.Get("spot", "level") {
			}
		}
		f.publish(t, "homie/5/hall/spot/level/set", "later", false)
		await(1)
		f.says(t, "homie/5/hall/spot/level/$target", "later")
		h.lamp.report.Report("level", devices.Word("other"), devices.Reported)
		h.lamp.report.Report("level", devices.Word("later"), devices.Reported)
		f.further(t, topic, 0, "accepted", "done")

		f.publish(t, "homie/5/hall/spot/level/set", "never", false)
		await(3)
		h.lamp.report.Report("level", devices.Word("low"), devices.Reported)
		if r := f.further(t, topic, 2, "accepted", "failed"); !strings.Contains(r.Reason, "it is low now") {
			t.Errorf("%+v", r)
		}
		f.publish(t, "homie/5/hall/spot/level/set", "never", false)
		await(5)
		f.publish(t, "homie/5/hall/spot/level/set", "low", false)
		f.until(t, "both end", func() bool { return len(f.results(topic)) == 8 })
		f.mu.Lock()
		got := make(map[string]string)
		for _, r := range f.results(topic)[4:] {
			got[r.Value] += r.Outcome + " "
		}
		f.mu.Unlock()
		if got["never"] != "accepted superseded " || got["low"] != "accepted done " {
			t.Errorf("%v", got)
		}
		f.publish(t, "homie/5/hall/spot/level/set", "never", false)
		await(9)
		h.stop()
		if r := f.further(t, topic, 8, "accepted", "failed"); !strings.Contains(r.Reason, "stopping") {
			t.Errorf("%+v", r)
		}
		f.says(t, "homie/5/hall/$state", "disconnected")
	})
}

func TestACommandThatWaitedTooLongIsNotCarriedOut(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		h, f := show(t, v)
		h.gateway.queues["spot"] <- set{node: "spot", property: "level", payload: "low", at: time.Now().Add(-waitMost - time.Second)}
		f.further(t, "homie/5/hall/spot/level/$result", 0, "expired")
		if h.journal.Latest(0, 1)[0].Outcome != "expired" || len(h.lamp.done()) > 0 {
			t.Errorf("%+v, did %v", h.journal.Latest(0, 1), h.lamp.done())
		}
	})
}

func TestCommandsToOneDeviceKeepTheirOrder(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		h, f := show(t, v)
		var want []string
		for i := range 40 {
			level := []string{"low", "off"}[i%2]
			want = append(want, level)
			f.publish(t, "homie/5/hall/spot/level/set", level, false)
		}
		f.until(t, "all are done", func() bool { return len(h.lamp.done()) == len(want) })
		if !slices.Equal(h.lamp.done(), want) {
			t.Errorf("did %s", h.lamp.done())
		}
	})
}

func TestASceneRunsFromItsTopicAndSaysHowItEnds(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		h, f := show(t, v)
		f.outcomes(t, "scenes/dim", "run", "accepted", "done")
		f.says(t, "homie/5/hall/scenes/dim", "finished")
		if !slices.Equal(h.lamp.done(), []string{"low"}) {
			t.Errorf("did %s", h.lamp.done())
		}
		f.outcomes(t, "scenes/stuck", "run", "accepted", "failed")
		f.outcomes(t, "scenes/dim", "cancel", "refused")
		f.outcomes(t, "scenes/dim", "play", "refused")
		if r := f.outcomes(t, "scenes/nothing", "run", "refused"); !strings.Contains(r.Reason, "there is dim, stuck") {
			t.Errorf("%+v", r)
		}
	})
}

func TestRoomsOnOneBrokerDoNotSeeEachOthersCommands(t *testing.T) {
	v := open(t, "mosquitto")
	one, f := show(t, v)
	two := newHall(t, v, "hall-2").run(t) // its id begins like the other's
	f.says(t, "homie/5/hall-2/$state", "ready")
	f.outcomes(t, "spot/level", "low", "accepted", "done")
	f.publish(t, "homie/5/hall-2/spot/level/set", "off", false)
	f.until(t, "the second answers", func() bool { return len(f.results("homie/5/hall-2/spot/level/$result")) == 2 })
	if !slices.Equal(one.lamp.done(), []string{"low"}) || !slices.Equal(two.lamp.done(), []string{"off"}) {
		t.Errorf("the first did %v, the second %v", one.lamp.done(), two.lamp.done())
	}
	two.stop()
	f.says(t, "homie/5/hall-2/$state", "disconnected")
	f.says(t, "homie/5/hall/$state", "ready")
}

func TestReasonsNameWhatThereIs(t *testing.T) {
	v := open(t, "embedded")
	_, f := show(t, v)
	for property, want := range map[string]string{
		"lamp/level":  "there is spot, scenes",
		"spot/colour": "there is hours, level, title, warmth, worn",
		"spot/worn":   "can be read but not set",
	} {
		if r := f.outcomes(t, property, "low", "refused"); !strings.Contains(r.Reason, want) || strings.HasPrefix(want, "there") && !strings.Contains(r.ReasonZH, strings.TrimPrefix(want, "there is ")) || r.ReasonZH == "" {
			t.Errorf("%s: %+v", property, r)
		}
	}
}

// Whatever lies between, the target that stands in the end is the value.
func TestWhereNothingIsAskedForTheTargetIsTheValue(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		h, f := show(t, v)
		f.outcomes(t, "spot/level", "low", "accepted", "done")
		h.lamp.report.Report("level", devices.Word("other"), devices.Reported)
		f.says(t, "homie/5/hall/spot/level", "other")
		f.says(t, "homie/5/hall/spot/level/$target", "other")
	})
}
