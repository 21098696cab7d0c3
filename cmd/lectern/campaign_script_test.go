package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// deed is one thing that happens in a run of the campaign.
type deed struct {
	at  time.Duration // after the start; never earlier
	who string        // a caller, or "fault"
	do  string        // set, scene, cancel, decide, hold; cut, heal, nudge, forget
	on  string        // device.property, scene, line or device
	to  string
}

func (d deed) String() string {
	return fmt.Sprintf("%5dms %-8s %s %s %s", d.at.Milliseconds(), d.who, d.do, d.on, d.to)
}

// scenario is all that happens in a run, and comes from the seed alone.
type scenario struct {
	seed    uint64
	powered bool // the rack is on at the start
	lit     bool // and the projector
	deeds   []deed
}

func (s scenario) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: rack on %t, projector on %t\n", s.seed, s.powered, s.lit)
	for _, d := range s.deeds {
		fmt.Fprintln(&b, d)
	}
	return b.String()
}

// did reports whether a deed was done to one of those named, whose value begins so.
func (s scenario) did(do, to string, on ...string) bool {
	return slices.ContainsFunc(s.deeds, func(d deed) bool {
		return d.do == do && strings.HasPrefix(d.to, to) && (len(on) == 0 || slices.Contains(on, d.on))
	})
}

// The lines of the demo room with the broker of the facilities, and how they fail. A flood is short: it
// takes a processor for itself.
var (
	cutLines   = []string{"bus", "rack", "projector", "player", "matrix", "recorder", brokerLine}
	lineFaults = []string{"unplug", "unplug", "silence", "garbage", "late=40ms", "late=300ms", "late=900ms", "flood"}
	curtainIDs = []string{"door-curtain", "rear-curtain", "floor-curtain"}
)

// deviceFaults are those of the equipment itself, by one device of those that fail together.
var deviceFaults = map[string][]string{
	"projector":    {"nak", "no-lamp", "overheat", "abnormal"},
	"rack-matrix":  {"nak", "stuck-1", "stuck-5", "refuse-3", "refuse-5", "refuse-6"},
	"door-lights":  {"nak", "silent-unit-1", "silent-unit-2", "silent-unit-3", "silent-unit-5", "stuck-unit-1", "stuck-unit-2", "stuck-unit-3"},
	"door-curtain": {"nak", "jammed", "mains-loss"},
	"matrix":       {"nak", "busy", "restart"},
	"dvd":          {"nak", "no-disc", "restart"},
	"recorder":     {"nak", "no-media", "remote-disabled", "refused"},
}

// settable is what callers set, with the values; numbers as "#most".
var settable = []struct {
	name   string
	values []string
}{
	{"spot-1.level", []string{"off", "low", "mid", "high", "full"}},
	{"spot-2.level", []string{"off", "low", "mid", "high", "full", "dazzling"}},
	{"spot-3.level", []string{"off", "full"}},
	{"spot-4.level", []string{"low", "mid"}},
	{"door-lights.power", []string{"true", "false"}},
	{"wall-lights.power", []string{"true", "false", "perhaps"}},
	{"window-lights.power", []string{"true", "false"}},
	{"door-curtain.motion", []string{"up", "stop", "down"}},
	{"rear-curtain.motion", []string{"up", "stop", "down"}},
	{"floor-curtain.motion", []string{"up", "stop", "down"}},
	{"door-curtain.position", []string{"#100"}},
	{"rear-curtain.position", []string{"#100"}},
	{"screen.motion", []string{"up", "stop", "down"}},
	{"screen.motion", []string{"up", "down"}},
	{"screen.position", []string{"#100"}},
	{"projector.power", []string{"on", "off"}},
	{"projector.power", []string{"on", "off"}},
	{"projector.input", []string{"hdmi1"}},
	{"rack-projector.power", []string{"false", "false", "true"}},
	{"rack-projector.power", []string{"false", "true"}},
	{"rack-matrix.power", []string{"true", "false"}},
	{"rack-player.power", []string{"true", "false"}},
	{"rack-amplifier.power", []string{"true", "false"}},
	{"matrix.projector", []string{"dvd", "recorder", "computer1", "computer2", "computer3"}},
	{"sources.selected", []string{"dvd", "recorder", "computer1", "computer2", "computer3"}},
	{"sound-computer1.volume", []string{"#85", "#100"}},
	{"sound-computer2.volume", []string{"#85"}},
	{"sound-recorder.mute", []string{"true", "false"}},
	{"dvd.transport", []string{"play", "pause", "stop", "forward", "back", "next"}},
	{"dvd.volume", []string{"#90"}},
	{"dvd.mute", []string{"true", "false"}},
	{"recorder.transport", []string{"play", "stop", "forward", "back", "next"}},
}

