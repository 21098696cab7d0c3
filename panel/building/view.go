package building

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/meeting"
)

// Standing is how a room stands, in one word.
type Standing string

// The standings, in the order in which they want somebody. Silent is a room that says it is ready and has
// said nothing for long; Stopped one that has said goodbye; Gone one that stands on no floor and was not
// heard of for very long.
const (
	Called   Standing = "called"  // somebody in it asked for help and nobody has answered
	Lost     Standing = "lost"    // the broker's last will of it
	Silent   Standing = "silent"  //
	Missing  Standing = "missing" // it stands on a floor, and the broker knows nothing of it
	Faulty   Standing = "faulty"  // lines down, devices offline
	Stopped  Standing = "stopped" //
	Ordered  Standing = "ordered" // repair orders are open
	Starting Standing = "starting"
	Served   Standing = "served"  // people work on it: what fails is no news
	Unknown  Standing = "unknown" // what the broker keeps is still on its way
	Well     Standing = "well"
	Gone     Standing = "gone"
)

// Standings lists the standings, those that want somebody most first.
func Standings() []Standing {
	return []Standing{Called, Lost, Silent, Missing, Faulty, Stopped, Ordered, Starting, Served, Unknown, Well, Gone}
}

func (s Standing) rank() int { return slices.Index(Standings(), s) }

// Wants reports whether somebody should see to the room.
func (s Standing) Wants() bool { return s.rank() < Starting.rank() }

// away reports whether nothing that the room said can be taken for how it is.
func (s Standing) away() bool {
	return s == Lost || s == Silent || s == Missing || s == Stopped || s == Gone || s == Unknown
}

// View is a room as the page shows it.
type View struct {
	ID       string
	Name     devices.Phrase
	Link     string
	Standing Standing
	Since    time.Time // zero where nobody knows
	About    bool      // Since is to the minute, from what the room last said
	// LastKnown says that the page cannot see whether it is still so: the broker is away.
	LastKnown bool

	Phase        meeting.Phase // of the meeting that has the room
	Projectors   []Projector   // those that are on, or on their way
	Source       devices.Phrase
	Scenes       []string  // that run
	Temperatures []float64 // lowest first
	Cold, Warm   bool      // against the band that the room is to be kept in
	Until        time.Time // of maintenance
	Alerts       []Alert
	More         int // alerts that are not among them
	Lines        int // down
	Offline      int // devices
	Orders       int
	Calls        int
	Error        string // the last one, over or not
	Version      string
	Started      time.Time

	index int
	floor int // -1 for none
}

// Projector is one that is not off.
type Projector struct{ Name, State string }

// Alert is what is wrong with a device or line, in the words of the room.
type Alert struct{ Name, Text string }

// Busy reports whether people use the room, as far as one can see from here.
func (v View) Busy() bool {
	return !v.Standing.away() && (v.Phase == meeting.Session || v.Phase == meeting.Break || len(v.Projectors) > 0)
}

// look makes the view of a room.
func (b *board) look(r *room, now time.Time) View {
	v := View{
		ID: r.id, Link: b.cfg.LinkOf(r.id), LastKnown: !b.link.Gathered, index: r.index, floor: -1,
		Lines: r.count("controller/lines-down"), Offline: r.count("controller/devices-offline"), Error: r.text("controller/last-error"),
		Version: r.text("controller/version"), Started: r.started(),
		Orders: r.count("controller/orders-unclosed"), Calls: r.count("service/calls"), Source: r.both("service/source"),
	}
	if phase := meeting.Phase(r.values["service/phase"].text); slices.Contains(meeting.Phases(), phase) {
		v.Phase = phase
	}
	v.Name = b.name(r)
	if at, ok := b.floors[r.id]; ok {
		v.floor = at
	}
	r.equipment(&v)
	v.Standing, v.Since, v.About = b.standing(r, &v, now)
	return v
}

