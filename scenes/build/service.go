package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/check"
	"lectern/scenes/journal"
	"lectern/scenes/ledger"
	"lectern/scenes/maintenance"
	"lectern/scenes/meeting"
	"lectern/scenes/notify"
	"lectern/scenes/room"
)

// Service is what property staff work with: the meetings, the repair orders, the equipment check.
type Service struct {
	Book        *meeting.Book
	Orders      *ledger.Orders
	Check       *check.Checker
	Maintenance *maintenance.Mode
	Notices     *notify.Notifier // nil where the room file names nobody to tell
	cfg         atomic.Pointer[configs.Room]
	room        *room.Room
	watch       *meeting.Watch
	stores      []ledger.Store
}

// The books of the data folder.
const (
	ordersFile      = "orders.jsonl"
	meetingsFile    = "meetings.jsonl"
	maintenanceFile = "maintenance.jsonl"
)

// Serve makes the service of a room whose parts are made. Where folder is empty it is kept in memory.
func Serve(cfg *configs.Room, p *Parts, folder string, log *slog.Logger) (*Service, error) {
	s := &Service{room: p.Room}
	s.cfg.Store(cfg)
	if err := s.open(cfg, p, folder, log); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the books of the service: %w", err), s.Close())
	}
	s.watch = &meeting.Watch{Room: p.Room, Book: s.Book, Uses: usable(cfg), Log: log}
	s.Check = &check.Checker{
		Room: p.Room,
		Busy: func() bool { m, ok := s.Book.Now(); return ok && m.Phase != meeting.Preparing },
		Done: func(found []meeting.Found, by string) []meeting.Found {
			return s.found(s.cfg.Load(), p.Room, found, by, log)
		},
	}
	s.Renew(cfg)
	return s, nil
}

func (s *Service) open(cfg *configs.Room, p *Parts, folder string, log *slog.Logger) error {
	var books [3]ledger.Store
	for i, name := range []string{ordersFile, meetingsFile, maintenanceFile} {
		store, err := ledger.Open(folder, name)
		if err != nil {
			return err //nolint:wrapcheck // says what it is
		}
		s.stores = append(s.stores, store)
		books[i] = store
	}
	orders, err := ledger.NewOrders(books[0])
	if err != nil {
		return err //nolint:wrapcheck // says what it is
	}
	if s.Maintenance, err = maintenance.New(books[2], p.o.Journal); err != nil {
		return err //nolint:wrapcheck // says what it is
	}
	zone := time.Local
	if cfg.Room.Timezone != "" {
		if zone, err = time.LoadLocation(cfg.Room.Timezone); err != nil {
			return fmt.Errorf("the room's timezone: %w", err)
		}
	}
	m := cfg.Meetings
	s.Orders = orders
	s.Book, err = meeting.NewBook(meeting.Config{
		Calendar: m.Calendar, Every: m.Every, Where: m.Place, Zone: zone, Folder: folder, Store: books[1], Log: log,
		ByTime: m.Moved == "time", Before: m.Before, Tea: m.Tea,
		Prepare: items(m.Prepare, prepare), Closing: items(m.Closing, closing),
		Scenes: map[meeting.Phase]string{
			meeting.Preparing: m.Phases.Preparing, meeting.Session: m.Phases.Session, meeting.Break: m.Phases.Break, meeting.Ended: m.Phases.Ended,
		},
		Play: func(scene, by string) error {
			_, err := p.Engine.Start(scene, journal.By{Via: "meeting", Name: by})
			return err //nolint:wrapcheck // becomes a note
		},
	})
	if err != nil {
		return err //nolint:wrapcheck // says what it is
	}
	s.Notices, err = s.notices(cfg, zone, log)
	return err
}

// Renew has the service go on with the names and devices of another room file.
func (s *Service) Renew(cfg *configs.Room) {
	s.cfg.Store(cfg)
	var all []check.Device
	var presence []string
	for _, d := range cfg.Devices {
		if d.Kind != "camera" {
			all = append(all, check.Device{ID: d.ID, Kind: d.Kind})
		}
		if d.Measures == "presence" {
			presence = append(presence, d.ID)
		}
	}
	s.Check.Renew(all, presence)
}

