package modbus

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/goburrow/modbus"
	"pgregory.net/rapid"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	"lectern/devices/sim"
)

// Each address that is read is in one block, and nothing else is; none is longer than it may be.
func TestPropertyBlocksHoldWhatIsReadAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := row{1, rapid.IntRange(1, 4).Draw(t, "function")}
		p := &plan{rows: make(map[row]*reading)}
		added := rapid.SliceOfN(rapid.IntRange(0, 200), 1, 150).Draw(t, "addresses")
		for _, a := range added {
			p.add(place{r, a})
		}
		slices.Sort(added)
		added = slices.Compact(added)
		most, bytes := registersMost, 2*registersMost
		if r.isBits() {
			most, bytes = coilsMost, coilsMost/8
		}
		var held []int
		for _, b := range r.blocks(added) {
			if b.n < 1 || b.n > most || r.frames(b).Answered > 5+bytes {
				t.Errorf("%+v", b)
			}
			for a := b.from; a < b.from+b.n; a++ {
				held = append(held, a)
				if got := p.block(place{r, a}); got != b {
					t.Errorf("%d is read with %+v, and with %+v by its neighbours", a, got, b)
				}
			}
		}
		if !slices.Equal(held, added) {
			t.Errorf("held %v, want %v", held, added)
		}
		if got := p.block(place{r, 201}); got != (span{201, 1}) {
			t.Errorf("what nobody follows is read with %+v", got)
		}
	})
}

// registers is unit 1, whose registers have the values of their addresses, and counts what it is asked.
type registers struct {
	mu    sync.Mutex
	asked []span
	most  int  // that it tells at once; 0 for all
	mute  bool // about more it says nothing, rather than no
	gone  bool
}

func (*registers) Truth() map[string]string           { return nil }
func (*registers) Nudge(string, string, string) error { return nil }
func (*registers) Fault(string) error                 { return nil }

func (r *registers) Frame(request []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := span{int(request[3]), int(request[5])}
	r.asked = append(r.asked, b)
	switch {
	case r.gone, r.most > 0 && b.n > r.most && r.mute:
		return nil
	case r.most > 0 && b.n > r.most:
		return rtu(1, request[1]|0x80, modbus.ExceptionCodeIllegalDataValue)
	}
	reply := []byte{1, request[1], byte(2 * b.n)}
	for i := range b.n {
		reply = append(reply, 0, byte(b.from+i))
	}
	return rtu(reply...)
}

// heard returns the spans that it was asked for since the last call.
func (r *registers) heard() []span {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.asked = nil }()
	return r.asked
}

func (r *registers) set(gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = gone
}

// gauges are sensors in registers of one unit.
func gauges(t *testing.T, unit *registers, addresses ...int) []devices.Sensor {
	t.Helper()
	d := driver(t, "modbus-sensor")
	with := func(address int) map[string]any { return map[string]any{"unit": 1, "register": address, "function": 3} }
	others := make(map[string]devicetest.PairOther)
	names := []string{"device"}
	for _, a := range addresses[1:] {
		names = append(names, string(rune('a'+a)))
		others[names[len(names)-1]] = devicetest.PairOther{Driver: d, With: with(a)}
	}
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: d, Kind: line.Serial, With: with(addresses[0]), Others: others,
		Factory: func(sim.Options, []sim.Device) (sim.Equipment, error) { return unit, nil },
	})
	var all []devices.Sensor
	for _, n := range names {
		all = append(all, pairs[n].Capability.(devices.Sensor))
	}
	return all
}

// measureAll reads all, one after the other.
func measureAll(t *testing.T, all []devices.Sensor, addresses ...int) {
	t.Helper()
	for i, s := range all {
		if got, err := s.Measure(devicetest.Asking(t)); err != nil || got != float64(addresses[i]) {
			t.Errorf("register %d reads %g, %v", addresses[i], got, err)
		}
	}
}

func TestNeighboursAreReadTogetherAndNothingBetween(t *testing.T) {
	unit := new(registers)
	all := gauges(t, unit, 4, 5, 6, 9)
	measureAll(t, all, 4, 5, 6, 9)
	if got, want := unit.heard(), []span{{4, 3}, {4, 3}, {4, 3}, {9, 1}}; !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
}

func TestAUnitThatRefusesABlockIsAskedForEachAlone(t *testing.T) {
	unit := &registers{most: 1}
	all := gauges(t, unit, 4, 5)
	measureAll(t, all, 4, 5)
	measureAll(t, all, 4, 5)
	if got, want := unit.heard(), []span{{4, 2}, {4, 1}, {5, 1}, {4, 1}, {5, 1}}; !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
}

// attempt reads once. The line lets it wait where a late answer may still come.
func attempt(t *testing.T, s devices.Sensor) (err error) {
	t.Helper()
	_, err = s.Measure(devicetest.Asking(t))
	return err
}

func TestAUnitThatDoesNotAnswerForABlockIsAskedForEachAlone(t *testing.T) {
	unit := &registers{most: 1, mute: true}
	all := gauges(t, unit, 4, 5)
	for range 2 {
		if attempt(t, all[0]) == nil {
			t.Error("a block was answered")
		}
		if err := attempt(t, all[0]); err != nil {
			t.Error(err)
		}
	}
	measureAll(t, all, 4, 5)
	if got, want := unit.heard(), []span{{4, 2}, {4, 1}, {4, 2}, {4, 1}, {4, 1}, {5, 1}}; !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
}

func TestAUnitThatWasAwayIsAskedForBlocksAgain(t *testing.T) {
	unit := new(registers)
	all := gauges(t, unit, 4, 5)
	unit.set(true)
	for range 2 { // one more would close the line
		if attempt(t, all[0]) == nil {
			t.Error("who is gone has answered")
		}
	}
	unit.set(false)
	measureAll(t, all, 4, 5)
	measureAll(t, all, 4, 5)
	if got, want := unit.heard(), []span{{4, 2}, {4, 1}, {4, 1}, {4, 2}, {4, 2}, {4, 2}}; !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
}

// A reading that is given up, as a poll is for somebody's press, says nothing against the unit.
func TestAReadingThatIsGivenUpIsNoSilenceOfTheUnit(t *testing.T) {
	unit := new(registers)
	all := gauges(t, unit, 4, 5)
	unit.set(true)
	for range 2 {
		ctx, cancel := context.WithCancel(devicetest.Asking(t))
		over := make(chan error, 1)
		unit.heard()
		go func() { _, err := all[0].Measure(ctx); over <- err }()
		devicetest.Until(t, "it is asked", func() bool { unit.mu.Lock(); defer unit.mu.Unlock(); return len(unit.asked) > 0 })
		cancel()
		if <-over == nil {
			t.Error("who is gone has answered")
		}
	}
	unit.set(false)
	unit.heard()
	measureAll(t, all, 4, 5)
	if got, want := unit.heard(), []span{{4, 2}, {4, 2}}; !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
}

func TestTheLoadOfAPollCountsWhatIsReadTogetherOnce(t *testing.T) {
	coil, dimmer := driver(t, "modbus-coil"), driver(t, "modbus-dimmer")
	var coils, lamps []any
	for i := range 8 {
		coils = append(coils, &CoilSettings{Unit: 1, Coil: i})
		lamps = append(lamps, &DimmerSettings{Unit: 3, Channel: i % 4, Map: "wb-led"})
	}
	if got, want := coil.Poll(coils), []devices.Frames{{Asked: 8, Answered: 6}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := dimmer.Poll(lamps), []devices.Frames{{Asked: 8, Answered: 6}, {Asked: 8, Answered: 13}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
