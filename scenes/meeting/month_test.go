package meeting

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
	"lectern/scenes/ledger"
	"lectern/scenes/room"
)

// thing is equipment that is as it is told to be.
type thing struct {
	property devices.Property
	report   devices.Reporter
}

func (d *thing) Properties() []devices.Property { return []devices.Property{d.property} }
func (d *thing) Bind(r devices.Reporter)        { d.report = r }
func (*thing) Run(ctx context.Context) error    { <-ctx.Done(); return nil }
func (*thing) Refresh(context.Context) error    { return nil }

func (d *thing) Set(_ context.Context, p string, v devices.Value) error {
	d.report.Report(p, v, devices.Reported)
	return nil
}

// A month of 200 meetings, played: who counts them along the way comes to the figures of the book.
func TestTheFiguresOfAMonthAreAsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(7, 2026))
		beam := &thing{property: devices.Property{Name: "power", Kind: devices.KindEnum, Settable: true, Options: devices.Words("off", "on")}}
		chooser := &thing{property: devices.Property{Name: "selected", Kind: devices.KindEnum, Settable: true, Options: devices.Words("dvd", "pc", "none")}}
		made, err := room.New(room.Config{Members: []room.Member{{ID: "beam", Device: beam}, {ID: "sources", Device: chooser}}, Log: quietLog})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []*thing{beam, chooser} {
			d.report.Reach(nil)
		}
		beam.report.Report("power", devices.Word("off"), devices.Reported)
		chooser.report.Report("selected", devices.Word("none"), devices.Reported)

		folder := t.TempDir()
		b := newBook(t, folder)
		store, err := ledger.Open("", "")
		if err != nil {
			t.Fatal(err)
		}
		orders, err := ledger.NewOrders(store)
		if err != nil {
			t.Fatal(err)
		}
		w := &Watch{Room: made, Book: b, Log: quietLog, Uses: []Usable{{"dvd", "sources", []string{"beam"}}, {"pc", "sources", []string{"beam"}}}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		synctest.Wait()

		// The independent count.
		var (
			held           time.Duration
			perDay         = make(map[int]int)
			use            = make(map[string]time.Duration)
			faults, away   = 0, time.Duration(0)
			answer, repair []time.Duration
			count, closed  int
			calledOff      int
		)
		month := time.Now().UTC().Truncate(24 * time.Hour) // synctest begins with a month
		pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		minutes := func(least, most int) time.Duration { return time.Duration(least+random.IntN(most-least)) * time.Minute }
		for n := range 200 {
			start := month.Add(time.Duration(n/8) * 24 * time.Hour).Add(7*time.Hour + time.Duration(n%8)*95*time.Minute)
			if wait := time.Until(start); wait > 0 {
				pass(wait)
			}
			long := minutes(20, 60)
			id, err := b.Enter(Meeting{Title: fmt.Sprint("meeting ", n), Start: start, End: start.Add(long)}, "LL")
			if err != nil {
				t.Fatal(err)
			}
			if n%17 == 3 { // called off, never held
				if _, err := b.Enter(Meeting{ID: id, Title: "off", Start: start, End: start.Add(long), Cancelled: true}, "LL"); err != nil {
					t.Fatal(err)
				}
				calledOff++
				continue
			}
			count++
			perDay[start.Day()]++
			move := func(to Phase) {
				if err := b.Move(id, to, "WM"); err != nil {
					t.Fatal(err)
				}
			}
			move(Preparing)
			pass(minutes(1, 10))
			move(Session)
			began := time.Now()
			source := []string{"dvd", "pc"}[random.IntN(2)]
			beam.report.Report("power", devices.Word("on"), devices.Reported)
			chooser.report.Report("selected", devices.Word(source), devices.Reported)
			synctest.Wait()
			shown := time.Now()
			pass(minutes(5, 40))
			if n%9 == 0 { // the cable is pulled for a while; the projector shows on
				beam.report.Reach(fmt.Errorf("no reply"))
				synctest.Wait()
				from := time.Now()
				pass(minutes(1, 5))
				beam.report.Reach(nil)
				beam.report.Report("power", devices.Word("on"), devices.Reported)
				synctest.Wait()
				faults, away = faults+1, away+time.Since(from)
				opened := time.Now()
				o, err := orders.Open(ledger.Step{Time: opened, By: "WM", Via: "staff", Device: "beam", Text: "x"})
				if err != nil {
					t.Fatal(err)
				}
				took := minutes(1, 30)
				if _, err := orders.Do(o.ID, 1, ledger.Step{Time: opened.Add(took), State: ledger.Assigned, To: "Z", By: "Z", Via: "staff"}); err != nil {
					t.Fatal(err)
				}
				answer = append(answer, took)
				if n%2 == 0 {
					if _, err := orders.Do(o.ID, 2, ledger.Step{Time: opened.Add(2 * took), State: ledger.Fixed, Text: "y", By: "Z", Via: "staff"}); err != nil {
						t.Fatal(err)
					}
					repair = append(repair, 2*took)
				}
				if n%4 == 0 {
					if _, err := orders.Do(o.ID, 3, ledger.Step{Time: opened.Add(3 * took), State: ledger.Confirmed, By: "LL", Via: "staff"}); err != nil {
						t.Fatal(err)
					}
					closed++
				}
			}
			beam.report.Report("power", devices.Word("off"), devices.Reported)
			synctest.Wait()
			use[source] += time.Since(shown)
			move(Ended)
			held += time.Since(began)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)

		// Read again from its file, as after a restart.
		f := newBook(t, folder).Figures(month, month.AddDate(0, 1, 0), orders.List(ledger.Filter{}))
		slices.Sort(answer)
		slices.Sort(repair)
		check := func(what string, got, want any) {
			t.Helper()
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %v, counted %v", what, got, want)
			}
		}
		check("meetings", f.Meetings, count)
		check("called off", f.CalledOff, calledOff)
		check("time in meetings", f.Held, held)
		check("dvd", f.Use["dvd"], use["dvd"])
		check("pc", f.Use["pc"], use["pc"])
		check("faults", f.Faults["beam"], faults)
		check("down", f.Down["beam"], away)
		check("orders", f.Orders, len(answer))
		check("closed", f.Closed, closed)
		check("answers", f.Answer, answer)
		check("repairs", f.Repair, repair)
		for _, day := range f.Days {
			check(day.Date.Format(time.DateOnly), day.Meetings, perDay[day.Date.Day()])
		}
		if count+calledOff != 200 || faults < 15 || use["dvd"] == 0 || use["pc"] == 0 {
			t.Errorf("the month is too quiet: %d held, %d faults, %v", count, faults, use)
		}
	})
}
