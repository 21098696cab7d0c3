// Package automatic keeps in view and in hand what a room does by itself: each entry of the schedule,
// each rule, each auto-off - whether it is switched on, when it acts next, when it last did and what
// became of it. What is switched off stays so over a restart.
package automatic

import (
	"fmt"
	"log/slog"
	"sort"
	"strings"
	"sync"
	"time"

	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

// The kinds of what a room does by itself.
const (
	Schedule = "schedule"
	Rule     = "rule"
	AutoOff  = "auto_off"
)

// Missed is the outcome of what was due while the clock jumped over it.
const Missed = "missed"

// Kept is what is remembered of one thing over a restart.
type Kept struct {
	Off     bool           `json:"off,omitempty"`
	Last    time.Time      `json:"last,omitzero"`
	Outcome string         `json:"outcome,omitempty"`
	Reason  devices.Phrase `json:"reason,omitzero"`
}

// Store keeps what is to outlive the daemon, by "kind id". Its errors are told and stop nothing.
type Store interface {
	Load() (map[string]Kept, error)
	Save(map[string]Kept) error
}

// Board is the list of it all. Its methods may be called from any goroutine.
type Board struct {
	room    *room.Room
	store   Store
	journal *journal.Journal
	log     *slog.Logger

	mu    sync.Mutex
	kept  map[string]Kept
	all   map[string]*room.Automatic
	order []string
	turn  chan struct{} // closed when something is switched
}

// New makes a board and reads what an earlier life left; store may be nil for nothing kept.
func New(r *room.Room, store Store, j *journal.Journal, log *slog.Logger) *Board {
	b := &Board{
		room: r, store: store, journal: j, log: log,
		kept: make(map[string]Kept), all: make(map[string]*room.Automatic), turn: make(chan struct{}),
	}
	if store == nil {
		return b
	}
	kept, err := store.Load()
	if err != nil {
		// Unknown is not off: what cannot be read is as the room file says, and that is told.
		log.Error("what was switched off of the schedule, rules and auto-off cannot be read; all of it is on", "error", err)
	}
	for name, k := range kept {
		b.kept[name] = k
	}
	return b
}

func key(kind, id string) string { return kind + " " + id }

// Add puts something on the board, as it was left.
func (b *Board) Add(kind, id string, name devices.Phrase) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.kept[key(kind, id)]
	a := &room.Automatic{Kind: kind, ID: id, Name: name, On: !k.Off, Last: k.Last, Outcome: k.Outcome, Reason: k.Reason}
	b.all[key(kind, id)] = a
	b.order = append(b.order, key(kind, id))
	b.room.PostAutomatic(*a)
}

// Thing is something that the room does by itself, as the room file names it.
type Thing struct {
	Kind, ID string
	Name     devices.Phrase
}

// Replace puts other things on the board in the place of those there are. What was on it stays as it is,
// with when it acts next; what is new, or back, is as it was left. What has gone is still remembered.
func (b *Board) Replace(things []Thing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.all
	b.all, b.order = make(map[string]*room.Automatic), nil
	for _, t := range things {
		name := key(t.Kind, t.ID)
		a := before[name]
		if a == nil {
			k := b.kept[name]
			a = &room.Automatic{Kind: t.Kind, ID: t.ID, On: !k.Off, Last: k.Last, Outcome: k.Outcome, Reason: k.Reason}
		}
		a.Name = t.Name
		b.all[name] = a
		b.order = append(b.order, name)
		b.room.PostAutomatic(*a)
	}
	for name, a := range before {
		if b.all[name] == nil {
			b.room.ForgetAutomatic(a.Kind, a.ID)
		}
	}
}

// List returns everything in the order of the room file.
func (b *Board) List() []room.Automatic {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]room.Automatic, 0, len(b.order))
	for _, k := range b.order {
		list = append(list, *b.all[k])
	}
	return list
}

// On reports whether something is switched on. What is not on the board is: a nil board switches nothing.
func (b *Board) On(kind, id string) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.all[key(kind, id)]
	return a == nil || a.On
}

// Switched returns a channel that is closed when next something is switched.
func (b *Board) Switched() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.turn
}

// Switch switches something on or off and returns how it stands. The error is a *room.NotFound where
// there is no such thing.
func (b *Board) Switch(kind, id string, on bool, by journal.By) (room.Automatic, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.all[key(kind, id)]
	if a == nil {
		known := append([]string(nil), b.order...)
		sort.Strings(known)
		return room.Automatic{}, &room.NotFound{What: fmt.Sprintf("nothing automatic is called %.64q", kind+" "+id), Known: strings.Join(known, ", ")}
	}
	if a.On != on {
		a.On = on
		if !on {
			a.Next, a.Until = time.Time{}, time.Time{}
		}
		b.save(a)
		b.room.PostAutomatic(*a)
		close(b.turn)
		b.turn = make(chan struct{})
		b.journal.Record(journal.Entry{Time: time.Now(), By: by, Scene: id, Outcome: map[bool]string{true: "switched on", false: "switched off"}[on], Detail: kind + " " + id})
	}
	return *a, nil
}

// Plan tells when something acts next, and until when it asks whether somebody is there; zero for not.
func (b *Board) Plan(kind, id string, next, until time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.all[key(kind, id)]; a != nil && a.On {
		a.Next, a.Until = next, until
		b.room.PostAutomatic(*a)
	}
}

// Did tells that something has acted, or should have, and what became of it.
func (b *Board) Did(kind, id string, outcome devices.Outcome) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.all[key(kind, id)]; a != nil {
		a.Last, a.Outcome, a.Reason = time.Now().Round(0), string(outcome.Result), outcome.Reason
		b.save(a)
		b.room.PostAutomatic(*a)
	}
}

// save keeps how something stands. The caller holds mu.
func (b *Board) save(a *room.Automatic) {
	b.kept[key(a.Kind, a.ID)] = Kept{Off: !a.On, Last: a.Last, Outcome: a.Outcome, Reason: a.Reason}
	b.write()
}

func (b *Board) write() {
	if b.store == nil {
		return
	}
	if err := b.store.Save(b.kept); err != nil {
		b.log.Error("keeping what is switched off; after a restart it may be on again", "error", err)
	}
}

// alarm is where it is kept that an alarm has begun and its end was not reported.
const alarm = "emergency"

// Alarm reports whether an earlier life of the daemon ended while the alarm lasted.
func (b *Board) Alarm() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept[alarm].Outcome == "on"
}

// NoteAlarm keeps whether the alarm lasts, so that a restart in the middle of it is no all-clear.
func (b *Board) NoteAlarm(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if on {
		b.kept[alarm] = Kept{Outcome: "on", Last: time.Now().Round(0)}
	} else {
		delete(b.kept, alarm)
	}
	b.write()
}
