package staff

import (
	"net/http"
	"strings"
	"time"

	"lectern/devices/line"
	"lectern/scenes/check"
	"lectern/scenes/meeting"
	"lectern/scenes/notify"
)

// condition is a device, or a line, as staff want to know it.
type condition struct {
	ID, Name string
	State    string // the word: ok, offline, fault, unfed, old, asking
	Bad      bool
	Since    time.Time
	Why      string // in plain words
	Do       string // what to do
	Detail   string // for engineering
	Order    string // an unclosed repair order
}

// conditions are those of every device, in the order of the room file.
func (v *visit) conditions() []condition {
	var list []condition
	for _, d := range v.p.Room.State().Devices {
		c := condition{ID: d.Device, Name: v.device(d.Device), Since: d.Since, State: "ok"}
		fault, _ := v.p.Room.Get(d.Device, "fault")
		switch {
		case !d.Fed:
			c.State = "unfed"
		case !d.Online && d.Error == "":
			c.State = "asking"
		case !d.Online:
			c.State, c.Bad = "offline", true
			c.Why, c.Do, c.Detail = v.plain(d.Error)
		case !fault.Value.IsZero() && fault.Value.String() != "":
			c.State, c.Bad, c.Since = "fault", true, fault.Since
			c.Why, c.Do = fault.Value.String(), v.t("do.fault")
		}
		list = append(list, c)
	}
	order := make(map[string]int)
	for i, d := range v.p.Cfg.Devices {
		order[d.ID] = i + 1
	}
	sortBy(list, func(c condition) int {
		at := order[c.ID]
		if at == 0 {
			at = len(order) + 1
		}
		if !c.Bad {
			at += 10_000
		}
		return at
	})
	return list
}

// broken are the devices with something wrong.
func (v *visit) broken() []condition {
	var bad []condition
	for _, c := range v.conditions() {
		if c.Bad {
			bad = append(bad, c)
		}
	}
	return bad
}

// plain says an error of the wire in plain words, and what a person in the room can do about it.
func (v *visit) plain(text string) (why, do, detail string) {
	kind := "error.other"
	for _, k := range []struct{ part, kind string }{
		{"no reply", "error.silent"}, {"no such file", "error.port"}, {"not connected", "error.port"}, {"refused", "error.network"},
		{"unreachable", "error.network"}, {"no route", "error.network"}, {"timeout", "error.network"}, {"down", "error.port"},
	} {
		if strings.Contains(text, k.part) {
			kind = k.kind
			break
		}
	}
	return v.t(kind), v.t("do." + strings.TrimPrefix(kind, "error.")), text
}

type lampHours struct {
	Device       string
	Hours, Limit int
	Over         bool
	Percent      int
}

type usedHours struct {
	Source string
	Month  time.Duration
	All    time.Duration
}

type healthPage struct {
	Now          time.Time
	Temperatures []reading
	Low, High    int
	Devices      []condition
	Lines        []condition
	Lamps        []lampHours
	Used         []usedHours
	Notices      []notify.Health
}

// health is GET /staff/health.
func (p *Pages) health(v *visit) {
	now := v.in(time.Now())
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, p.zone)
	d := healthPage{Now: now, Temperatures: v.readings(), Low: p.Cfg.Meetings.Low, High: p.Cfg.Meetings.High, Devices: v.conditions(), Notices: p.Service.Notices.Health()}
	for i := range d.Devices {
		d.Devices[i].Order = p.unclosed(d.Devices[i].ID)
	}
	for _, l := range p.lines() {
		h := l.Health()
		c := condition{ID: h.Line, Name: h.Line, State: "ok", Since: h.Since}
		if !h.Up {
			c.State, c.Bad = "offline", true
			c.Why, c.Do, c.Detail = v.plain(h.Error)
		}
		d.Lines = append(d.Lines, c)
		for _, u := range h.Units {
			if u.Unit == "" {
				continue // it is alone on its line
			}
			one := condition{ID: h.Line + " " + u.Unit, Name: h.Line + " · " + u.Unit, State: "ok", Since: u.Heard}
			if u.Silent {
				one.State, one.Bad = "offline", true
				one.Why, one.Do, one.Detail = v.plain(u.Error)
			}
			d.Lines = append(d.Lines, one)
		}
	}
	for _, dev := range p.Cfg.Devices {
		if s, ok := p.Room.Get(dev.ID, "lamp"); ok && !s.Value.IsZero() {
			hours := s.Value.Int()
			d.Lamps = append(d.Lamps, lampHours{dev.ID, hours, p.Cfg.Meetings.Lamp, hours > p.Cfg.Meetings.Lamp, min(100, hours*100/p.Cfg.Meetings.Lamp)})
		}
	}
	for _, src := range p.Cfg.Sources {
		d.Used = append(d.Used, usedHours{src.ID, p.Service.Book.Used(src.ID, month, now), p.Service.Book.Used(src.ID, time.Time{}, now)})
	}
	v.show("health", seen, d.page)
}

type checkView struct {
	check.State
	Empty  bool
	Sensor bool
	Failed int
}

// checkPage is GET /staff/check.
func (p *Pages) checkPage(v *visit) {
	s := p.Service.Check.State()
	refresh := 0
	if s.Running {
		refresh = 2
	}
	c := checkView{State: s, Empty: p.Service.Check.Empty(), Sensor: p.Service.Check.Sees()}
	for _, f := range s.Found {
		if f.Result == "failed" {
			c.Failed++
		}
	}
	v.show("check", refresh, c.page)
}

// checkStart is the one press.
func (p *Pages) checkStart(v *visit) {
	who := v.whoOr()
	if who == "" {
		return
	}
	exercise := v.r.PostFormValue("exercise") != ""
	if exercise && v.r.PostFormValue("empty") == "" {
		v.fail(http.StatusConflict, "wrong.empty-room")
		return
	}
	switch err := p.Service.Check.Start(exercise, who); err {
	case nil, check.ErrRunning: //nolint:errorlint // our own, unwrapped
		v.goTo("/staff/check")
	case check.ErrPeople: //nolint:errorlint // our own, unwrapped
		v.fail(http.StatusConflict, "wrong.people")
	default:
		v.fail(http.StatusServiceUnavailable, "wrong.starting")
	}
}

// result is the word for what a check found of a device.
func result(f meeting.Found) string {
	if f.Result == "ok" && f.Moved {
		return "check.moved"
	}
	return "check." + f.Result
}

// lines lists the lines as they are now.
func (p *Pages) lines() []*line.Line {
	if p.Lines == nil {
		return nil
	}
	return p.Lines()
}
