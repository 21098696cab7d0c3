package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// healedWithin is how long the room may take to be itself again when all is healed. A line that was cut
// is tried again after ten seconds at most, and a unit that was set aside after thirty; where the machine
// has so much else to do that the equipment answers too late, after thirty again. It takes a few seconds.
const healedWithin = 2 * time.Minute

// settle heals everything, waits for every answer, and for the room to be what its equipment is.
func (r *trial) settle() {
	for where := range r.house.cast.Faults() {
		if err := r.house.cast.Fault(where, ""); err != nil {
			r.fail("healing %s: %v", where, err)
		}
	}
	for _, c := range []*client{r.panel, r.machine, r.director} {
		c.waiting.Wait()
	}
	r.office.waiting.Wait()
	r.agree("after the healing")
	// The room is not only right but usable: somebody sets a little of everything.
	for _, w := range [][2]string{
		{"spot-1.level", "mid"}, {"wall-lights.power", "true"}, {"door-curtain.motion", "down"}, {"rear-curtain.motion", "up"},
		{"screen.motion", "down"}, {"rack-amplifier.power", "true"}, {"rack-matrix.power", "true"}, {"rack-player.power", "true"},
	} {
		outcome := ""
		for try := 0; try < 4 && outcome != "done"; try++ { // the time-outs are real, and the machine may have other work
			outcome = r.machine.set(w[0], w[1])
		}
		if outcome != "done" {
			r.fail("when all is healed, setting %s to %s is %s", w[0], w[1], outcome)
		}
	}
	r.agree("at the end")
}

// agree waits until panel, stream and broker show what the equipment does.
func (r *trial) agree(when string) {
	var list []string
	for end := time.Now().Add(healedWithin); ; time.Sleep(20 * time.Millisecond) {
		r.dismiss()
		truth := r.house.cast.Truth()
		s := r.machine.state()
		list = s.differences(truth, r.script)
		for _, p := range s.Properties {
			if shown, revision := r.screen.sees(p.name()); revision >= s.Revision && !reflect.DeepEqual(shown.Value, p.Value) {
				list = append(list, fmt.Sprintf("the stream shows %s as %v, the state as %v", p.name(), shown.Value, p.Value))
			}
		}
		list = append(list, s.onBroker(r.office)...)
		if _, revision := r.screen.sees("temperature.temperature"); len(list) == 0 && revision == s.Revision {
			return
		}
		if r.t.Failed() && time.Now().After(end.Add(-healedWithin/2)) || time.Now().After(end) {
			r.fail("%s the room is not what its equipment is:\n%s\ntruth %v", when, strings.Join(list, "\n"), truth)
			return
		}
	}
}

// dismiss answers a scene that asks and that nobody in the script answers.
func (r *trial) dismiss() {
	for _, run := range r.director.state().Runs {
		if run.State == "asking" {
			r.director.ask("POST", "/api/v1/scenes/"+run.Scene+"/decision", map[string]any{"do": "skip"})
		}
	}
}

// close sends everybody home and stops the daemon; the equipment goes on being watched.
func (r *trial) close() {
	finals, sure := r.office.finals(), len(r.office.sure)
	if !r.lostBroker() {
		for end := time.Now().Add(healedWithin); finals < sure && time.Now().Before(end); finals = r.office.finals() {
			time.Sleep(20 * time.Millisecond)
		}
		if finals != sure || len(r.office.unsure) > 0 {
			r.fail("%d sets over MQTT, %d not acknowledged, and %d final results: %v", sure, len(r.office.unsure), finals, r.office.results)
		}
	}
	r.leave()
	r.gone.Wait()
	r.house.stop()
	r.watcher.end()
	for _, c := range []*client{r.panel, r.machine, r.director} {
		c.close()
	}
}

func (r *trial) lostBroker() bool {
	return r.script.did("cut", "", brokerLine) || r.script.did("forget", "")
}

// answerMost is the longest that anybody waits for an answer: the room's ten seconds for a command, and what
// the guards may ask before.
const answerMost = 16 * time.Second

// judge looks at what the witnesses have written down.
func (r *trial) judge() {
	for _, b := range r.watcher.broken {
		r.fail("%s", b)
	}
	if r.screen.backward {
		r.fail("the stream of events went back")
	}
	all := r.house.entries(r.fail)
	clients := []*client{r.panel, r.machine, r.director}
	account(all, clients, r.fail)
	for _, c := range clients {
		if a := c.slowest(); a.took > answerMost {
			r.fail("an answer took too long: %s", a)
		}
	}
	// Over MQTT a command may be lost with its broker, but never done twice.
	count := make(map[string]int)
	for _, d := range append(append([]deed(nil), r.office.sure...), r.office.unsure...) {
		count[d.on+" "+d.to]++
	}
	for _, e := range all {
		if e.By.Via == "mqtt" && e.Property != "" {
			what := e.Device + "." + e.Property + " " + e.Value
			if count[what]--; count[what] < 0 {
				r.fail("over MQTT %s was done more often than asked", what)
			}
		}
	}
	for what, n := range count {
		if n > 0 && !r.lostBroker() {
			r.fail("over MQTT %s was asked and is not in the journal", what)
		}
	}
	if !clockCanBeSet { // else the times in the journal say nothing of what came first
		for _, w := range unasked(r.watcher.writes, all) {
			r.fail("%s", w)
		}
	}
	r.t.Logf("%d looks, %d writes, %d entries, %d events, %d results over MQTT", r.watcher.looks, len(r.watcher.writes), len(all), r.screen.events, len(r.office.results))
	if r.watcher.looks < 50 || len(all) == 0 {
		r.fail("the witnesses saw nothing: %d looks, %d entries", r.watcher.looks, len(all))
	}
}
