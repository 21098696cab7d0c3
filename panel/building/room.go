package building

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lectern/devices"
)

// Bounds of what one room may have here. A lecture hall has forty nodes and a description of 20 KiB.
const (
	descriptionMost = 256 << 10 // bytes
	nodesMost       = 256
	valuesMost      = 256
	nameMost        = 60 // characters
	textMost        = 200
	idMost          = 64
	listMost        = 12 // alerts and running scenes that are shown
)

// silentAfter is how long a room that says ready may say nothing: it tells its uptime every minute.
const silentAfter = 150 * time.Second

// lecternRoom is the type of the Homie devices that are rooms; others on the broker are none of ours.
const lecternRoom = "lectern-room"

// room is what one room has said.
type room struct {
	id     string
	listed bool // it stands on a floor
	index  int  // in the order of the floors; after all of them where it stands on none

	state   string // of Homie; "" where none was heard
	since   time.Time
	seen    bool      // since is when it changed, and not when it was first heard of
	round   int       // in which the state was heard
	ours    bool      // its description says that it is a room of ours
	foreign bool      // it says that it is something else
	heard   time.Time // when it last said anything

	nodes  map[string]node
	scenes map[string]string // names by id
	values map[string]value  // by topic below the room

	view     View
	revision uint64
}

// node is one of the description.
type node struct{ name, kind string }

// value is one payload, and in which round of gathering it was heard.
type value struct {
	text  string
	round int
}

// kept lists the properties of the controller and the service that are shown.
var kept = []string{
	"controller/version", "controller/started", "controller/uptime", "controller/lines-down", "controller/devices-offline", "controller/last-error",
	"controller/maintenance", "controller/maintenance-until", "controller/orders-unclosed",
	"service/name-zh", "service/name-en", "service/phase", "service/calls", "service/source-zh", "service/source-en",
}

// keeps reports whether a topic below a room is one that the page shows something of.
func keeps(below string) bool {
	first, second, ok := strings.Cut(below, "/")
	if !ok || !isID(second) {
		return false
	}
	switch {
	case first == "$alert" || first == "scenes":
		return true
	case first == "controller" || first == "service":
		return slices.Contains(kept, below)
	}
	return isID(first) && (second == "power" || second == "temperature" || second == "band")
}

// isID reports whether a part of a topic is an id of Homie.
func isID(s string) bool {
	return s != "" && len(s) <= idMost && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// isState reports whether a payload is a state of Homie.
func isState(s string) bool {
	return slices.Contains([]string{"init", "ready", "disconnected", "sleeping", "lost"}, s)
}

// clean makes a text from outside one that can be shown: no control characters, nothing that turns the
// direction of what stands beside it, and not too long.
func clean(s string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			continue
		}
		if n++; n > most {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// described is what is read of a $description.
type described struct {
	Homie string `json:"homie"`
	Name  string `json:"name"`
	Type  string `json:"type"`
	Nodes map[string]struct {
		Name       string `json:"name"`
		Type       string `json:"type"`
		Properties map[string]struct {
			Name string `json:"name"`
		} `json:"properties"`
	} `json:"nodes"`
}

// describe takes over a description. It reports whether it is one.
func (r *room) describe(payload []byte) bool {
	var d described
	if len(payload) > descriptionMost || json.Unmarshal(payload, &d) != nil || !strings.HasPrefix(d.Homie, "5.") {
		return false
	}
	r.ours, r.foreign = d.Type == lecternRoom, d.Type != lecternRoom
	r.nodes, r.scenes = make(map[string]node), make(map[string]string)
	if r.foreign {
		return true
	}
	r.nodes[""] = node{name: clean(d.Name, nameMost)}
	for _, id := range slices.Sorted(maps.Keys(d.Nodes)) {
		n := d.Nodes[id]
		if !isID(id) || len(r.nodes) > nodesMost {
			continue
		}
		r.nodes[id] = node{clean(n.Name, nameMost), clean(n.Type, nameMost)}
		if id != "scenes" {
			continue
		}
		for scene, p := range n.Properties {
			if isID(scene) && len(r.scenes) < nodesMost {
				r.scenes[scene] = clean(p.Name, nameMost)
			}
		}
	}
	return true
}

func (r *room) text(topic string) string { return clean(r.values[topic].text, textMost) }

// count reads a number of things; what is none is 0.
func (r *room) count(topic string) int {
	n, err := strconv.Atoi(r.values[topic].text)
	if err != nil || n < 0 || n > 9999 {
		return 0
	}
	return n
}

// both reads a text that stands in two topics, one for each language.
func (r *room) both(topic string) devices.Phrase {
	return devices.Phrase{ZH: clean(r.values[topic+"-zh"].text, nameMost), EN: clean(r.values[topic+"-en"].text, nameMost)}
}

// started is when the room's controller was started; zero where it has not said.
func (r *room) started() time.Time {
	at, err := time.Parse(time.RFC3339, r.values["controller/started"].text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// lastSign is when the room told its uptime the last time, to the minute. It needs no clock of the
// broker's: it is what the room itself said.
func (r *room) lastSign(now time.Time) (at time.Time, ok bool) {
	up, err := strconv.ParseInt(r.values["controller/uptime"].text, 10, 64)
	began := r.started()
	if err != nil || began.IsZero() || up < 0 || up > int64(time.Since(time.Unix(0, 0))/time.Second) {
		return time.Time{}, false
	}
	at = began.Add(time.Duration(up) * time.Second)
	return at, !at.After(now)
}