var sceneIDs = []string{"system-on", "system-off", "lights-on", "lights-off", "presentation", "end-meeting"}

// callers are those who command, all at once. What a source sets is entered in the journal as set by
// who chose it; so that entries can be counted, nobody both chooses sources and sets what they set.
var callers = map[string]func(*rand.Rand) deed{
	"panel":    func(r *rand.Rand) deed { return setting(r, "projector.input", "matrix.projector") },
	"machine":  func(r *rand.Rand) deed { return setting(r, "sources.selected") },
	"mqtt":     func(r *rand.Rand) deed { return setting(r, "sources.selected") },
	"director": directing,
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// setting makes a wish for a property, and at the panel sometimes a finger on a scene's button.
func setting(r *rand.Rand, not ...string) deed {
	if slices.Contains(not, "projector.input") && r.IntN(8) == 0 {
		return deed{do: "hold", on: pick(r, sceneIDs[:2]), to: fmt.Sprint(10 + r.IntN(100))}
	}
	for {
		p := pick(r, settable)
		if slices.Contains(not, p.name) {
			continue
		}
		to := pick(r, p.values)
		var most int
		if _, err := fmt.Sscanf(to, "#%d", &most); err == nil {
			to = fmt.Sprint(r.IntN(most + 1))
		}
		return deed{do: "set", on: p.name, to: to}
	}
}

// directing plays scenes, breaks them off and answers what they ask.
func directing(r *rand.Rand) deed {
	switch r.IntN(8) {
	case 0:
		return deed{do: "cancel", on: pick(r, sceneIDs)}
	case 1, 2:
		return deed{do: "decide", on: pick(r, sceneIDs[:2]), to: pick(r, []string{"retry", "skip", "unwind", "stop"})}
	}
	return deed{do: "scene", on: pick(r, sceneIDs)}
}

// compose makes the script of a seed.
func compose(seed uint64) scenario {
	r := rand.New(rand.NewPCG(seed, 2026))
	s := scenario{seed: seed, powered: r.IntN(4) > 0}
	s.lit = s.powered && r.IntN(2) == 0
	span := int64(1200 + r.IntN(1000))
	soon := func() time.Duration { return time.Duration(r.Int64N(span)) * time.Millisecond }
	for _, who := range []string{"panel", "machine", "mqtt", "director"} { // in order: a map has none
		most := 18
		if who == "director" {
			most = 6
		}
		for range 4 + r.IntN(most) {
			d := callers[who](r)
			d.who, d.at = who, soon()
			s.deeds = append(s.deeds, d)
		}
	}
	for range 2 + r.IntN(5) {
		s.fault(r, soon())
	}
	for range r.IntN(4) {
		on, to := pick(r, []string{"door-lights.power", "wall-lights.power"}), pick(r, []string{"true", "false"})
		if r.IntN(2) == 0 {
			on, to = pick(r, curtainIDs)+".motion", pick(r, []string{"up", "stop", "down"})
		}
		s.deeds = append(s.deeds, deed{at: soon(), who: "fault", do: "nudge", on: on, to: to})
	}
	if clockCanBeSet {
		s.clocks()
	}
	slices.SortStableFunc(s.deeds, func(a, b deed) int { return cmp.Compare(a.at, b.at) })
	return s
}

// fault adds something that breaks, and its healing.
func (s *scenario) fault(r *rand.Rand, at time.Duration) {
	d := deed{at: at, who: "fault", do: "cut"}
	lasts := 50 + r.IntN(900)
	switch r.IntN(5) {
	case 0, 1:
		on := slices.Sorted(func(yield func(string) bool) {
			for id := range deviceFaults {
				if !yield(id) {
					return
				}
			}
		})
		d.on = pick(r, on)
		d.to = pick(r, deviceFaults[d.on])
	case 2:
		if r.IntN(2) == 0 {
			s.deeds = append(s.deeds, deed{at: at, who: "fault", do: "forget", on: brokerLine})
			return
		}
		fallthrough
	default:
		d.on = pick(r, cutLines)
		if d.to = pick(r, lineFaults); d.to == "flood" {
			lasts = 50 + r.IntN(100)
		}
		if d.on == brokerLine && d.to == "flood" {
			d.to = "unplug"
		}
	}
	s.deeds = append(s.deeds, d, deed{at: at + time.Duration(lasts)*time.Millisecond, who: "fault", do: "heal", on: d.on})
}
