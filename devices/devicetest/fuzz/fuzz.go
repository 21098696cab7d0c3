// Package fuzz runs fuzz targets far.
package fuzz

import (
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"testing"
)

// inputsEnv says how many inputs Run makes of the seeds when nobody runs go test -fuzz.
const inputsEnv = "LECTERN_FUZZ"

// marker is the last seed, at which all others are known.
const marker = "\x00the last seed\x00"

// Run is f.Fuzz. Where LECTERN_FUZZ says how many, an ordinary run goes on after the seeds with so many inputs made of
// them. That is many times quicker than go test -fuzz, which learns from each input what it has reached: one finds what
// nobody has thought of, the other finds what takes many tries.
//
//	LECTERN_FUZZ=10000000 go test -run '^Fuzz' -timeout 6h ./devices/...
//
// Body is a func(*testing.T, ...) of strings, byte slices and integers, as f.Fuzz takes it.
func Run(f *testing.F, body any) {
	n, err := strconv.Atoi(os.Getenv(inputsEnv))
	if err != nil {
		f.Fuzz(body)
		return
	}
	fn := reflect.ValueOf(body)
	last := make([]any, fn.Type().NumIn()-1)
	for i := range last {
		last[i] = reflect.Zero(fn.Type().In(i + 1)).Interface()
		switch last[i].(type) {
		case string:
			last[i] = marker
		case []byte:
			last[i] = []byte(marker)
		}
	}
	f.Add(last...)
	m := mutator{random: rand.New(rand.NewPCG(1, uint64(n)))}
	f.Fuzz(reflect.MakeFunc(fn.Type(), func(args []reflect.Value) []reflect.Value {
		if !m.isLast(args) {
			m.seeds = append(m.seeds, args[1:])
			return fn.Call(args)
		}
		t, _ := args[0].Interface().(*testing.T)
		over := false
		defer func() {
			if !over { // a failure, or a panic on its way up
				t.Logf("the input was %#v", m.now)
			}
		}()
		for range n {
			fn.Call(append(args[:1:1], m.input()...))
		}
		t.Logf("%d inputs made of %d seeds", n, len(m.seeds))
		over = true
		return nil
	}).Interface())
}

// mutator makes inputs of seeds.
type mutator struct {
	random *rand.Rand
	seeds  [][]reflect.Value
	now    []any // the input that was made last
}

func (m *mutator) isLast(args []reflect.Value) bool {
	for _, a := range args[1:] {
		switch v := a.Interface().(type) {
		case string:
			return v == marker
		case []byte:
			return string(v) == marker
		}
	}
	return false
}

// input makes one input: each argument of some seed, changed or not.
func (m *mutator) input() []reflect.Value {
	first := m.seeds[m.random.IntN(len(m.seeds))]
	made := make([]reflect.Value, len(first))
	m.now = m.now[:0]
	for i := range first {
		from := first
		if m.random.IntN(4) == 0 {
			from = m.seeds[m.random.IntN(len(m.seeds))]
		}
		switch v := from[i].Interface().(type) {
		case string:
			made[i] = reflect.ValueOf(string(m.bytes([]byte(v), i)))
		case []byte:
			made[i] = reflect.ValueOf(m.bytes(v, i))
		default:
			made[i] = m.number(from[i])
		}
		m.now = append(m.now, made[i].Interface())
	}
	return made
}

// telling are bytes on which protocols turn.
const telling = "\x00\x01\x02\x03\x05\x06\x07\x0a\x0d\x10\x15\x1b\x20\x22\x23\x25\x2a\x2b\x2c\x2d\x2e\x2f09:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xfe\xff"

// bytes changes a text or a frame in up to five places.
func (m *mutator) bytes(from []byte, arg int) []byte {
	b := append(make([]byte, 0, len(from)+16), from...)
	for range 1 + m.random.IntN(5) {
		at := m.random.IntN(len(b) + 1)
		end := at + m.random.IntN(min(len(b)-at, 8)+1)
		switch m.random.IntN(9) {
		case 0: // a bit
			if at < len(b) {
				b[at] ^= 1 << m.random.IntN(8)
			}
		case 1: // a byte
			if at < len(b) {
				b[at] = byte(m.random.UintN(256))
			}
		case 2: // a byte that means something
			if at < len(b) {
				b[at] = telling[m.random.IntN(len(telling))]
			}
		case 3: // one more
			b = append(b[:at], append([]byte{telling[m.random.IntN(len(telling))]}, b[at:]...)...)
		case 4: // some are lost
			b = append(b[:at], b[end:]...)
		case 5: // some come twice
			b = append(b[:end], append(append([]byte(nil), b[at:end]...), b[end:]...)...)
		case 6: // it is cut off
			b = b[:at]
		case 7: // another follows, from its middle on
			if other := reflect.ValueOf(m.seeds[m.random.IntN(len(m.seeds))][arg].Interface()); other.Len() > 0 {
				b = append(b[:at], other.Slice(m.random.IntN(other.Len()), other.Len()).Convert(reflect.TypeFor[[]byte]()).Bytes()...)
			}
		case 8: // a digit
			if at < len(b) {
				b[at] = '0' + byte(m.random.UintN(10))
			}
		}
	}
	return b
}

// number changes an integer.
func (m *mutator) number(from reflect.Value) reflect.Value {
	v := reflect.New(from.Type()).Elem()
	n := []int64{0, 1, -1, 127, 128, 255, 256, 65535, 1 << 31, m.random.Int64N(512), -m.random.Int64N(512), m.random.Int64()}[m.random.IntN(12)]
	switch {
	case m.random.IntN(3) == 0:
		v.Set(from)
	case v.CanInt():
		v.SetInt(n)
	case v.CanUint():
		v.SetUint(uint64(n))
	}
	return v
}
