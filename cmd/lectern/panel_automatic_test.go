package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/configs"
)

// byItself is what the daemon says of one thing that it does by itself.
type byItself struct {
	On      bool      `json:"on"`
	Outcome string    `json:"outcome"`
	Next    time.Time `json:"next"`
	Until   time.Time `json:"until"`
}

func (h *house) automatic(kind, id string) byItself {
	h.t.Helper()
	_, body := h.call(http.MethodGet, "/api/v1/automatic", "")
	var answer struct {
		Automatic []struct {
			Kind, ID string
			byItself
		} `json:"automatic"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		h.t.Fatal(err)
	}
	for _, a := range answer.Automatic {
		if a.Kind == kind && a.ID == id {
			return a.byItself
		}
	}
	h.t.Fatalf("there is no %s %s in %s", kind, id, body)
	return byItself{}
}

// gauged holds a state of the panel against the gauge and axe.
func gauged(p *glass, view string) {
	p.t.Helper()
	for _, fault := range eval[[]string](p, fmt.Sprintf("document.fonts.ready.then(() => %s(false))", gauge)) {
		p.t.Errorf("%s: %s", view, fault)
	}
}

// What happens by itself is seen on a tab, switched there, and stays as it was switched.
func TestAutomaticByFinger(t *testing.T) {
	in := browser(t)
	h := demo(t)
	p := hang(t, in, h.url, wall)
	p.unlock()
	p.system()
	p.touch("[data-tab=automatic]")
	p.reads(`[data-automatic="schedule.sunday"]`, "下次")
	p.sees(`[data-automatic="auto_off.night"]`)
	p.sees(`[data-switch="rule.screen-down"][aria-checked=true]`)
	p.touch(`[data-switch="rule.screen-down"]`)
	p.touch(`[data-switch="schedule.sunday"]`)
	p.sees(`[data-switch="rule.screen-down"][aria-checked=false]`)
	p.sees(`[data-switch="schedule.sunday"][aria-checked=false]`)
	if eval[bool](p, `document.querySelector('[data-automatic="schedule.sunday"]').innerText.includes('下次')`) {
		t.Error("what is off says when it comes next")
	}
	if a := h.automatic("schedule", "sunday"); a.On || !a.Next.IsZero() {
		t.Errorf("the API says %+v", a)
	}
	h.stop()
	h.start()
	if h.automatic("rule", "screen-down").On || h.automatic("schedule", "sunday").On || !h.automatic("rule", "screen-up").On {
		t.Error("a restart has switched it")
	}
	// Off means off: the projector goes on, and the screen stays where it is.
	if run := h.play("system-on"); run.State != "finished" {
		t.Fatalf("system-on: %+v", run)
	}
	h.set("projector.power", "on", "done", "accepted")
	h.says("projector.power", "on")
	if values, _ := h.state(); values["screen.motion"].Value == "down" || values["screen.position"].Value == float64(0) {
		t.Errorf("a rule that is off let the screen down: %v", values["screen.motion"])
	}
	if status, body := h.call(http.MethodPost, "/api/v1/automatic/schedule/sunday", `{"on": true}`); status != http.StatusOK || !strings.Contains(body, `"on":true`) {
		t.Errorf("switched on by a machine: %d %s", status, body)
	}
	h.until("it says when it comes next", func() bool { return !h.automatic("schedule", "sunday").Next.IsZero() })
}

// forgotten is the demo where nobody touches anything for a while, in seconds.
func forgotten(untouched, warn time.Duration) func(*configs.Room) {
	return func(r *configs.Room) {
		r.AutoOff = []configs.AutoOff{{
			ID: "night", Name: configs.Name{ZH: "夜间无人自动结束", EN: "End of a forgotten meeting"}, Untouched: untouched, Showing: time.Hour, Warn: warn, Run: "lights-off",
		}}
	}
}

// A locked panel asks as well, counts down, and any touch on it is the answer. Where there is none the meeting ends.
func TestAnEmptyRoomIsAskedByThePanels(t *testing.T) {
	t.Parallel()
	in := browser(t)
	h := open(t, example("demo.yaml"), forgotten(3*time.Second, 6*time.Second))
	p := hang(t, in, h.url, wall)
	p.sees(".sky")
	h.set("wall-lights.power", true) // somebody is here
	p.reads("dialog.vacant[open]", "还有人在吗")
	p.reads(".count", "0:0")
	gauged(p, "the question")
	axe(t, p, "the question")
	p.touch("[data-answer=here]")
	p.misses("dialog.vacant[open]")
	if a := h.automatic("auto_off", "night"); a.Outcome != "kept" || !a.Until.IsZero() {
		t.Errorf("kept on, and the API says %+v", a)
	}
	h.until("it asks again", func() bool { return !h.automatic("auto_off", "night").Until.IsZero() })
	if status, _ := h.call(http.MethodPost, "/api/v1/presence", ""); status != http.StatusNoContent {
		t.Errorf("a machine that says somebody is here: %d", status)
	}
	h.until("it asks no more", func() bool { return h.automatic("auto_off", "night").Until.IsZero() })
	h.until("the meeting has been ended", func() bool {
		_, runs := h.state()
		return runs["lights-off"].State == "finished" && h.automatic("auto_off", "night").Outcome == "done"
	})
	p.misses("dialog.vacant[open]")
}

// While the alarm lasts every panel says so, whatever it shows; nothing undoes it; its end moves nothing.
func TestAnAlarmIsOnEveryPanel(t *testing.T) {
	t.Parallel()
	in := browser(t)
	h := open(t, example("examples/automatic.yaml"))
	h.set("speakers.power", true)
	p := hang(t, in, h.url, wall)
	p.sees(".sky")
	h.nudge("fire-alarm", "value", "0")
	p.reads(".alarm", "火警")
	p.reads(".alarm", "Fire alarm")
	h.truly("lamps.power", "true")
	h.truly("speakers.power", "false")
	gauged(p, "the sky in an alarm")
	axe(t, p, "the sky in an alarm")
	p.unlock()
	p.page("lights")
	p.sees(".alarm")
	p.touch(`[data-set="lamps.power=false"]`)
	p.reads(".toast", "火警")
	gauged(p, "a page in an alarm")
	axe(t, p, "a page in an alarm")
	if body := h.set("lamps.power", false, "refused"); !strings.Contains(body, "Fire alarm") {
		t.Errorf("a machine is told %s", body)
	}
	if status, body := h.call(http.MethodPost, "/api/v1/scenes/end-meeting", ""); status != http.StatusConflict {
		t.Errorf("a scene: %d %s", status, body)
	}
	h.nudge("lamps", "power", "false") // by a switch on the wall
	h.truly("lamps.power", "true")
	h.nudge("fire-alarm", "value", "1")
	p.misses(".alarm")
	h.truly("lamps.power", "true")
	h.set("lamps.power", false)
	// A contact that cannot be read is a fault, and no alarm.
	h.fault("bus", "silence")
	p.reads("header .status", "报警触点无法读取")
	if eval[bool](p, "Boolean(document.querySelector('.alarm'))") {
		t.Error("a silent contact is an alarm")
	}
}
