package build

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/automatic"
	"lectern/scenes/emergency"
	"lectern/scenes/schedule"
	"lectern/scenes/vacancy"
)

// named is a name that may be left out.
func named(n configs.Name, id string) devices.Phrase {
	if n == (configs.Name{}) {
		return devices.Phrase{ZH: id, EN: id}
	}
	return phrase(n)
}

func (b *builder) zone() *time.Location {
	zone, err := time.LoadLocation(b.cfg.Room.Timezone)
	if err != nil || b.cfg.Room.Timezone == "" {
		return time.Local
	}
	return zone
}

// board lists what the room does by itself, in the order of the room file.
func (b *builder) board() []automatic.Thing {
	var all []automatic.Thing
	for _, s := range b.cfg.Schedule {
		all = append(all, automatic.Thing{Kind: automatic.Schedule, ID: s.ID, Name: named(s.Name, s.ID)})
	}
	for _, r := range b.cfg.Rules {
		all = append(all, automatic.Thing{Kind: automatic.Rule, ID: r.ID, Name: named(r.Name, r.ID)})
	}
	for _, a := range b.cfg.AutoOff {
		all = append(all, automatic.Thing{Kind: automatic.AutoOff, ID: a.ID, Name: named(a.Name, a.ID)})
	}
	return all
}

func (b *builder) schedule() []schedule.Entry {
	zone := b.zone()
	resting := func(day string) bool {
		return slices.ContainsFunc(b.cfg.Resting, func(s configs.Span) bool { return s.Has(day) })
	}
	var entries []schedule.Entry
	for _, s := range b.cfg.Schedule {
		where := "schedule " + s.ID
		when := schedule.When{Zone: zone, Extra: func(day string) bool { return slices.Contains(s.Also, day) }}
		switch s.Holidays {
		case "run":
		case "only":
			when.Skip = func(day string) bool { return !resting(day) }
		default:
			when.Skip = resting
		}
		days := "*"
		if len(s.Days) > 0 {
			days = strings.Join(s.Days, ",")
		}
		lines := []string{s.Cron}
		if s.Cron == "" {
			lines = nil
		}
		for _, at := range s.At {
			hour, minute, _ := strings.Cut(fmt.Sprint(at), ":")
			lines = append(lines, fmt.Sprintf("%s %s * * %s", minute, hour, days))
			if len(s.Also) > 0 {
				when.Also = append(when.Also, b.line(where, fmt.Sprintf("%s %s * * *", minute, hour)))
			}
		}
		for _, line := range lines {
			when.Lines = append(when.Lines, b.line(where, line))
		}
		entries = append(entries, schedule.Entry{ID: s.ID, Name: named(s.Name, s.ID), When: when, Set: wishes(b, where, s.Set), Run: s.Run})
	}
	return entries
}

func (b *builder) line(where, text string) cron.Schedule {
	line, err := configs.Fields(text)
	if err != nil {
		b.faults = append(b.faults, fmt.Errorf("%s: %q: %w", where, text, err))
	}
	return line
}

func (b *builder) vacancy() *vacancy.Watch {
	w := &vacancy.Watch{Players: make(map[string]string), Zone: b.zone(), Log: b.o.Log}
	for _, a := range b.cfg.AutoOff {
		w.Entries = append(w.Entries, vacancy.Entry{
			ID: a.ID, Name: named(a.Name, a.ID), Presence: a.Presence, Absent: a.Absent, Untouched: a.Untouched,
			Showing: a.Showing, From: a.From, To: a.To, Warn: a.Warn, Run: a.Run,
		})
	}
	for _, d := range b.cfg.Devices {
		switch d.Kind {
		case "projector":
			w.Screens = append(w.Screens, d.ID)
		case "recorder":
			w.Recorders = append(w.Recorders, d.ID)
		}
	}
	for _, s := range b.sources() {
		if !slices.Contains(w.Choosers, s.On) {
			w.Choosers = append(w.Choosers, s.On)
		}
	}
	for _, s := range b.cfg.Sources {
		if s.Player != "" {
			w.Players[s.ID] = s.Player
		}
	}
	return w
}

// emergency is nil where the room file has none.
func (b *builder) emergency() *emergency.Emergency {
	e := b.cfg.Emergency
	if e == nil {
		return nil
	}
	made := &emergency.Emergency{Set: wishes(b, "emergency", e.Set), Reason: phrase(e.Reason), Journal: b.o.Journal, Log: b.o.Log}
	for _, m := range b.matches("emergency", e.When) {
		made.Contact = m
	}
	return made
}
