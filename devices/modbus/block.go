package modbus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/goburrow/modbus"

	"lectern/devices"
	"lectern/devices/line"
)

// A unit tells many coils or registers in one frame. What the devices of a room read of a unit is therefore read in
// blocks: four circuits of a dimmer cost one exchange and not four. A block holds nothing that no device reads, since
// units refuse a span that goes beyond what they have; and it is short, since a press may have to wait for it.
//
// There are units that answer for one coil or register only. One that refuses a block is asked for each alone from then
// on; so is one that twice gives a block no answer and each time answers for one alone right after it.
const (
	coilsMost     = 64 // 8 bytes
	registersMost = 8  // 16 bytes, which is 17 ms at 9600 baud
	strikesMost   = 2
)

// span is a number of neighbours.
type span struct{ from, n int }

// row is the coils, the inputs or the registers of one unit.
type row struct {
	unit     byte
	function int // that reads them
}

func (r row) area() area {
	all := areas()
	return all[slices.IndexFunc(all, func(a area) bool { return int(a.function) == r.function })]
}

func (r row) isBits() bool {
	return r.function == modbus.FuncCodeReadCoils || r.function == modbus.FuncCodeReadDiscreteInputs
}

// blocks cuts addresses, in rising order, into what is read together.
func (r row) blocks(addresses []int) (blocks []span) {
	most := registersMost
	if r.isBits() {
		most = coilsMost
	}
	for _, a := range addresses {
		if i := len(blocks) - 1; i >= 0 && blocks[i].from+blocks[i].n == a && blocks[i].n < most {
			blocks[i].n++
		} else {
			blocks = append(blocks, span{a, 1})
		}
	}
	return blocks
}

// frames is how long the RTU frames are by which a block is read: unit, function, address, quantity and checksum; unit,
// function, length, data and checksum.
func (r row) frames(b span) devices.Frames {
	if r.isBits() {
		return devices.Frames{Asked: 8, Answered: 5 + (b.n+7)/8}
	}
	return devices.Frames{Asked: 8, Answered: 5 + 2*b.n}
}

// note says in words that a block is read.
func (r row) note(b span) string {
	what := map[bool]string{true: "coil", false: "register"}[r.isBits()]
	of := ""
	if r.function == modbus.FuncCodeReadDiscreteInputs || r.function == modbus.FuncCodeReadInputRegisters {
		of = fmt.Sprintf(" with function %d", r.function)
	}
	if r.function == modbus.FuncCodeReadDiscreteInputs {
		what = "input"
	}
	if b.n == 1 {
		return fmt.Sprintf("read %s %d%s", what, b.from, of)
	}
	return fmt.Sprintf("read %ss %d to %d%s", what, b.from, b.from+b.n-1, of)
}

// place is one coil, input or register that is read.
type place struct {
	row
	address int
}

// polls is the Poll of a driver whose devices read places.
func polls(of func(settings any) []place) func([]any) []devices.Frames {
	return func(all []any) (frames []devices.Frames) {
		rows := make(map[row][]int)
		for _, settings := range all {
			for _, p := range of(settings) {
				rows[p.row] = append(rows[p.row], p.address)
			}
		}
		for _, r := range slices.SortedFunc(maps.Keys(rows), func(a, b row) int { return 256*(int(a.unit)-int(b.unit)) + a.function - b.function }) {
			for _, b := range r.blocks(slices.Compact(slices.Sorted(slices.Values(rows[r])))) {
				frames = append(frames, r.frames(b))
			}
		}
		return frames
	}
}

// plan is what is read on one line, and how the units take it. It may be used from any goroutine.
type plan struct {
	mu   sync.Mutex
	rows map[row]*reading
}

// reading is what is read of a row.
type reading struct {
	addresses []int // in rising order, each once
	apart     bool  // the unit answers for one alone only
	doubt     bool  // the last block had no answer: one alone is asked for next
	strikes   int   // blocks without an answer since the last one that had one
}

// planOf returns the plan of a line.
func planOf(l *line.Line) *plan {
	return l.Keep("modbus", func() any { return &plan{rows: make(map[row]*reading)} }).(*plan)
}

// add has a place read with its neighbours from now on.
func (p *plan) add(at place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.rows[at.row]
	if r == nil {
		r = new(reading)
		p.rows[at.row] = r
	}
	if i, known := slices.BinarySearch(r.addresses, at.address); !known {
		r.addresses = slices.Insert(r.addresses, i, at.address)
	}
}

// block is what a place is read with.
func (p *plan) block(at place) span {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.rows[at.row]; r != nil && !r.apart && !r.doubt {
		for _, b := range at.blocks(r.addresses) {
			if at.address >= b.from && at.address < b.from+b.n {
				return b
			}
		}
	}
	return span{at.address, 1}
}

// note takes in how a unit took it to be asked for a block, or for one alone. It reports whether what was asked as a block
// is to be asked again alone.
func (p *plan) note(r row, b span, err error) (again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.rows[r]
	if now == nil {
		return false
	}
	var rejection *devices.Rejection
	switch {
	case b.n == 1 && err == nil:
		now.doubt = false
		now.apart = now.apart || now.strikes >= strikesMost
	case b.n == 1:
	case err == nil:
		now.strikes = 0
	case errors.As(err, &rejection) && isTooMuch(rejection):
		now.apart = true
		return true
	case errors.Is(err, line.ErrNoReply), errors.Is(err, line.ErrGarbled):
		now.doubt = true
		now.strikes++
	}
	return false
}

// isTooMuch reports whether a refusal may be that of a block: of a function that the unit has not, of a span that goes
// beyond what it has, or of a quantity other than 1.
func isTooMuch(r *devices.Rejection) bool {
	switch r.Code {
	case fmt.Sprintf("exception %d", modbus.ExceptionCodeIllegalFunction), fmt.Sprintf("exception %d", modbus.ExceptionCodeIllegalDataAddress),
		fmt.Sprintf("exception %d", modbus.ExceptionCodeIllegalDataValue):
		return true
	}
	return false
}

// follow has a place of the board read with its neighbours.
func (b *board) follow(function, address int) {
	b.plan.add(place{row{b.unit, function}, address})
}

// read reads one place of the board, with its neighbours where that may be, and returns its register, or 1 or 0.
func (b *board) read(ctx context.Context, function, address int) (uint16, error) {
	at := place{row{b.unit, function}, address}
	block := b.plan.block(at)
	value, err := b.readOf(ctx, at, block)
	if err != nil && ctx.Err() != nil {
		return value, err // nobody waited for the answer
	}
	if b.plan.note(at.row, block, err) {
		block = span{address, 1}
		value, err = b.readOf(ctx, at, block)
		b.plan.note(at.row, block, err)
	}
	return value, err
}

// readOf reads a block and returns what stands at a place in it.
func (b *board) readOf(ctx context.Context, at place, block span) (uint16, error) {
	note := at.note(block)
	data, err := b.send(&transporter{ctx: ctx, board: b, note: note, question: note}, func(m modbus.Client) ([]byte, error) {
		return at.area().read(m, uint16(block.from), uint16(block.n))
	})
	if err != nil {
		return 0, err
	}
	i := at.address - block.from
	if at.isBits() {
		return uint16(data[i/8] >> (i % 8) & 1), nil
	}
	return uint16(data[2*i])<<8 | uint16(data[2*i+1]), nil
}
