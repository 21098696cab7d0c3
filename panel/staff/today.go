package staff

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"lectern/scenes/ledger"
	"lectern/scenes/meeting"
)

// seen is how often a page that is only looked at loads itself again, in seconds.
const seen = 30

// teaDue is the reminder to pour water.
type teaDue struct {
	ID    string
	Since time.Time
}

func (p *Pages) teaDue(now time.Time) *teaDue {
	row, since, due := p.Service.Book.TeaDue(now)
	if !due {
		return nil
	}
	return &teaDue{row.ID, since}
}

func (p *Pages) left(now time.Time) int {
	n := 0
	for _, c := range p.Service.Book.Open(now) {
		n += c.Left()
	}
	return n
}

// reading is what a sensor measures.
type reading struct {
	Device, Text string
	Known        bool
	Wrong        string // the word for what is wrong with it
}

// readings are the temperatures, and whether each is in its band.
func (v *visit) readings() []reading {
	var list []reading
	m := v.p.Cfg.Meetings
	for _, d := range v.p.Cfg.Devices {
		if d.Measures != "temperature" {
			continue
		}
		r := reading{Device: d.ID, Text: v.t("unknown")}
		s, _ := v.p.Room.Get(d.ID, d.Measures)
		band := meeting.BandOf(s, m.Low, m.High)
		if band != meeting.NoBand {
			r.Known, r.Text = true, s.Value.String()+" "+d.Unit
		}
		switch band {
		case meeting.BelowBand:
			r.Wrong = "temperature.low"
		case meeting.AboveBand:
			r.Wrong = "temperature.high"
		}
		list = append(list, r)
	}
	return list
}

// choice is a phase that a meeting can be moved to.
type choice struct {
	Phase meeting.Phase
	Main  bool // what usually comes next
}

func choices(r meeting.Row) []choice {
	switch r.Phase {
	case meeting.Planned:
		return []choice{{meeting.Preparing, true}, {meeting.Session, false}}
	case meeting.Preparing:
		return []choice{{meeting.Session, true}, {meeting.Ended, false}}
	case meeting.Session:
		return []choice{{meeting.Break, false}, {meeting.Ended, true}}
	case meeting.Break:
		return []choice{{meeting.Session, true}, {meeting.Ended, false}}
	}
	return []choice{{meeting.Session, false}}
}

// card is a meeting on the page of the day.
type card struct {
	meeting.Row
	Choices []choice
	Orders  int
}

type todayPage struct {
	Now          time.Time
	Temperatures []reading
	Low, High    int
	Lists        []meeting.Checklist
	Meetings     []card
	Later        []meeting.Row
	Calendar     *meeting.FeedHealth
	Unclosed     int
	Broken       int
}

// today is GET /staff.
func (p *Pages) today(v *visit) {
	now := v.in(time.Now())
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, p.zone)
	d := todayPage{
		Now: now, Temperatures: v.readings(), Low: p.Cfg.Meetings.Low, High: p.Cfg.Meetings.High, Lists: p.Service.Book.Open(now),
		Later:    p.Service.Book.Between(day.AddDate(0, 0, 1), day.AddDate(0, 0, 8)),
		Unclosed: len(p.Service.Orders.List(ledger.Filter{Unclosed: true})), Broken: len(v.broken()),
	}
	d.Later = slices.DeleteFunc(d.Later, func(r meeting.Row) bool { return r.Start.Before(day.AddDate(0, 0, 1)) })
	for _, row := range p.Service.Book.Between(day, day.AddDate(0, 0, 1)) {
		c := card{Row: row, Orders: len(p.Service.Orders.List(ledger.Filter{Meeting: row.ID}))}
		if !row.Cancelled || row.Phase == meeting.Session || row.Phase == meeting.Break {
			c.Choices = choices(row)
		}
		d.Meetings = append(d.Meetings, c)
	}
	if h, ok := p.Service.Book.Health(); ok {
		d.Calendar = &h
	}
	v.show("today", seen, d.page)
}

