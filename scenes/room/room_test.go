package room

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"lectern/devices"
	"lectern/scenes/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// thing is equipment with any properties, whose Set a test decides.
type thing struct {
	properties []devices.Property
	set        func(ctx context.Context, t *thing, property string, v devices.Value) error
	refresh    func(t *thing) error

	mu     sync.Mutex
	report devices.Reporter
	did    []string
	fed    []bool
}

func (t *thing) Properties() []devices.Property { return t.properties }
func (t *thing) Bind(r devices.Reporter)        { t.report = r }
func (t *thing) Run(ctx context.Context) error  { <-ctx.Done(); return nil }
func (t *thing) Refresh(context.Context) error {
	if t.refresh != nil {
		return t.refresh(t)
	}
	return nil
}

func (t *thing) SetFed(fed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fed = append(t.fed, fed)
}

func (t *thing) Set(ctx context.Context, property string, v devices.Value) error {
	t.mu.Lock()
	t.did = append(t.did, property+"="+v.String())
	t.mu.Unlock()
	if t.set != nil {
		return t.set(ctx, t, property, v)
	}
	t.report.Report(property, v, devices.Reported)
	return nil
}

func (t *thing) done() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.did)
}

func circuit() *thing {
	return &thing{properties: []devices.Property{{Name: "power", Kind: devices.KindBool, Settable: true}}}
}

func projector() *thing {
	return &thing{properties: []devices.Property{
		{Name: "power", Kind: devices.KindEnum, Settable: true, Options: []devices.Option{
			{Value: "off"}, {Value: "on"}, {Value: "warming", State: true}, {Value: "cooling", State: true}}},
		{Name: "input", Kind: devices.KindEnum, Settable: true, Options: devices.Words("hdmi1", "hdmi2")},
		{Name: "remaining", Kind: devices.KindInteger, Max: 600, Unit: "s"},
	}}
}

