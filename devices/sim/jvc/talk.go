package jvc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// backlog bounds what waits to be said to somebody who does not listen.
const backlog = 64

// talk is one connection.
type talk struct{ out chan []byte }

func (t *talk) say(bytes ...byte) {
	select {
	case t.out <- bytes:
	default:
	}
}

// Serve implements sim.Stream.
func (d *Deck) Serve(ctx context.Context, conn io.ReadWriter) error {
	t := &talk{out: make(chan []byte, backlog)}
	ctx, cancel := context.WithCancel(ctx)
	var speaking sync.WaitGroup
	speaking.Go(func() {
		for {
			select {
			case bytes := <-t.out:
				if _, err := conn.Write(bytes); err != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	})
	defer speaking.Wait()
	defer cancel()
	d.mu.Lock()
	d.talks[t] = true
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		delete(d.talks, t)
		d.mu.Unlock()
	}()
	for buf := make([]byte, 64); ; {
		n, err := conn.Read(buf)
		d.mu.Lock()
		for _, c := range buf[:n] {
			t.say(d.obey(c)...)
		}
		d.mu.Unlock()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("simulated recorder: %w", err)
		}
	}
}

// obey takes a byte and returns what is answered. The caller holds mu.
func (d *Deck) obey(c byte) []byte {
	ack, nak, failed := []byte{0x0A}, []byte{0x0B}, []byte{0x02}
	armed := d.armed
	d.armed = false
	switch {
	case d.fault == "nak":
		return nak
	case c == 0xF6 || c == 0xF7:
		d.table = c == 0xF6
		return ack
	case !d.table:
		return nak
	case c == 0x7B || c == 0x7C:
		if d.on != (c == 0x7B) {
			d.become(stopped)
			d.on = !d.on
		}
		return ack
	case !d.on:
		return nak
	case c == 0xD7:
		return d.sense()
	case d.failed && c != 0x41 && c != 0x56:
		return failed
	case c == 0x41 || c == 0x56: // CLEAR stops it as well
		d.failed = false
		if c == 0x56 {
			d.become(stopped)
		}
		return ack
	case armed && c != 0xCA && c != 0xCB: // an illegal second byte
		d.failed = true
		return failed
	case !d.do(c, armed):
		return nak
	}
	return ack
}

// do carries out a command of the tape; false where it is none, or not now. The caller holds mu.
func (d *Deck) do(c byte, armed bool) bool {
	d.settle()
	if !d.tape || d.mode == ejecting {
		return false
	}
	runs := d.mode == playing || d.mode == still || d.mode == searching || d.mode == reviewing
	to := map[byte]mode{0x3A: playing, 0x3F: stopped, 0x4F: still, 0xAD: still, 0xAE: still, 0xAB: winding, 0xAC: rewinding}[c]
	switch {
	case c == 0xFA:
		d.armed = !d.protected
		return d.armed
	case c == 0xCA || c == 0xCB:
		to = map[byte]mode{0xCA: recording, 0xCB: waiting}[c]
		if !armed {
			return false
		}
	case c == 0xA3:
		d.eject()
		return true
	case c == 0x69, c == 0x6A, c == 0x60, c == 0x61: // locks and timers
		return true
	case to == "":
		return false
	case to == still && d.mode == recording:
		to = waiting
	case to == playing && d.mode == waiting:
		to = recording
	case to == winding && runs:
		to = searching
	case to == rewinding && runs:
		to = reviewing
	}
	d.become(to)
	return true
}

// sense is the status of page 59. The caller holds mu.
func (d *Deck) sense() []byte {
	d.settle()
	s := []byte{0x80, 0, 0, 0x08, 0}
	for _, bit := range []struct {
		at   int
		mask byte
		on   bool
	}{
		{0, 0x01, d.failed}, {0, 0x08, !d.tape}, {0, 0x10, d.protected},
		{1, 0x01, d.place == tapeLength}, {1, 0x02, d.place == 0}, {1, 0xC0, d.mode == stopped || d.mode == recording || d.mode == waiting},
		{3, 0x02, d.mode == recording || d.mode == waiting}, {3, 0x04, d.mode == ejecting}, {3, 0x10, d.mode == stopped},
		{3, 0x20, d.mode == rewinding}, {3, 0x40, d.mode == winding},
		{3, 0x80, d.mode == playing || d.mode == still || d.mode == searching || d.mode == reviewing},
		{4, 0x10, d.mode == reviewing}, {4, 0x20, d.mode == searching}, {4, 0x80, d.mode == still || d.mode == waiting},
	} {
		if bit.on {
			s[bit.at] |= bit.mask
		}
	}
	return s
}
