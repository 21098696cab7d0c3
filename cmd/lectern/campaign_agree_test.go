package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"lectern/scenes/journal"
)

// panelState is what GET /api/v1/state says.
type panelState struct {
	Revision   uint64
	Properties []panelProperty
	Devices    []struct {
		Device      string
		Online, Fed bool
		Error       string
	}
	Lines []struct {
		Line  string
		Up    bool
		Error string
	}
	Runs []sceneRun
}

type panelProperty struct {
	Device, Property string
	Value            any
	Quality          string
	Target           any
	Locks            []struct{ Values []any }
}

func (p panelProperty) name() string { return p.Device + "." + p.Property }

func (c *client) state() (s panelState) {
	reply, err := c.http.Get(c.url + "/api/v1/state")
	if err != nil {
		c.fail("reading the state: %v", err)
		return s
	}
	defer reply.Body.Close()
	if err := json.NewDecoder(reply.Body).Decode(&s); err != nil || reply.StatusCode != http.StatusOK {
		c.fail("reading the state: %d %v", reply.StatusCode, err)
	}
	return s
}

// expected says what the panel must show of a property when all is healed, by what the equipment really
// does: the value, and the qualities that it may have. It knows the demo room and not the daemon.
func expected(name string, truth map[string]string, s scenario) (values []string, quality []string) {
	device, property, _ := strings.Cut(name, ".")
	reported, unknown := []string{"reported"}, []string{"unknown"}
	mains := map[string]string{
		"projector": "rack-projector", "matrix": "rack-matrix", "sound-computer1": "rack-matrix", "sound-computer2": "rack-matrix",
		"sound-recorder": "rack-matrix", "dvd": "rack-player", "recorder": "rack-recorder",
	}[device]
	if mains != "" && truth[mains+".power"] == "false" {
		return []string{""}, unknown
	}
	switch {
	case property == "level":
		percent, _ := strconv.Atoi(truth[device+".percent"]) //nolint:errcheck // the simulator's own
		return []string{levelOf(percent)}, reported
	case device == "screen" && property == "motion":
		return []string{"stop"}, reported
	case device == "screen" && property == "position":
		return nil, []string{"assumed", "unknown"}
	case device == "screen":
		return nil, reported
	case property == "position":
		if s.did("cut", "mains-loss") { // a motor that has lost its mains does not know where it is until an end
			return []string{truth[name], ""}, []string{"reported", "unknown"}
		}
		return []string{truth[name]}, reported
	case name == "projector.input" && truth["projector.power"] != "on", name == "projector.lamp" && truth["projector.power"] != "on":
		return []string{""}, unknown
	case name == "projector.input":
		return []string{map[bool]string{true: "hdmi1", false: "other"}[truth[name] == "30"]}, reported
	case name == "projector.remaining":
		return []string{"0"}, []string{"assumed"}
	case name == "projector.fault" && s.did("cut", "no-lamp") && truth["projector.power"] == "off":
		return []string{"", "START: the lamp did not light"}, reported // it was told so, and stands until the next start
	case name == "projector.fault":
		return []string{""}, reported
	case name == "matrix.projector":
		return []string{route(truth)}, reported
	case device == "dvd" && truth["dvd.transport"] == "standby" && property != "transport":
		return []string{truth[name], ""}, []string{"reported", "stale", "unknown"} // it does not tell in standby
	case name == "temperature.temperature":
		return []string{truth["temperature.value"]}, reported
	case name == "sources.selected":
		return selected(truth)
	}
	return []string{truth[name]}, reported
}

// route is which input the matrix really shows.
func route(truth map[string]string) string {
	return map[string]string{"": "none", "1": "dvd", "2": "recorder", "3": "computer1", "4": "computer2", "5": "computer3"}[truth["matrix.1"]]
}

// selected is what choosing a source must look like: known where both its parts are.
func selected(truth map[string]string) (values, quality []string) {
	switch {
	case truth["rack-projector.power"] == "false" || truth["rack-matrix.power"] == "false" || truth["projector.power"] != "on":
		return nil, []string{"unknown", "reported"}
	case truth["projector.input"] != "30":
		return []string{"none"}, []string{"reported"}
	}
	return []string{route(truth)}, []string{"reported"}
}