func newRoom(t testing.TB, c Config) *Room {
	t.Helper()
	c.Log = slog.New(slog.DiscardHandler)
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var tester = journal.By{Via: "test"}

func do(t *testing.T, r *Room, device, property string, value any) devices.Outcome {
	t.Helper()
	o, err := r.Do(context.Background(), Command{Device: device, Property: property, Value: value, By: tester})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func mainsGuard() Guard {
	return Guard{
		ID:      "projector-mains",
		Set:     []Match{{"mains", "power", []devices.Value{devices.Bool(false)}}},
		Require: []Match{{"projector", "power", []devices.Value{devices.Word("off")}}},
		Reason:  devices.Phrase{ZH: "投影机尚未冷却", EN: "The projector has not cooled down"},
	}
}

func TestUnknownNamesAndBadValuesSayWhatWouldBeRight(t *testing.T) {
	lamp := circuit()
	r := newRoom(t, Config{Members: []Member{{ID: "lamp", Device: lamp}}})
	for _, c := range []struct {
		name, device, property string
		value                  any
		want                   string
	}{
		{"device", "lmp", "power", true, `no device "lmp"; there is lamp`},
		{"property", "lamp", "brightness", true, `device lamp has no property "brightness"; there is power`},
		{"value", "lamp", "power", "half", `lamp: power cannot be "half": it takes true or false`},
	} {
		_, err := r.Do(context.Background(), Command{Device: c.device, Property: c.property, Value: c.value})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	if lamp.done() != 0 {
		t.Error("something was sent")
	}
}

func TestAStateCannotBeAskedFor(t *testing.T) {
	p := projector()
	r := newRoom(t, Config{Members: []Member{{ID: "projector", Device: p}}})
	_, err := r.Do(context.Background(), Command{Device: "projector", Property: "power", Value: "warming"})
	var bad *BadValue
	if !errors.As(err, &bad) || p.done() != 0 {
		t.Errorf("got %v after %d commands", err, p.done())
	}
}

func TestSubscriberGetsSnapshotThenChangesAndNeverABacklog(t *testing.T) {
	lamp := circuit()
	r := newRoom(t, Config{Members: []Member{{ID: "lamp", Device: lamp}}})
	s := r.Subscribe(0)
	u, err := s.Next(context.Background())
	if err != nil || !u.Full || len(u.Properties) != 1 || u.Properties[0].Quality != devices.Unknown {
		t.Fatalf("snapshot: %+v, %v", u, err)
	}
	for i := range 101 {
		lamp.report.Report("power", devices.Bool(i%2 == 0), devices.Reported)
	}
	u, _ = s.Next(context.Background())
	if u.Full || len(u.Properties) != 1 || !u.Properties[0].Value.Bool() {
		t.Errorf("after 101 changes: %+v", u)
	}
	if seen := u.Revision; r.Subscribe(seen).seen != seen || r.Subscribe(seen+1000).seen != 0 {
		t.Error("resuming: a known revision is kept, one from another life is not")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("nothing new: %v", err)
	}
}

func TestAPollThatFindsNothingNewIsNoChange(t *testing.T) {
	lamp := circuit()
	r := newRoom(t, Config{Members: []Member{{ID: "lamp", Device: lamp}}})
	lamp.report.Report("power", devices.Bool(true), devices.Reported)
	before := r.State().Revision
	lamp.report.Report("power", devices.Bool(true), devices.Reported)
	lamp.report.Reach(nil)
	afterReach := r.State().Revision
	lamp.report.Reach(nil)
	if r.State().Revision != afterReach || afterReach != before+1 {
		t.Errorf("revisions %d, %d, %d", before, afterReach, r.State().Revision)
	}
}

func TestSilenceMakesReadingsStaleNotOff(t *testing.T) {
	lamp := circuit()
	r := newRoom(t, Config{Members: []Member{{ID: "lamp", Device: lamp}}})
	lamp.report.Report("power", devices.Bool(true), devices.Reported)
	lamp.report.Reach(errors.New("no reply"))
	p, _ := r.Get("lamp", "power")
	if p.Quality != devices.Stale || !p.Value.Bool() {
		t.Errorf("after silence: %+v", p)
	}
}

func TestTargetShowsUntilTheOutcome(t *testing.T) {
	release := make(chan struct{})
	lamp := circuit()
	lamp.set = func(context.Context, *thing, string, devices.Value) error { <-release; return nil }
	r := newRoom(t, Config{Members: []Member{{ID: "lamp", Device: lamp}}})
	over := make(chan struct{})
	go func() { defer close(over); do(t, r, "lamp", "power", true) }()
	err := r.Await(context.Background(), func() bool { p, _ := r.Get("lamp", "power"); return p.Target == devices.Bool(true) })
	if err != nil {
		t.Fatal(err)
	}
	close(release)
	<-over
	if p, _ := r.Get("lamp", "power"); !p.Target.IsZero() {
		t.Errorf("target still stands: %+v", p)
	}
}

func TestCommandIsBoundedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lamp := circuit()
		lamp.set = func(ctx context.Context, _ *thing, _ string, _ devices.Value) error { <-ctx.Done(); return ctx.Err() }
		r := newRoom(t, Config{Members: []Member{{ID: "lamp", Device: lamp}}})
		began := time.Now()
		if o := do(t, r, "lamp", "power", true); o.Result != devices.Failed || time.Since(began) != commandTime {
			t.Errorf("%+v after %s", o, time.Since(began))
		}
	})
}

func TestGuardRefusesUnlessReportedOff(t *testing.T) {
	for _, c := range []struct {
		name    string
		quality devices.Quality
		power   string
		want    devices.Result
	}{
		{"off and fresh", devices.Reported, "off", devices.Done},
		{"on", devices.Reported, "on", devices.Refused},
		{"cooling", devices.Reported, "cooling", devices.Refused},
		{"unknown is not off", devices.Unknown, "", devices.Refused},
		{"stale off is not off", devices.Stale, "off", devices.Refused},
		{"assumed off is not off", devices.Assumed, "off", devices.Refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			mains, p := circuit(), projector()
			r := newRoom(t, Config{
				Members: []Member{{ID: "mains", Device: mains}, {ID: "projector", Mains: "mains", Device: p}},
				Guards:  []Guard{mainsGuard()},
			})
			mains.report.Report("power", devices.Bool(true), devices.Reported)
			if c.power != "" {
				p.report.Report("power", devices.Word(c.power), c.quality)
			}
			o := do(t, r, "mains", "power", false)
			if o.Result != c.want || (c.want == devices.Refused) != (mains.done() == 0) {
				t.Errorf("%+v, sent %v", o, mains.did)
			}
			if o := do(t, r, "mains", "power", true); o.Result != devices.Done {
				t.Errorf("on is not guarded, yet %+v", o)
			}
		})
	}
}