// wrong answers what is wrong with a form.
func (v *visit) wrong(err error) {
	status, word := http.StatusInternalServerError, "wrong.kept"
	for _, known := range []struct {
		err    error
		status int
		word   string
	}{
		{meeting.ErrNoMeeting, http.StatusNotFound, "wrong.meeting"}, {meeting.ErrWords, http.StatusUnprocessableEntity, "wrong.words"},
		{meeting.ErrPhase, http.StatusConflict, "wrong.phase"}, {meeting.ErrInitials, http.StatusUnprocessableEntity, "wrong.who"},
		{ledger.ErrNoOrder, http.StatusNotFound, "wrong.order"}, {ledger.ErrStep, http.StatusConflict, "wrong.step"},
		{ledger.ErrEmpty, http.StatusUnprocessableEntity, "wrong.empty"}, {ledger.ErrFull, http.StatusInsufficientStorage, "wrong.full"},
	} {
		if errors.Is(err, known.err) {
			status, word = known.status, known.word
		}
	}
	if status == http.StatusInternalServerError {
		v.p.Log.Error("staff wrote something that was not kept", "error", err)
	}
	v.fail(status, word)
}

// whoOr is who fills in a form; where nobody says so the answer is given, and it is "".
func (v *visit) whoOr() string {
	who := v.who()
	if who == "" {
		v.fail(http.StatusUnprocessableEntity, "wrong.who")
	}
	return who
}

// done goes back to where the form stood, or says what is wrong.
func (v *visit) done(err error, to string) {
	if err != nil {
		v.wrong(err)
		return
	}
	v.goTo(to)
}

func (p *Pages) meetingMove(v *visit) {
	if who := v.whoOr(); who != "" {
		v.done(p.Service.Book.Move(v.r.PathValue("id"), meeting.Phase(v.r.PostFormValue("to")), who), "/staff")
	}
}

func (p *Pages) tick(v *visit) {
	who := v.whoOr()
	if who == "" {
		return
	}
	item, err := strconv.Atoi(v.r.PostFormValue("item"))
	off := v.r.PostFormValue("off")
	if err != nil {
		if item, err = strconv.Atoi(off); err != nil {
			item = -1
		}
	} else {
		off = ""
	}
	list := meeting.List(v.r.PostFormValue("list"))
	v.done(p.Service.Book.Tick(v.r.PathValue("id"), list, item, off != "", who), "/staff")
}

func (p *Pages) tea(v *visit) {
	who := v.initials()
	if given := v.who(); given != "" {
		who = given
	}
	v.done(p.Service.Book.Poured(v.r.PathValue("id"), who), back(v.r.PostFormValue("back")))
}

func (p *Pages) note(v *visit) {
	if who := v.whoOr(); who != "" {
		id := v.r.PathValue("id")
		v.done(p.Service.Book.Note(id, v.r.PostFormValue("text"), who), recordPath(id))
	}
}

func (p *Pages) calendar(v *visit) {
	p.Service.Book.Refresh()
	v.goTo("/staff")
}

type formPage struct {
	Meeting meeting.Meeting
	Wrong   string
}

// meetingForm is a meeting to be entered or changed.
func (p *Pages) meetingForm(v *visit) {
	next := v.in(time.Now()).Truncate(time.Hour).Add(time.Hour)
	m := meeting.Meeting{Start: next, End: next.Add(time.Hour)}
	if id := v.r.PathValue("id"); id != "" {
		row, ok := p.Service.Book.Get(id)
		if !ok || !row.ByHand {
			v.fail(http.StatusNotFound, "wrong.meeting")
			return
		}
		m = row.Meeting
	}
	v.show("meeting", 0, formPage{Meeting: m}.page)
}

// meetingEnter takes the form. What is wrong is said above it, with everything that was typed in it.
func (p *Pages) meetingEnter(v *visit) {
	f := v.r.PostFormValue
	who := v.who()
	start, err1 := time.ParseInLocation("2006-01-02T15:04", f("start"), p.zone)
	end, err2 := time.ParseInLocation("2006-01-02T15:04", f("end"), p.zone)
	heads, err3 := strconv.Atoi(f("heads"))
	if f("heads") == "" {
		err3 = nil
	}
	m := meeting.Meeting{
		ID: f("id"), Start: start, End: end, Title: f("title"), Organizer: f("organizer"), Layout: f("layout"), Heads: heads, Needs: f("needs"),
		Place: v.roomName(), Cancelled: f("cancelled") != "", ByHand: true,
	}
	err := errors.Join(err1, err2, err3)
	switch {
	case who == "":
		v.showAs(http.StatusUnprocessableEntity, "meeting", 0, formPage{m, "wrong.who"}.page)
		return
	case err == nil:
		_, err = p.Service.Book.Enter(m, who)
	default:
		err = meeting.ErrWords
	}
	if errors.Is(err, meeting.ErrWords) {
		v.showAs(http.StatusUnprocessableEntity, "meeting", 0, formPage{m, "wrong.words"}.page)
		return
	}
	v.done(err, "/staff")
}
