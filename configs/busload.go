package configs

import (
	"fmt"
	"math"
	"time"
)

// busyMost is how many per cent of a serial line polls may take. What is left is for people, for the
// reading back of what they set, and for units that do not answer.
const busyMost = 70

// LineLoad is how busy the polls of a room keep a serial line.
type LineLoad struct {
	Line    string `json:"line"`
	Baud    int    `json:"baud"`
	Percent int    `json:"percent"` // of the time, rounded up; more than 100 cannot be done
	// Least says that it is more than that: of some of the drivers nobody has said how long their
	// frames are.
	Least bool `json:"least,omitempty"`
}

// String returns "line bus: polls take 27 % of its time at 9600 baud".
func (l LineLoad) String() string {
	least := ""
	if l.Least {
		least = "at least "
	}
	return fmt.Sprintf("line %s: polls take %s%d %% of its time at %d baud", l.Line, least, l.Percent, l.Baud)
}

// Loads reckons how busy the serial lines of a checked room are, as far as the drivers on them tell.
func Loads(r *Room, cat Catalogue) []LineLoad {
	var loads []LineLoad
	for _, l := range r.Lines {
		if load, ok := loadOf(r, l, cat); ok {
			loads = append(loads, load)
		}
	}
	return loads
}

func loadOf(r *Room, l Line, cat Catalogue) (load LineLoad, ok bool) {
	if l.Kind != "serial" || l.Baud <= 0 {
		return load, false // how fast the wire behind a gateway is, nobody here knows
	}
	load = LineLoad{Line: l.ID, Baud: l.Baud}
	type rate struct {
		driver string
		every  time.Duration
	}
	var rates []rate
	polled := make(map[rate][]any) // the settings of devices that are asked at the same time
	hang := func(driver, line string, settings any, every time.Duration) {
		if line != l.ID || every <= 0 {
			return
		}
		d, known := cat.Driver(driver)
		if !known || d.Poll == nil || settings == nil {
			load.Least = true
			return
		}
		ok = true
		at := rate{driver, every}
		if polled[at] == nil {
			rates = append(rates, at)
		}
		polled[at] = append(polled[at], settings)
	}
	for _, d := range r.Devices {
		hang(d.Driver, d.Line, d.Settings, d.Poll)
		if d.Relays != nil {
			hang(d.Relays.Up.Driver, d.Relays.Up.Line, d.Relays.Up.Settings, d.Poll)
			hang(d.Relays.Down.Driver, d.Relays.Down.Line, d.Relays.Down.Settings, d.Poll)
		}
	}
	busy := 0.0
	for _, at := range rates {
		d, _ := cat.Driver(at.driver)
		for _, f := range d.Poll(polled[at]) {
			busy += float64(l.takes(f)) / float64(at.every)
		}
	}
	load.Percent = int(math.Ceil(100 * busy))
	return load, ok
}

// takes is how long an exchange occupies the line: the two frames, and a silence after each. The
// silence after a request is the unit's; it is reckoned with the least that a unit may take.
func (l Line) takes(f Frames) time.Duration {
	silence := l.character() * 7 / 2
	return l.character()*time.Duration(f.Asked+f.Answered) + silence + max(silence, l.Gap)
}

// character is how long one character takes on the wire.
func (l Line) character() time.Duration {
	bits := 10
	if formatPattern.MatchString(l.Format) {
		bits = 1 + int(l.Format[0]-'0') + int(l.Format[2]-'0')
		if l.Format[1] != 'N' {
			bits++
		}
	}
	return time.Duration(bits) * time.Second / time.Duration(l.Baud)
}