func TestGuardAsksTheEquipmentFirst(t *testing.T) {
	mains, p := circuit(), projector()
	p.refresh = func(p *thing) error { p.report.Report("power", devices.Word("on"), devices.Reported); return nil }
	r := newRoom(t, Config{Members: []Member{{ID: "mains", Device: mains}, {ID: "projector", Device: p}}, Guards: []Guard{mainsGuard()}})
	mains.report.Report("power", devices.Bool(true), devices.Reported)
	p.report.Report("power", devices.Word("off"), devices.Reported) // the last poll; since then a remote control was used
	if o := do(t, r, "mains", "power", false); o.Result != devices.Refused {
		t.Errorf("judged by an old poll: %+v", o)
	}
}

func TestGuardShowsAsALockWithTheTimeLeft(t *testing.T) {
	mains, p := circuit(), projector()
	r := newRoom(t, Config{Members: []Member{{ID: "mains", Device: mains}, {ID: "projector", Device: p}}, Guards: []Guard{mainsGuard()}})
	p.report.Report("remaining", devices.Int(90), devices.Reported)
	p.report.Report("power", devices.Word("cooling"), devices.Reported)
	s, _ := r.Get("mains", "power")
	if len(s.Locks) != 1 || s.Locks[0].Reason.EN != "The projector has not cooled down" || time.Until(s.Locks[0].Until) < 80*time.Second {
		t.Fatalf("locks: %+v", s.Locks)
	}
	p.report.Report("power", devices.Word("off"), devices.Reported)
	if s, _ := r.Get("mains", "power"); len(s.Locks) != 0 {
		t.Errorf("still locked: %+v", s.Locks)
	}
}

func TestGuardKeepsTheProjectorFromChangingWhileItsMainsIsCut(t *testing.T) {
	mains, p := circuit(), projector()
	cutting, release := make(chan struct{}), make(chan struct{})
	mains.set = func(_ context.Context, m *thing, property string, v devices.Value) error {
		close(cutting)
		<-release
		m.report.Report(property, v, devices.Reported)
		return nil
	}
	r := newRoom(t, Config{Members: []Member{{ID: "mains", Device: mains}, {ID: "projector", Device: p}}, Guards: []Guard{mainsGuard()}})
	mains.report.Report("power", devices.Bool(true), devices.Reported)
	p.report.Report("power", devices.Word("off"), devices.Reported)
	over := make(chan devices.Outcome)
	go func() { over <- do(t, r, "mains", "power", false) }()
	<-cutting
	if o := do(t, r, "projector", "power", "on"); o.Result != devices.Refused || p.done() != 0 {
		t.Errorf("the lamp was struck while its mains was being cut: %+v", o)
	}
	close(release)
	if o := <-over; o.Result != devices.Done {
		t.Errorf("cutting: %+v", o)
	}
}

func TestTellingAnOffCircuitOffIsNotGuarded(t *testing.T) {
	mains, p := circuit(), projector()
	r := newRoom(t, Config{Members: []Member{{ID: "mains", Device: mains}, {ID: "projector", Mains: "mains", Device: p}}, Guards: []Guard{mainsGuard()}})
	mains.report.Report("power", devices.Bool(false), devices.Reported)
	if o := do(t, r, "mains", "power", false); o.Result != devices.Done {
		t.Errorf("%+v", o)
	}
}

func TestACircuitThatIsOffTakesTheMainsOfWhatHangsOnIt(t *testing.T) {
	mains, p := circuit(), projector()
	r := newRoom(t, Config{Members: []Member{{ID: "mains", Device: mains}, {ID: "projector", Mains: "mains", Device: p}}})
	p.report.Report("power", devices.Word("off"), devices.Reported)
	mains.report.Report("power", devices.Bool(false), devices.Reported)
	s, _ := r.Get("projector", "power")
	if !s.Value.IsZero() || s.Quality != devices.Unknown {
		t.Errorf("a projector without mains reads %+v", s)
	}
	mains.report.Report("power", devices.Bool(true), devices.Reported)
	if got := p.fed; len(got) != 2 || got[0] || !got[1] {
		t.Errorf("told its mains: %v", got)
	}
}

