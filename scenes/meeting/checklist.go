package meeting

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"lectern/devices"
)

// List names a checklist.
type List string

// The checklists: before a meeting, which is gone through twice, and after it.
const (
	Prepare60 List = "prepare-60"
	Prepare30 List = "prepare-30"
	Closing   List = "closing"
)

// Lists lists them in their order.
func Lists() []List { return []List{Prepare60, Prepare30, Closing} }

// lead is how long before the start a list opens by itself.
func (l List) lead() time.Duration {
	return map[List]time.Duration{Prepare60: 60 * time.Minute, Prepare30: 30 * time.Minute}[l]
}

// closingTime is how long after a meeting its closing checklist is asked for.
const closingTime = 12 * time.Hour

// Tick is one item of a checklist, ticked by a person.
type Tick struct {
	List List   `json:"list"`
	Item int    `json:"item"` // counted from 0
	Text string `json:"text"` // what was ticked, as it was called then
	Off  bool   `json:"off,omitempty"`
}

// Item is an item of a checklist as it stands.
type Item struct {
	Name devices.Phrase
	By   string // whose initials stand there; "" while it is open
	At   time.Time
}

// Checklist is a checklist of a meeting.
type Checklist struct {
	Meeting Row
	List    List
	Items   []Item
	Opens   time.Time // by itself
}

// Left counts the items that nobody has ticked.
func (c Checklist) Left() int {
	n := 0
	for _, i := range c.Items {
		if i.By == "" {
			n++
		}
	}
	return n
}

func (b *Book) items(l List) []devices.Phrase {
	if l == Closing {
		return b.Closing
	}
	return b.Prepare
}

// Checklist returns a checklist of a meeting as it stands.
func (b *Book) Checklist(id string, l List) (Checklist, bool) {
	row, ok := b.Get(id)
	if !ok || !slices.Contains(Lists(), l) {
		return Checklist{}, false
	}
	c := Checklist{Meeting: row, List: l, Opens: row.Start.Add(-l.lead())}
	for _, name := range b.items(l) {
		c.Items = append(c.Items, Item{Name: name})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if l == Closing {
		c.Opens = time.Time{}
		if row.Phase == Ended {
			c.Opens = row.Since
		}
	}
	for _, e := range b.byID[id] {
		if e.Kind != KindTick || e.Tick == nil || e.Tick.List != l || e.Tick.Item >= len(c.Items) {
			continue
		}
		if item := &c.Items[e.Tick.Item]; e.Tick.Off {
			item.By, item.At = "", time.Time{}
		} else {
			item.By, item.At = e.By, e.Time
		}
	}
	return c, true
}

// Open lists the checklists that are open by themselves now: those before a meeting 60 and 30 minutes
// before it until it begins, that after it until it is done.
func (b *Book) Open(now time.Time) []Checklist {
	var open []Checklist
	for _, row := range b.Between(now.Add(-back), now.Add(2*time.Hour)) {
		if row.AllDay || row.Cancelled && row.Phase == Planned {
			continue
		}
		for _, l := range Lists() {
			c, _ := b.Checklist(row.ID, l)
			before := l != Closing && row.Phase.rank() < Session.rank() && !now.Before(c.Opens) && now.Before(row.End)
			after := l == Closing && row.Phase == Ended && now.Sub(row.Since) < closingTime && c.Left() > 0
			if before || after {
				open = append(open, c)
			}
		}
	}
	return open
}

// Tick ticks an item, or takes the tick back, by the initials of a person.
func (b *Book) Tick(id string, l List, item int, off bool, by string) error {
	by = strings.TrimSpace(by)
	items := b.items(l)
	if by == "" || utf8.RuneCountInString(by) > 20 || !slices.Contains(Lists(), l) || item < 0 || item >= len(items) {
		return ErrInitials
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m, ok := b.all()[id]
	if !ok {
		return ErrNoMeeting
	}
	if err := b.keep(m, by); err != nil {
		return err
	}
	return b.write(Entry{Kind: KindTick, By: by, ID: id, Tick: &Tick{List: l, Item: item, Text: items[item].ZH + " / " + items[item].EN, Off: off}})
}

// TeaDue says whether staff should pour water now, and since when.
func (b *Book) TeaDue(now time.Time) (Row, time.Time, bool) {
	row, ok := b.Now()
	if !ok || row.Phase != Session || b.Tea <= 0 {
		return Row{}, time.Time{}, false
	}
	last := row.Since
	b.mu.Lock()
	for _, e := range b.byID[row.ID] {
		if e.Kind == KindTea && e.Time.After(last) {
			last = e.Time
		}
	}
	b.mu.Unlock()
	due := last.Add(b.Tea)
	return row, due, !now.Before(due)
}

// Poured notes that water was poured.
func (b *Book) Poured(id, by string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.all()[id]; !ok {
		return ErrNoMeeting
	}
	return b.write(Entry{Kind: KindTea, By: by, ID: id})
}

// Note writes a remark to a meeting's record.
func (b *Book) Note(id, text, by string) error {
	if text = clean(text, textMost); text == "" {
		return ErrWords
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m, ok := b.all()[id]
	if !ok {
		return ErrNoMeeting
	}
	if err := b.keep(m, by); err != nil {
		return err
	}
	return b.write(Entry{Kind: KindNote, By: by, ID: id, Text: text})
}
