package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"
)

// A day of meetings, one after the other, at a panel on the wall: the rack on, lights, curtains, the
// projector, sources, the players, a cable that falls out and is put in again, the end, and off. After each
// the daemon is weighed.
//
//	LECTERN_MEETINGS=96 nice go test ./cmd/lectern -run TestADayOfMeetings -timeout 1h -v     # a day
//
// The daemon and the equipment are processes of their own, the equipment fifty times quicker than life and
// the pauses of the room file as short; nothing else of the daemon is hurried.
func TestADayOfMeetings(t *testing.T) {
	t.Parallel()
	meetings := 3
	if n, err := strconv.Atoi(os.Getenv("LECTERN_MEETINGS")); err == nil {
		meetings = n
	}
	o := outdoors(t)
	wall := newClient(o.url, "panel", "", t.Errorf)
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	screen := newScreenful(o.url)
	go func() { defer close(over); screen.follow(ctx) }()
	var all []figures
	began := time.Now()
	for n := range meetings {
		o.meeting(wall, screen, n)
		if all = append(all, o.look()); t.Failed() {
			break
		}
	}
	took := time.Since(began)
	cancel()
	<-over
	wall.close()
	o.stop()
	if !t.Failed() {
		o.counted(wall, meetings)
	}
	if t.Failed() {
		return
	}
	weigh(t, all)
	t.Logf("%d meetings in %s", meetings, took.Round(time.Second))
}

// meeting holds one meeting.
func (o *outside) meeting(wall *client, screen *screenful, n int) {
	o.t.Helper()
	wall.unlock()
	play := func(scene string) {
		o.t.Helper()
		path := "/api/v1/scenes/" + scene
		body := map[string]any{}
		if scene == "system-on" || scene == "system-off" {
			_, held := wall.ask(http.MethodPost, path+"/hold", map[string]any{})
			time.Sleep(600 * time.Millisecond)
			body["hold"] = held.Hold
		}
		status, _ := wall.ask(http.MethodPost, path, body)
		if status != http.StatusAccepted {
			o.t.Fatalf("meeting %d: starting %s: %d", n, scene, status)
		}
		wall.started = append(wall.started, scene)
		state := ""
		o.until(fmt.Sprintf("meeting %d: %s ends", n, scene), func() bool {
			for _, run := range wall.state().Runs {
				if run.Scene == scene {
					state = run.State
				}
			}
			return state != "running"
		})
		if state != "finished" {
			o.t.Fatalf("meeting %d: %s is %s", n, scene, state)
		}
	}
	set := func(name, value string) {
		o.t.Helper()
		for try := 0; ; try++ {
			outcome := wall.set(name, value)
			if outcome == "done" || outcome == "accepted" {
				return
			}
			if try == 3 {
				o.t.Errorf("meeting %d: setting %s to %s is %s", n, name, value, outcome)
				return
			}
		}
	}
	shows := func(name, value string) {
		o.t.Helper()
		o.until(fmt.Sprintf("meeting %d: %s shows %s", n, name, value), func() bool {
			p, _ := screen.sees(name)
			return fmt.Sprint(p.Value) == value
		})
	}
	play("system-on")
	set("spot-1.level", []string{"low", "mid", "high", "full"}[n%4])
	set("door-lights.power", strconv.FormatBool(n%2 == 0))
	set("door-curtain.position", strconv.Itoa(20+n%60))
	play("presentation")
	shows("projector.power", "on")
	for _, source := range []string{"computer2", "dvd", "recorder"} {
		set("sources.selected", source)
		shows("sources.selected", source)
	}
	for _, transport := range []string{"play", "pause", "stop"} {
		set("dvd.transport", transport)
	}
	set("recorder.transport", "play")
	set("sound-recorder.volume", strconv.Itoa(20+n%50))
	set("sound-recorder.mute", "true")
	set("sound-recorder.mute", "false")
	cable := []string{"player", "matrix", "recorder", "rack", "bus", "projector"}[n%6]
	fmt.Fprintf(o.stage, "fault %s unplug\n", cable)
	wall.set("wall-lights.power", strconv.FormatBool(n%2 == 0)) // whatever becomes of it
	fmt.Fprintf(o.stage, "heal %s\n", cable)
	o.until(fmt.Sprintf("meeting %d: the cable of %s is in", n, cable), func() bool {
		for _, l := range wall.state().Lines {
			if !l.Up {
				return false
			}
		}
		for _, d := range wall.state().Devices {
			if d.Fed && !d.Online {
				return false
			}
		}
		return true
	})
	play("end-meeting")
	shows("projector.power", "off")
	wall.unlock() // the end of a meeting locks every panel
	play("system-off")
	wall.ask(http.MethodDelete, "/api/v1/session", nil)
}

// counted holds the journal against what was pressed.
func (o *outside) counted(wall *client, meetings int) {
	all := entriesIn(o.data, o.t.Errorf)
	account(all, []*client{wall}, o.t.Errorf)
	opened := 0
	for _, e := range all {
		if e.Outcome == "opened" {
			opened++
		}
	}
	if opened != 4*meetings {
		o.t.Errorf("%d PINs were typed and %d are in the journal", 4*meetings, opened)
	}
	last, err := json.Marshal(all[len(all)-1])
	o.t.Logf("%d commands and %d scenes at the panel; %d entries in the journal, the last %s %v", len(wall.asked), len(wall.started), len(all), last, err)
}

// weigh holds the last quarter of a day against the first. The first tenth is left out: what the daemon
// keeps of the past - frames, the journal - fills up in it.
func weigh(t *testing.T, all []figures) {
	all = all[len(all)/10:]
	quarter := max(1, len(all)/4)
	first, last := mean(all[:quarter]), mean(all[len(all)-quarter:])
	for _, f := range []struct {
		what        string
		first, last float64
		slack       float64
	}{
		{"heap in MB", first.heap, last.heap, 3}, {"memory in MB", first.rss, last.rss, 6},
		{"goroutines", first.goroutines, last.goroutines, 8}, {"open files", first.files, last.files, 4},
	} {
		t.Logf("%s: %.1f in the first quarter, %.1f in the last", f.what, f.first, f.last)
		if f.last > f.first+f.slack+f.first/10 && len(all) > 8 {
			t.Errorf("%s grow: %.1f in the first quarter, %.1f in the last", f.what, f.first, f.last)
		}
	}
}

func mean(all []figures) (m figures) {
	for _, f := range all {
		m.heap, m.rss, m.goroutines, m.files = m.heap+f.heap, m.rss+f.rss, m.goroutines+f.goroutines, m.files+f.files
	}
	n := float64(len(all))
	return figures{m.heap / n, m.rss / n, m.goroutines / n, m.files / n}
}
