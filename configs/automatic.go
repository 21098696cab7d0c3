package configs

import "time"

// Scheduled is something that happens at a time of day, by the room's own clock.
type Scheduled struct {
	ID       string         `yaml:"id" need:"*" doc:"a-z, 0-9 and -"`
	Name     Name           `yaml:"name" doc:"as people say it; default the id"`
	At       Words          `yaml:"at" doc:"time of day, 24 hours, quoted: \"07:30\"; or a list of them"`
	Days     []string       `yaml:"days" doc:"days of the week: mon, tue, wed, thu, fri, sat, sun; left out, every day"`
	Also     []string       `yaml:"also" doc:"dates on which it comes beside the days, holiday or not: a Saturday that is worked"`
	Cron     string         `yaml:"cron" doc:"in place of at, days and also, what they cannot say: minute, hour, day of month, month, day of week"`
	Holidays string         `yaml:"holidays" enum:"skip,run,only" default:"skip" doc:"whether it comes on holidays"`
	Set      map[string]any `yaml:"set" doc:"device.property: value"`
	Run      string         `yaml:"run" doc:"a scene to run"`
	Pos      Pos            `yaml:"-"`
}

// AutoOff ends a meeting that nobody is in any more.
type AutoOff struct {
	ID        string        `yaml:"id" need:"*" doc:"a-z, 0-9 and -"`
	Name      Name          `yaml:"name" doc:"as people say it; default the id"`
	Presence  []string      `yaml:"presence" doc:"the presence sensors; the room is empty when all of them say so"`
	Absent    time.Duration `yaml:"absent" least:"1m" most:"24h" doc:"how long the sensors must have seen nobody"`
	Untouched time.Duration `yaml:"untouched" least:"1m" most:"24h" doc:"how long nobody must have touched a panel or called the API"`
	Showing   time.Duration `yaml:"showing" least:"5m" most:"24h" default:"2h" doc:"how long after the last touch or presence a source on the screen counts as being watched"`
	From      string        `yaml:"from" doc:"time of day from which it acts, quoted: \"18:00\"; left out, at any time"`
	To        string        `yaml:"to" doc:"time of day until which it acts; default 06:00 where there is from"`
	Warn      time.Duration `yaml:"warn" least:"10s" most:"30m" default:"2m" doc:"how long the panels ask before it acts"`
	Run       string        `yaml:"run" need:"*" doc:"the scene to run, such as the one that ends a meeting"`
	Pos       Pos           `yaml:"-"`
}

// Emergency is what a contact of the building makes the room do, whoever wants otherwise.
type Emergency struct {
	When   map[string]Words `yaml:"when" need:"*" doc:"one sensor that measures contact, with the value that means alarm: fire-alarm.contact: on"`
	Set    map[string]any   `yaml:"set" need:"*" doc:"device.property: value; done at once and kept while the alarm lasts"`
	Reason Name             `yaml:"reason" need:"*" doc:"what every panel says while it lasts"`
	Pos    Pos              `yaml:"-"`
}

// Span is a run of days, both of them in it, as 2027-02-05: such texts are in order of time.
type Span struct{ First, Last string }

// Has reports whether a day, written alike, is in the span.
func (s Span) Has(day string) bool { return s.First <= day && day <= s.Last }
