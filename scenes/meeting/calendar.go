package meeting

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"
)

const (
	eventsMost   = 20_000 // in a calendar
	meetingsMost = 1000   // in the window
	rulesTime    = 5 * time.Second
	ruleMost     = 400     // letters of a rule: each number in it is tried on each day up to the year 9999
	turnsMost    = 100_000 // of one rule, from its beginning to the end of the window
	textMost     = 2000    // bytes of a description
	titleMost    = 200
)

// window is the time of which the meetings are wanted.
type window struct{ from, to time.Time }

// Calendar is what a calendar says of a window of time.
type Calendar struct {
	Meetings []Meeting // by their start
	// Unread counts the events that could not be understood, with the reason of the first. The rest of
	// the calendar holds.
	Unread int
	Why    string
}

// Parse reads a calendar and returns the meetings that touch the time from from to to. Times without a
// zone are those of the room. Where, if any, is a text that the place of a meeting must have in it.
func Parse(text string, room *time.Location, from, to time.Time, where string) (Calendar, error) {
	clean, dropped, err := tidy(text)
	if err != nil {
		return Calendar{}, err
	}
	decoded, err := ical.NewDecoder(strings.NewReader(clean)).Decode()
	if err != nil {
		return Calendar{}, fmt.Errorf("reading the calendar: %w", err)
	}
	w := window{from, to}
	r := &reader{zones: newZones(decoded, room, w), window: w, until: time.Now().Add(rulesTime)}
	if dropped > 0 {
		r.fault(fmt.Errorf("%d lines are malformed", dropped))
	}
	events, err := r.events(decoded)
	if err != nil {
		return Calendar{}, err
	}
	for _, list := range events {
		if err := r.series(list); err != nil {
			return Calendar{}, err
		}
	}
	found := slices.DeleteFunc(r.found.Meetings, func(m Meeting) bool { return where != "" && !strings.Contains(m.Place, where) })
	slices.SortFunc(found, func(a, b Meeting) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	r.found.Meetings = found
	return r.found, nil
}

// reader reads one calendar.
type reader struct {
	zones  *zones
	window window
	until  time.Time // when it has taken too long
	found  Calendar
}

func (r *reader) fault(err error) {
	if r.found.Unread++; r.found.Why == "" {
		r.found.Why = bounded(err.Error(), 200)
	}
}

// event is one VEVENT.
type event struct {
	uid       string
	sequence  int
	start     time.Time // on the clock on the wall, as if it were UTC
	long      time.Duration
	dayLong   int // days, of an event that lasts whole days
	zone      zone
	allDay    bool
	instead   time.Time // the occurrence that it stands for, as an instant
	isInstead bool
	props     ical.Props
}

func (e event) at(wall time.Time) (start, end time.Time) {
	start = e.zone.instant(wall)
	if e.dayLong > 0 { // days are as long as the clock makes them
		return start, e.zone.instant(wall.AddDate(0, 0, e.dayLong))
	}
	return start, start.Add(e.long)
}

// events reads the events of a calendar, those of one UID together.
func (r *reader) events(cal *ical.Calendar) (map[string][]event, error) {
	all := make(map[string][]event)
	n := 0
	for _, c := range cal.Children {
		if c.Name != ical.CompEvent {
			continue
		}
		if n++; n > eventsMost {
			return nil, fmt.Errorf("the calendar has more than %d events", eventsMost)
		}
		e, err := r.event(c.Props)
		if err != nil {
			r.fault(err)
			continue
		}
		all[e.uid] = append(all[e.uid], e)
	}
	return all, nil
}

func (r *reader) event(p ical.Props) (event, error) {
	e := event{props: p}
	if uid := p.Get("UID"); uid != nil && uid.Value != "" {
		e.uid = uid.Value
	} else {
		return e, errors.New("an event has no UID")
	}
	if s := p.Get("SEQUENCE"); s != nil {
		e.sequence, _ = strconv.Atoi(s.Value)
	}
	start, err := r.moment(p.Get("DTSTART"))
	if err != nil {
		return e, fmt.Errorf("event %s: DTSTART: %w", bounded(e.uid, 40), err)
	}
	e.start, e.zone, e.allDay = start.wall, start.zone, start.day
	switch end, duration := p.Get("DTEND"), p.Get("DURATION"); {
	case end != nil:
		last, err := r.moment(end)
		if err != nil {
			return e, fmt.Errorf("event %s: DTEND: %w", bounded(e.uid, 40), err)
		}
		if e.long = last.instant().Sub(start.instant()); e.allDay {
			e.dayLong = max(1, int(last.wall.Sub(start.wall)/(24*time.Hour)))
		}
	case duration != nil:
		if e.long, err = duration.Duration(); err != nil {
			return e, fmt.Errorf("event %s: DURATION %s", bounded(e.uid, 40), bounded(duration.Value, 20))
		}
		if e.allDay {
			e.dayLong = max(1, int(e.long/(24*time.Hour)))
		}
	case e.allDay:
		e.dayLong = 1
	}
	const longest = 60 * 24 * time.Hour
	if e.long < 0 || e.long > longest || e.dayLong > 60 {
		return e, fmt.Errorf("event %s: it ends before it begins, or lasts more than 60 days", bounded(e.uid, 40))
	}
	if id := p.Get("RECURRENCE-ID"); id != nil {
		m, err := r.moment(id)
		if err != nil {
			return e, fmt.Errorf("event %s: RECURRENCE-ID: %w", bounded(e.uid, 40), err)
		}
		e.instead, e.isInstead = m.instant(), true
	}
	return e, nil
}

// moment is a time as a calendar writes it.
type moment struct {
	wall time.Time
	zone zone
	day  bool
}

func (m moment) instant() time.Time { return m.zone.instant(m.wall) }

func (r *reader) moment(p *ical.Prop) (moment, error) {
	if p == nil {
		return moment{}, errors.New("it is missing")
	}
	return r.read(p, p.Value)
}

// read reads 20261124, 20261124T090000 or 20261124T090000Z.
func (r *reader) read(p *ical.Prop, value string) (moment, error) {
	var m moment
	var err error
	switch {
	case len(value) == 8:
		m.day, m.zone = true, r.zones.room
		m.wall, err = time.Parse("20060102", value)
	case strings.HasSuffix(value, "Z"):
		m.zone = ianaZone(time.UTC)
		m.wall, err = time.Parse("20060102T150405Z", value)
	default:
		if m.zone, err = r.zones.find(p.Params.Get("TZID")); err != nil {
			return m, err
		}
		m.wall, err = time.Parse("20060102T150405", value)
	}
	if err != nil || m.wall.Year() < 1970 || m.wall.Year() > 2200 {
		return m, fmt.Errorf("%q is no time", bounded(value, 32))
	}
	return m, nil
}

// series adds what the events of one UID put into the window: the rule's occurrences, those taken out,
// and those that stand for another.
func (r *reader) series(list []event) error {
	instead := make(map[int64]event) // by the instant of the occurrence
	var master *event
	for i, e := range list {
		if !e.isInstead {
			if master == nil || e.sequence >= master.sequence {
				master = &list[i]
			}
		} else if before, twice := instead[e.instead.Unix()]; !twice || e.sequence >= before.sequence {
			instead[e.instead.Unix()] = e
		}
	}
	if master != nil {
		if time.Now().After(r.until) {
			return fmt.Errorf("the calendar's rules take more than %v to reckon", rulesTime)
		}
		walls, err := r.occurrences(*master)
		if err != nil {
			r.fault(fmt.Errorf("event %s: %w", bounded(master.uid, 40), err))
		}
		for _, wall := range walls {
			start, end := master.at(wall)
			if _, moved := instead[start.Unix()]; moved {
				continue
			}
			if err := r.add(*master, start, start, end); err != nil {
				return err
			}
		}
	}
	for _, e := range instead {
		start, end := e.at(e.start)
		if err := r.add(e, e.instead, start, end); err != nil {
			return err
		}
	}
	return nil
}

// occurrences lists the times on the wall at which an event begins, as its rule, RDATE and EXDATE say.
// They are reckoned on the wall and not as instants: nine o'clock stays nine o'clock when the clocks change.
func (r *reader) occurrences(e event) ([]time.Time, error) {
	walls := []time.Time{e.start}
	var fault error
	if rule := e.props.Get("RRULE"); rule != nil {
		made, err := r.rule(e, rule.Value)
		if err != nil {
			fault = err // what the event itself says holds all the same
		} else {
			walls = made
		}
	}
	for _, p := range e.props.Values("RDATE") {
		for value := range strings.SplitSeq(p.Value, ",") {
			value, _, _ = strings.Cut(value, "/") // of a period its start
			m, err := r.read(&p, value)
			if err != nil {
				fault = err
				continue
			}
			walls = append(walls, e.zone.wall(m.instant()))
		}
	}
	out, days := make(map[int64]bool), make(map[int64]bool)
	for _, p := range e.props.Values("EXDATE") {
		for value := range strings.SplitSeq(p.Value, ",") {
			m, err := r.read(&p, value)
			if err != nil {
				fault = err
				continue
			}
			out[m.instant().Unix()] = true
			if m.day { // it takes out what begins on it, as some write who mean just that
				days[m.wall.Unix()] = true
			}
		}
	}
	walls = slices.DeleteFunc(walls, func(wall time.Time) bool {
		return out[e.zone.instant(wall).Unix()] || days[wall.Truncate(24*time.Hour).Unix()]
	})
	slices.SortFunc(walls, time.Time.Compare)
	return slices.CompactFunc(walls, time.Time.Equal), fault
}

var errRule = errors.New("its rule repeats more often than meetings do")

// rule reckons a rule up to the end of the window.
func (r *reader) rule(e event, text string) ([]time.Time, error) {
	if len(text) > ruleMost {
		return nil, fmt.Errorf("its rule has more than %d letters", ruleMost)
	}
	o, err := rrule.StrToROption(untilAsWritten(text))
	if err != nil {
		return nil, fmt.Errorf("RRULE %s: %w", bounded(text, 80), err)
	}
	times := max(1, len(o.Byhour)) * max(1, len(o.Byminute)) * max(1, len(o.Bysecond))
	if o.Freq > rrule.DAILY || times > 24 {
		return nil, errRule
	}
	o.Dtstart = e.start
	end := e.zone.wall(r.window.to)
	o.Until = end
	if until, ok, err := r.last(e, text); err != nil {
		return nil, err
	} else if ok && until.Before(end) {
		o.Until = until
	}
	made, err := rrule.NewRRule(*o)
	if err != nil {
		return nil, fmt.Errorf("RRULE %s: %w", bounded(text, 80), err)
	}
	from := e.zone.wall(r.window.from.Add(-e.long)).AddDate(0, 0, -e.dayLong-1)
	var walls []time.Time
	for next, n := made.Iterator(), 0; n < turnsMost; n++ {
		t, ok := next()
		if !ok || t.After(o.Until) {
			return walls, nil
		}
		if !t.Before(from) {
			walls = append(walls, t)
		}
	}
	return nil, errRule
}

var untilPart = regexp.MustCompile(`(?i)(^|;)UNTIL=([^;]*)`)

// untilAsWritten takes the end out of a rule, which is reckoned here: it may be an instant, a day, or a
// time on the wall.
func untilAsWritten(rule string) string {
	return strings.TrimPrefix(untilPart.ReplaceAllString(rule, ""), ";")
}

// last returns the last time on the wall at which a rule may put the event.
func (r *reader) last(e event, rule string) (wall time.Time, ok bool, err error) {
	m := untilPart.FindStringSubmatch(rule)
	if m == nil {
		return time.Time{}, false, nil
	}
	switch at := m[2]; {
	case len(at) == 8:
		if wall, err = time.Parse("20060102", at); err == nil {
			wall = wall.Add(24*time.Hour - time.Second)
		}
	case strings.HasSuffix(at, "Z"):
		var instant time.Time
		if instant, err = time.Parse("20060102T150405Z", at); err == nil {
			wall = e.zone.wall(instant)
		}
	default:
		wall, err = time.Parse("20060102T150405", at)
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("UNTIL %s is no time", bounded(m[2], 32))
	}
	return wall, true, nil
}

// add adds a meeting that touches the window.
func (r *reader) add(e event, name, start, end time.Time) error {
	if !start.Before(r.window.to) || end.Before(r.window.from) {
		return nil
	}
	if len(r.found.Meetings) >= meetingsMost {
		return fmt.Errorf("the calendar has more than %d meetings from %s to %s", meetingsMost, r.window.from.Format(time.DateOnly), r.window.to.Format(time.DateOnly))
	}
	m := Meeting{ID: key(e.uid, name), Start: start, End: end, AllDay: e.allDay}
	e.words(&m)
	r.found.Meetings = append(r.found.Meetings, m)
	return nil
}