// name is what the building calls the room, or the room itself, or its id.
func (b *board) name(r *room) devices.Phrase {
	if one := b.cfg.Listed(r.id); one != nil && one.Name != (configs.Name{}) {
		return devices.Phrase(one.Name)
	}
	if name := r.both("service/name"); name != (devices.Phrase{}) {
		return name
	}
	if name := r.nodes[""].name; name != "" {
		return devices.Phrase{ZH: name, EN: name}
	}
	return devices.Phrase{ZH: r.id, EN: r.id}
}

// equipment tells what is on, how warm it is and what is wrong.
func (r *room) equipment(v *View) {
	for topic, val := range r.values {
		first, second, _ := strings.Cut(topic, "/")
		switch {
		case first == "$alert":
			name := r.nodes[second].name
			if name == "" {
				name = second
			}
			v.Alerts = append(v.Alerts, Alert{name, clean(val.text, textMost)})
		case first == "scenes":
			name := r.scenes[second]
			if name != "" && slices.Contains([]string{"waiting", "running", "asking", "unwinding"}, val.text) {
				v.Scenes = append(v.Scenes, name)
			}
		case second == "power" && r.nodes[first].kind == "projector":
			if slices.Contains([]string{"on", "warming", "cooling"}, val.text) {
				v.Projectors = append(v.Projectors, Projector{r.nodes[first].name, val.text})
			}
		case second == "band" && r.nodes[first].kind == "sensor":
			v.Cold, v.Warm = v.Cold || val.text == "below", v.Warm || val.text == "above"
		case second == "temperature" && r.nodes[first].kind == "sensor":
			if t, err := strconv.ParseFloat(val.text, 64); err == nil && t > -100 && t < 100 {
				v.Temperatures = append(v.Temperatures, t)
			}
		}
	}
	slices.Sort(v.Temperatures)
	slices.Sort(v.Scenes)
	slices.SortFunc(v.Projectors, func(a, b Projector) int { return strings.Compare(a.Name+a.State, b.Name+b.State) })
	slices.SortFunc(v.Alerts, func(a, b Alert) int { return strings.Compare(a.Name+a.Text, b.Name+b.Text) })
	if len(v.Alerts) > listMost {
		v.Alerts, v.More = v.Alerts[:listMost], len(v.Alerts)-listMost
	}
	v.Scenes, v.Projectors = v.Scenes[:min(len(v.Scenes), listMost)], v.Projectors[:min(len(v.Projectors), listMost)]
	v.Temperatures = v.Temperatures[:min(len(v.Temperatures), listMost)]
}

// standing says how a room stands and since when.
func (b *board) standing(r *room, v *View, now time.Time) (s Standing, since time.Time, about bool) {
	at := func(s Standing) (Standing, time.Time, bool) {
		if r.seen {
			return s, r.since, false
		}
		if sign, ok := r.lastSign(now); ok && s.away() {
			return s, sign, true
		}
		return s, time.Time{}, false
	}
	switch r.state {
	case "":
		if !b.link.Gathered {
			return Unknown, time.Time{}, false
		}
		return Missing, time.Time{}, false
	case "lost", "disconnected", "sleeping":
		s, since, about = at(Lost)
		if r.state != "lost" {
			s = Stopped
		}
		if !r.listed && !since.IsZero() && now.Sub(since) > b.cfg.Panel.Gone {
			s = Gone
		}
		return s, since, about
	case "init":
		return at(Starting)
	}
	switch {
	case b.link.Up && now.Sub(r.heard) > silentAfter:
		// A retained "ready" may be older than this page: only what the room itself last said tells.
		if sign, ok := r.lastSign(now); ok {
			since, about = sign, true
		}
		if !r.listed && about && now.Sub(since) > b.cfg.Panel.Gone {
			return Gone, since, about
		}
		return Silent, since, about
	case v.Calls > 0:
		return Called, time.Time{}, false
	case r.values["controller/maintenance"].text == "true":
		v.Until, _ = time.Parse(time.RFC3339, r.values["controller/maintenance-until"].text)
		return Served, time.Time{}, false
	case v.Lines+v.Offline > 0 || len(v.Alerts) > 0:
		return Faulty, time.Time{}, false
	case v.Orders > 0:
		return Ordered, time.Time{}, false
	}
	return Well, time.Time{}, false
}