func TestSourceIsAllOfItsPartsAndStopsAtALock(t *testing.T) {
	p, m := projector(), &thing{properties: []devices.Property{{Name: "main", Kind: devices.KindEnum, Settable: true, Options: devices.Words("1", "2")}}}
	sources := []Source{
		{ID: "dvd", On: "sources", Set: []Wish{{"projector", "input", devices.Word("hdmi1")}, {"matrix", "main", devices.Word("1")}}},
		{ID: "pc", On: "sources", Set: []Wish{{"projector", "input", devices.Word("hdmi1")}, {"matrix", "main", devices.Word("2")}}},
	}
	kept := journal.Open("", slog.New(slog.DiscardHandler))
	r := newRoom(t, Config{Members: []Member{{ID: "projector", Device: p}, {ID: "matrix", Device: m}}, Sources: sources, Journal: kept})
	if o := do(t, r, "sources", "selected", "pc"); o.Result != devices.Done {
		t.Fatalf("%+v", o)
	}
	if s, _ := r.Get("sources", "selected"); s.Value != devices.Word("pc") || s.Quality != devices.Reported {
		t.Errorf("selected: %+v", s)
	}
	var told []string
	for _, e := range kept.Latest(0, 10) {
		if e.Property != "" {
			told = append(told, e.Device+"="+e.Value)
		}
	}
	if fmt.Sprint(told) != "[sources=pc matrix=2 projector=hdmi1]" {
		t.Errorf("the journal has %v", told)
	}
	before := p.done() + m.done()
	p.report.Lock("input", &devices.Refusal{Reason: devices.Phrase{EN: "warming"}, For: time.Minute})
	o := do(t, r, "sources", "selected", "dvd")
	if o.Result != devices.Refused || o.Reason.EN != "warming" || p.done()+m.done() != before {
		t.Errorf("locked: %+v, sent %v %v", o, p.did, m.did)
	}
}

// Whatever happens in whatever order, the mains is never cut while the projector is anything but
// reported off.
func TestPropertyMainsIsNeverCutUnlessTheProjectorIsOff(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		mains, p := circuit(), projector()
		truth, fed := "off", true
		p.set = func(_ context.Context, p *thing, property string, v devices.Value) error {
			if fed && (truth == "off") == (v.String() == "on") {
				truth = map[string]string{"on": "warming", "off": "cooling"}[v.String()]
			}
			p.report.Report(property, devices.Word(truth), devices.Reported)
			return nil
		}
		answers := true
		p.refresh = func(p *thing) error {
			if !answers {
				err := errors.New("no reply")
				p.report.Reach(err)
				return err
			}
			p.report.Report("power", devices.Word(truth), devices.Reported)
			return nil
		}
		mains.set = func(_ context.Context, m *thing, property string, v devices.Value) error {
			if fed && !v.Bool() && truth != "off" {
				rt.Fatalf("mains cut while the projector is %s", truth)
			}
			fed = v.Bool()
			m.report.Report(property, v, devices.Reported)
			return nil
		}
		r := newRoom(t, Config{Members: []Member{{ID: "mains", Device: mains}, {ID: "projector", Device: p}}, Guards: []Guard{mainsGuard()}})
		mains.report.Report("power", devices.Bool(true), devices.Reported)
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"cut", "feed", "on", "off", "settle", "silent", "answers", "remote"}).Draw(rt, "step") {
			case "cut":
				do(t, r, "mains", "power", false)
			case "feed":
				do(t, r, "mains", "power", true)
			case "on":
				do(t, r, "projector", "power", "on")
			case "off":
				do(t, r, "projector", "power", "off")
			case "settle":
				truth = map[string]string{"warming": "on", "cooling": "off", "on": "on", "off": "off"}[truth]
			case "remote":
				if fed && truth == "off" {
					truth = "warming"
				}
			case "silent":
				answers = false
			case "answers":
				answers = true
			}
		}
	})
}

// Without mains a refusal lasts, unless the mains is on its way.
func TestWhatHasNoMainsIsNotWorthWaitingForUnlessItIsComing(t *testing.T) {
	rack, player := accepts(circuit()), projector()
	player.set = func(context.Context, *thing, string, devices.Value) error { return &devices.Refusal{Lasting: true} }
	r := newRoom(t, Config{Members: []Member{{ID: "rack", Device: rack}, {ID: "player", Device: player, Mains: "rack"}}})
	rack.report.Report("power", devices.Bool(false), devices.Reported)
	if o := do(t, r, "player", "power", "on"); !o.Lasting {
		t.Errorf("with the rack off: %+v", o)
	}
	do(t, r, "rack", "power", true)
	if o := do(t, r, "player", "power", "on"); o.Lasting {
		t.Errorf("while the rack comes: %+v", o)
	}
	rack.report.Report("power", devices.Bool(true), devices.Reported)
	if o := do(t, r, "player", "power", "on"); !o.Lasting {
		t.Errorf("with the rack on it is for another reason: %+v", o)
	}
}