// The checklists of the service instruction, for a room file that has none. Nothing changes them.
var (
	prepare = []configs.Name{
		{ZH: "桌椅和台型按会议要求摆放", EN: "Tables, chairs and layout are as the meeting asks"},
		{ZH: "卫生清洁，茶水和用品齐备", EN: "The room is clean; tea, water and supplies are ready"},
		{ZH: "灯光正常，已按会议要求调好", EN: "The lights work and are as the meeting asks"},
		{ZH: "影音设备已检查，信号正常", EN: "The equipment is checked and its signals are right"},
		{ZH: "室温在规定范围内", EN: "The temperature is in its band"},
	}
	closing = []configs.Name{
		{ZH: "检查有无遗留物品", EN: "Nothing has been left behind"},
		{ZH: "设备完好，损坏的已报修", EN: "The equipment is sound; what is not is reported"},
		{ZH: "清洁完毕，用品已补充", EN: "The room is tidied and supplies are replaced"},
		{ZH: "设备和灯光已关闭", EN: "Equipment and lights are off"},
		{ZH: "门窗已锁好", EN: "Doors and windows are locked"},
	}
)

func items(given, otherwise []configs.Name) []devices.Phrase {
	if len(given) == 0 {
		given = otherwise
	}
	var list []devices.Phrase
	for _, n := range given {
		list = append(list, phrase(n))
	}
	return list
}

// usable lists the sources with the projectors that they are shown on.
func usable(cfg *configs.Room) []meeting.Usable {
	var list []meeting.Usable
	for _, src := range cfg.Sources {
		u := meeting.Usable{ID: src.ID, On: src.On}
		if u.On == "" {
			u.On = "sources"
		}
		for _, d := range cfg.Devices {
			if d.Kind == "projector" && slices.Contains(src.Devices(), d.ID) {
				u.Displays = append(u.Displays, d.ID)
			}
		}
		list = append(list, u)
	}
	return list
}

// Picture is the state of the room as a repair order keeps it.
func Picture(r *room.Room) json.RawMessage {
	b, err := json.Marshal(r.State())
	if err != nil {
		return nil // an order without a picture is better than none
	}
	return b
}

// found makes repair orders of what a check found, one for each device that has none open, and writes
// the check into the book. While the room is worked on a fault is expected, and no order is made of it.
func (s *Service) found(cfg *configs.Room, r *room.Room, found []meeting.Found, by string, log *slog.Logger) []meeting.Found {
	now := time.Now()
	id := ""
	if m, ok := s.Book.Now(); ok {
		id = m.ID
	}
	_, expected := s.Maintenance.Now()
	for i := range found {
		f := &found[i]
		if f.Result != "failed" || expected {
			continue
		}
		text := f.Reason.In("zh") + " / " + f.Reason.In("en")
		if f.Detail != "" {
			text += "\n" + f.Detail
		}
		var order ledger.Order
		var err error
		if open := s.Orders.List(ledger.Filter{Device: f.Device, Unclosed: true}); len(open) > 0 {
			order, err = s.Orders.Do(open[0].ID, open[0].Version(), ledger.Step{Time: now, By: by, Via: "check", Text: text})
		} else {
			order, err = s.Orders.Open(ledger.Step{Time: now, By: by, Via: "check", Device: f.Device, Meeting: id, Text: text, Picture: Picture(r)})
		}
		if err != nil {
			log.Error("a failed check did not become a repair order", "device", f.Device, "error", err)
			continue
		}
		f.Order = order.ID
	}
	if err := s.Book.Add(meeting.Entry{Time: now, Kind: meeting.KindCheck, By: by, ID: id, Check: found}); err != nil {
		log.Error("an equipment check was not written down", "error", err)
	}
	return found
}

// Run runs the service until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.Book.Run(ctx) })
	g.Go(func() error { return s.Check.Run(ctx) })
	g.Go(func() error { return s.watch.Run(ctx) })
	g.Go(func() error { return s.Maintenance.Run(ctx) })
	g.Go(func() error { return s.show(ctx) })
	if s.Notices != nil {
		g.Go(func() error { return s.Notices.Run(ctx) })
	}
	return g.Wait() //nolint:wrapcheck // each names itself
}

// shownMost is how many of the orders that are not closed the state of the room lists.
const shownMost = 50

// show puts into the state of the room how the work of staff stands, until ctx ends.
func (s *Service) show(ctx context.Context) error {
	for {
		written, turned := s.Orders.Watch(), s.Maintenance.Watch()
		window, _ := s.Maintenance.Now()
		now := room.Staff{Maintenance: window.Until}
		for _, o := range s.Orders.List(ledger.Filter{Unclosed: true}) {
			if now.Unclosed++; now.Unclosed <= shownMost {
				now.Orders = append(now.Orders, room.Order{ID: o.ID, State: string(o.State()), Device: o.First().Device, Opened: o.First().Time})
			}
		}
		s.room.PostStaff(now)
		select {
		case <-written:
		case <-turned:
		case <-ctx.Done():
			return nil
		}
	}
}

// Close closes the books.
func (s *Service) Close() error {
	var errs []error
	for _, store := range s.stores {
		errs = append(errs, store.Close())
	}
	return errors.Join(errs...)
}