// differences lists where the panel does not show what is.
func (s panelState) differences(truth map[string]string, of scenario) (list []string) {
	off := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, p := range s.Properties {
		values, qualities := expected(p.name(), truth, of)
		shown := ""
		if p.Value != nil {
			shown = fmt.Sprint(p.Value)
		}
		if values != nil && !slices.ContainsFunc(values, func(v string) bool { return near(p.name(), v, shown) }) {
			off("%s shows %q, is %q", p.name(), shown, values)
		}
		if !slices.Contains(qualities, p.Quality) {
			off("%s is %s, not %v", p.name(), p.Quality, qualities)
		}
		if p.Target != nil {
			off("%s still waits for %v", p.name(), p.Target)
		}
		if p.name() == "rack-projector.power" {
			safe := truth["projector.power"] == "off" && truth["rack-projector.power"] == "true"
			if locked := len(p.Locks) > 0; locked == safe {
				off("the guard of the projector's mains shows locked %t with the lamp %s", locked, truth["projector.power"])
			}
		}
	}
	for _, d := range s.Devices {
		if d.Fed && !d.Online {
			off("%s is not online: %s", d.Device, d.Error)
		}
	}
	for _, l := range s.Lines {
		if !l.Up {
			off("line %s is down: %s", l.Line, l.Error)
		}
	}
	for _, r := range s.Runs {
		if r.State == "running" || r.State == "unwinding" || r.State == "asking" {
			off("scene %s is %s", r.Scene, r.State)
		}
	}
	if truth["projector.power"] == "warming" || truth["projector.power"] == "cooling" {
		off("the projector is %s yet", truth["projector.power"])
	}
	for _, c := range curtainIDs {
		if truth[c+".motion"] != "stop" {
			off("%s is on its way yet", c)
		}
	}
	if truth["screen-up.power"] == "true" || truth["screen-down.power"] == "true" {
		off("the screen is on its way yet")
	}
	sort.Strings(list)
	return list
}

// near reports whether a value shown is a true one. The simulated temperature wanders by 0.6 degrees to
// either side, faster here than it is read.
func near(name, truth, shown string) bool {
	if name != "temperature.temperature" {
		return truth == shown
	}
	a, err := strconv.ParseFloat(truth, 64)
	b, wrong := strconv.ParseFloat(shown, 64)
	return err == nil && wrong == nil && math.Abs(a-b) < 1.3
}

// onBroker lists where the broker does not show what the panel shows.
func (s panelState) onBroker(o *office) (list []string) {
	for _, p := range s.Properties {
		shown, ok := o.says(p.Device + "/" + p.Property)
		want := ""
		if p.Value != nil {
			want = fmt.Sprint(p.Value)
		}
		if want == "" && p.Property == "fault" && p.Quality != "unknown" {
			want = "\x00" // the convention's empty text
		}
		if (ok || want != "") && shown != want && !near(p.name(), want, shown) {
			list = append(list, fmt.Sprintf("on the broker %s is %q, on the panel %q", p.name(), shown, want))
		}
	}
	return list
}

// entries reads the whole journal from its file.
func (h *house) entries(fail func(string, ...any)) []journal.Entry { return entriesIn(h.data, fail) }

// entriesIn is for a daemon that has ended: it has its database for itself.
func entriesIn(folder string, fail func(string, ...any)) (all []journal.Entry) {
	j := journal.Open(folder, slog.New(slog.DiscardHandler))
	defer j.Close()
	for f := (journal.Filter{Most: journal.MostRead}); ; {
		page, err := j.Read(context.Background(), f)
		if err != nil {
			fail("reading the journal: %v", err)
		}
		if all = append(all, page...); err != nil || len(page) < journal.MostRead {
			break
		}
		f.Before = page[len(page)-1].Seq
	}
	slices.Reverse(all)
	for i, e := range all {
		if e.Seq != uint64(i)+1 {
			fail("entry %d of the journal has the number %d", i+1, e.Seq)
			break
		}
	}
	return all
}

// diary is the journal as people read it.
func (h *house) diary() string {
	var b strings.Builder
	for _, e := range h.entries(func(string, ...any) {}) {
		fmt.Fprintf(&b, "%s %s: %s %s%s.%s %s %s (%s)\n", e.Time.Format("05.000"), e.By, e.Outcome, e.Scene, e.Device, e.Property, e.Value, e.Detail, e.Took.Round(time.Millisecond))
	}
	return b.String()
}

