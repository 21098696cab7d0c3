package meeting

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"
)

// zone turns the time on a clock on the wall into an instant.
type zone struct {
	name   string
	offset func(at time.Time) int // seconds east of Greenwich that hold at an instant
}

func ianaZone(l *time.Location) zone {
	return zone{name: l.String(), offset: func(at time.Time) int { _, off := at.In(l).Zone(); return off }}
}

// instant returns when a clock on the wall shows a time; wall is that time as if it were UTC. Where the
// clock shows it twice, the first counts, and where it skips it, the offset from before the gap does
// (RFC 5545, section 3.3.5).
func (z zone) instant(wall time.Time) time.Time {
	before, after := z.offset(wall.Add(-24*time.Hour)), z.offset(wall.Add(24*time.Hour))
	at := func(off int) time.Time { return wall.Add(-time.Duration(off) * time.Second) }
	var right []time.Time
	for _, off := range []int{before, after} {
		if t := at(off); z.offset(t) == off {
			right = append(right, t)
		}
	}
	if len(right) == 0 {
		return at(before)
	}
	return slices.MinFunc(right, time.Time.Compare)
}

// wall returns what a clock on the wall shows, as if it were UTC.
func (z zone) wall(at time.Time) time.Time {
	return at.UTC().Add(time.Duration(z.offset(at)) * time.Second)
}

// zones finds the zones of one calendar.
type zones struct {
	own     map[string]*ical.Component // VTIMEZONE by TZID
	known   map[string]zone
	room    zone
	horizon window
}

func newZones(cal *ical.Calendar, room *time.Location, w window) *zones {
	z := &zones{own: make(map[string]*ical.Component), known: make(map[string]zone), room: ianaZone(room), horizon: w}
	for _, c := range cal.Children {
		if id := c.Props.Get("TZID"); c.Name == ical.CompTimezone && id != nil {
			z.own[id.Value] = c
		}
	}
	return z
}

// find returns the zone that a calendar calls by a name. Names of the IANA list and of Windows mean what
// those lists say; any other is what the calendar's own VTIMEZONE says.
func (z *zones) find(tzid string) (zone, error) {
	if tzid == "" {
		return z.room, nil
	}
	if found, ok := z.known[tzid]; ok {
		return found, nil
	}
	found, err := z.look(tzid)
	if err != nil {
		return zone{}, err
	}
	z.known[tzid] = found
	return found, nil
}

func (z *zones) look(tzid string) (zone, error) {
	own := z.own[tzid]
	// Evolution and others put a path before the name: /freeassociation.sourceforge.net/Europe/Berlin.
	names := []string{tzid, windowsZones[tzid]}
	if parts := strings.Split(tzid, "/"); strings.HasPrefix(tzid, "/") && len(parts) > 3 {
		names = append(names, strings.Join(parts[len(parts)-2:], "/"), strings.Join(parts[len(parts)-3:], "/"))
	}
	if own != nil {
		if loc := own.Props.Get("X-LIC-LOCATION"); loc != nil {
			names = append(names, loc.Value)
		}
	}
	for _, name := range names {
		if name == "" || name == "Local" {
			continue
		}
		if l, err := time.LoadLocation(name); err == nil {
			return ianaZone(l), nil
		}
	}
	if own != nil {
		return observed(own, z.horizon)
	}
	return zone{}, fmt.Errorf("the time zone %q is on no list and the calendar does not describe it", bounded(tzid, 64))
}

// onset is when an offset begins to hold.
type onset struct {
	at  time.Time
	off int
}

const onsetsMost = 2000

var errZone = errors.New("the calendar describes a time zone that cannot be reckoned")

// observed makes a zone of what a VTIMEZONE says: of all its onsets the latest counts.
func observed(c *ical.Component, w window) (zone, error) {
	var all []onset
	first := 0
	for _, part := range c.Children {
		from, err1 := utcOffset(part.Props.Get("TZOFFSETFROM"))
		to, err2 := utcOffset(part.Props.Get("TZOFFSETTO"))
		start := part.Props.Get("DTSTART")
		if start == nil || errors.Join(err1, err2) != nil {
			return zone{}, errors.Join(errZone, err1, err2)
		}
		wall, err := time.Parse("20060102T150405", strings.TrimSuffix(start.Value, "Z"))
		if err != nil {
			return zone{}, fmt.Errorf("%w: DTSTART %s", errZone, bounded(start.Value, 32))
		}
		walls := []time.Time{wall}
		if rule := part.Props.Get("RRULE"); rule != nil {
			if walls, err = onsets(rule.Value, wall, w); err != nil {
				return zone{}, err
			}
		}
		for _, t := range walls {
			all = append(all, onset{t.Add(-time.Duration(from) * time.Second), to})
		}
		if len(all) > onsetsMost {
			return zone{}, fmt.Errorf("%w: it changes more than %d times", errZone, onsetsMost)
		}
		if part.Name == "STANDARD" || first == 0 {
			first = to
		}
	}
	if len(all) == 0 {
		return zone{}, fmt.Errorf("%w: it has no STANDARD", errZone)
	}
	slices.SortFunc(all, func(a, b onset) int { return a.at.Compare(b.at) })
	return zone{name: "VTIMEZONE", offset: func(at time.Time) int {
		i, found := slices.BinarySearchFunc(all, at, func(o onset, at time.Time) int { return o.at.Compare(at) })
		switch {
		case found:
			return all[i].off
		case i == 0:
			return first
		}
		return all[i-1].off
	}}, nil
}

// onsets lists when a yearly rule of a VTIMEZONE comes round. Exchange lets them begin in 1601.
func onsets(rule string, from time.Time, w window) ([]time.Time, error) {
	o, err := rrule.StrToROption(rule)
	if err != nil || len(rule) > ruleMost || o.Freq != rrule.YEARLY || len(o.Byhour)+len(o.Byminute)+len(o.Bysecond) > 3 {
		return nil, fmt.Errorf("%w: RRULE %s", errZone, bounded(rule, 64))
	}
	o.Dtstart = from
	// Without an end rrule-go stops after 292 years, which is as long as a time.Duration, and before our time.
	if end := w.to.AddDate(2, 0, 0); o.Until.IsZero() || o.Until.After(end) {
		o.Until = end
	}
	r, err := rrule.NewRRule(*o)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errZone, err)
	}
	var list []time.Time
	for next, n := r.Iterator(), 0; n < onsetsMost; n++ {
		t, ok := next()
		if !ok {
			return list, nil
		}
		list = append(list, t)
	}
	return nil, fmt.Errorf("%w: it changes more than %d times", errZone, onsetsMost)
}

// utcOffset reads +0800 or -033000.
func utcOffset(p *ical.Prop) (int, error) {
	if p == nil || len(p.Value) != 5 && len(p.Value) != 7 {
		return 0, errZone
	}
	sign := map[byte]int{'+': 1, '-': -1}[p.Value[0]]
	var n [3]int
	for i := range (len(p.Value) - 1) / 2 {
		a, b := p.Value[1+2*i], p.Value[2+2*i]
		if a < '0' || a > '9' || b < '0' || b > '9' {
			return 0, errZone
		}
		n[i] = int(a-'0')*10 + int(b-'0')
	}
	if sign == 0 || n[0] > 23 || n[1] > 59 || n[2] > 59 {
		return 0, errZone
	}
	return sign * (n[0]*3600 + n[1]*60 + n[2]), nil
}