// account holds the journal against what the callers were told: each command exactly once, with the
// outcome that its caller heard.
func account(all []journal.Entry, clients []*client, fail func(string, ...any)) {
	count := make(map[string]int)
	for _, c := range clients {
		for _, a := range c.asked {
			if a.outcome != "" {
				count[fmt.Sprintf("%s %s.%s %s: %s", a.by, a.device, a.property, a.value, a.outcome)]++
			}
		}
		for _, s := range c.started {
			count[fmt.Sprintf("%s scene %s started", c.name, s)]++
		}
	}
	open := make(map[string]int)
	for _, e := range all {
		if e.Step != 0 {
			continue // of a scene, which counts as a whole
		}
		by := strings.TrimSuffix(e.By.Via+" "+e.By.Name, " system")
		by = strings.TrimSuffix(by, " main")
		if e.Scene != "" {
			switch e.Outcome {
			case "started":
				open[e.Scene]++
				if slices.ContainsFunc(clients, func(c *client) bool { return c.name == by }) {
					count[fmt.Sprintf("%s scene %s started", by, e.Scene)]--
				}
			case "finished", "failed", "cancelled", "undone", "skipped":
				open[e.Scene]--
			}
			continue
		}
		part := by == "panel" && (e.Device == "projector" && e.Property == "input" || e.Device == "matrix") // of a source
		if slices.ContainsFunc(clients, func(c *client) bool { return c.name == by }) && e.Property != "" && !part {
			count[fmt.Sprintf("%s %s.%s %s: %s", by, e.Device, e.Property, e.Value, e.Outcome)]--
		}
	}
	for what, n := range count {
		if n != 0 {
			fail("the journal has %d entries too few of: %s", n, what)
		}
	}
	for scene, n := range open {
		if n != 0 {
			fail("%d runs of %s began and did not end in the journal", n, scene)
		}
	}
}

// unasked lists the writes that no command in the journal stands for. Retries and read-backs belong to
// their command; opening a motor's contacts belongs to the motion that it ends.
func unasked(writes []write, all []journal.Entry) (list []string) {
	for _, w := range writes {
		if !slices.ContainsFunc(all, func(e journal.Entry) bool { return w.follows(e) }) && !w.isStart(all) {
			list = append(list, fmt.Sprint("nobody asked for ", w))
		}
	}
	return list
}

const (
	wireDelay = 3 * time.Second  // that a byte may wait in a port before the equipment reads it: a late reply is longer than the next request waits
	keptFor   = 10 * time.Second // after the answer, where it was accepted: a lamp's transition, a long way
)

// follows reports whether a write may come of a command.
func (w write) follows(e journal.Entry) bool {
	if w.at.Before(e.Time.Add(-time.Millisecond)) {
		return false
	}
	until := e.Time.Add(e.Took + wireDelay)
	if e.Outcome == "accepted" {
		until = until.Add(keptFor)
	}
	if w.device == "screen-up" || w.device == "screen-down" {
		way := strings.TrimPrefix(w.device, "screen-")
		return e.Device == "screen" && (w.value == "false" || w.at.Before(until) && (e.Property == "position" || e.Value == way))
	}
	if w.property == "motion" && e.Property == "position" && e.Device == w.device { // the ends are reached by open and close
		return e.Value == map[string]string{"up": "100", "down": "0"}[w.value] && w.at.Before(until)
	}
	return e.Device == w.device && e.Property == w.property && (w.value == e.Value || w.value == "*" || e.Property == "volume" && beside(w.value, e.Value)) && w.at.Before(until)
}

// beside reports whether two volumes are the same to a fader.
func beside(a, b string) bool {
	x, _ := strconv.Atoi(a) //nolint:errcheck // 0 is what an empty number means
	y, _ := strconv.Atoi(b) //nolint:errcheck // as above
	return x-y <= 1 && y-x <= 1
}

// isStart reports whether a write is the start limit of a volume, which the room file asks for when the
// equipment has come up.
func (w write) isStart(all []journal.Entry) bool {
	came := func(e journal.Entry) bool {
		return e.Time.Before(w.at) && (e.Outcome == "online" && e.Device == w.device || strings.HasPrefix(e.Device, "rack-") && e.Value == "true")
	}
	return w.property == "volume" && w.value == "40" && slices.ContainsFunc(all, came)
}

var (
	tie   = regexp.MustCompile(`([1-5])\*1!`)
	fader = regexp.MustCompile(`\x1bD([1-6])\*(-?\d+)GRPM\r`)
)

// readMatrix finds ties and faders in what comes to the matrix.
func readMatrix(b []byte) (found []write, used int) {
	const longest = 24
	for _, m := range tie.FindAllSubmatchIndex(b, -1) {
		input := map[string]string{"1": "dvd", "2": "recorder", "3": "computer1", "4": "computer2", "5": "computer3"}[string(b[m[2]:m[3]])]
		found, used = append(found, write{device: "matrix", property: "projector", value: input}), max(used, m[1])
	}
	for _, m := range fader.FindAllSubmatchIndex(b, -1) {
		group, _ := strconv.Atoi(string(b[m[2]:m[3]]))  //nolint:errcheck // digits
		tenths, _ := strconv.Atoi(string(b[m[4]:m[5]])) //nolint:errcheck // digits
		w := write{device: []string{"sound-computer1", "sound-computer2", "sound-recorder"}[(group-1)/2], property: "volume"}
		if w.value = fmt.Sprint(int(math.Round(float64(tenths+600) / 6))); group%2 == 0 {
			w.property, w.value = "mute", fmt.Sprint(tenths != 0)
		}
		found, used = append(found, w), max(used, m[1])
	}
	return found, max(used, len(b)-longest)
}
