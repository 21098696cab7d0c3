package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// slave is Modbus equipment that notes when a command reaches it: a relay box with as many units as are asked
// for, on a socket as it stands in the MODBUS Messaging Implementation Guide, or on a bus as a sim.Unit. It
// answers at once, but for the units that are slow or dead.
type slave struct {
	wg sync.WaitGroup

	mu      sync.Mutex
	doors   []net.Listener
	coils   map[point]bool
	words   map[point]uint16
	delays  map[byte]time.Duration // of units that take their time
	dead    map[byte]bool
	heard   func(arrival) // is told of each write; must not block
	asked   int           // frames that arrived
	spoken  int           // bytes both ways, as an RTU frame has them
	open    map[net.Conn]struct{}
	stopped bool
}

type point struct {
	unit    byte
	address uint16
}

// arrival is a write that has reached the equipment.
type arrival struct {
	point
	value uint16
	at    time.Time
}

func newSlave() *slave {
	return &slave{
		coils: make(map[point]bool), words: make(map[point]uint16), delays: make(map[byte]time.Duration), dead: make(map[byte]bool),
		open: make(map[net.Conn]struct{}),
	}
}

// listen serves on one more loopback address until close.
func (s *slave) listen(ctx context.Context) (address string, err error) {
	door, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("the measuring slave: %w", err)
	}
	s.mu.Lock()
	s.doors = append(s.doors, door)
	s.mu.Unlock()
	s.wg.Go(func() {
		for {
			c, err := door.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			stopped := s.stopped
			if !stopped {
				s.open[c] = struct{}{}
				s.wg.Go(func() { s.serve(c) })
			}
			s.mu.Unlock()
			if stopped {
				_ = c.Close()
			}
		}
	})
	return door.Addr().String(), nil
}

func (s *slave) close() {
	s.mu.Lock()
	s.stopped = true
	for _, door := range s.doors {
		_ = door.Close()
	}
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// serve answers one connection, request by request, as a box with one bus behind it does.
func (s *slave) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
	}()
	buf := make([]byte, 260)
	for {
		if _, err := io.ReadFull(c, buf[:7]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint16(buf[4:])) - 1
		if n < 1 || n > 253 {
			return
		}
		if _, err := io.ReadFull(c, buf[7:7+n]); err != nil {
			return
		}
		at := time.Now()
		reply := s.answer(buf[6], buf[7:7+n], at)
		if reply == nil {
			continue
		}
		binary.BigEndian.PutUint16(buf[4:], uint16(1+len(reply)))
		if _, err := c.Write(append(buf[:7:7], reply...)); err != nil {
			return
		}
	}
}

// Frame implements sim.Unit: the same on a bus. Who hears a frame that is not for them says nothing.
func (s *slave) Frame(frame []byte) []byte {
	if len(frame) < 4 {
		return nil
	}
	reply := s.answer(frame[0], frame[1:len(frame)-2], time.Now())
	if reply == nil {
		return nil
	}
	s.mu.Lock()
	s.spoken += len(frame) + len(reply) + 3
	s.mu.Unlock()
	reply = append([]byte{frame[0]}, reply...)
	return binary.LittleEndian.AppendUint16(reply, crc(reply))
}

// Truth, Nudge and Fault are of no use to a measurement.
func (s *slave) Truth() map[string]string { return nil }

// Nudge implements sim.Equipment.
func (s *slave) Nudge(string, string, string) error { return errNobody }

// Fault implements sim.Equipment.
func (s *slave) Fault(string) error { return errNobody }

// answer carries out one request and returns the reply, without unit and checksum; nil from a dead unit.
func (s *slave) answer(unit byte, request []byte, at time.Time) []byte {
	const illegalFunction, illegalValue = 1, 3
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.dead[unit] {
		return nil
	}
	if d := s.delays[unit]; d > 0 {
		s.mu.Unlock()
		time.Sleep(d)
		s.mu.Lock()
	}
	function := request[0]
	if len(request) < 5 {
		return []byte{function | 0x80, illegalValue}
	}
	p, n := point{unit, binary.BigEndian.Uint16(request[1:])}, binary.BigEndian.Uint16(request[3:])
	switch function {
	case 1, 2:
		reply := append([]byte{function, byte((n + 7) / 8)}, make([]byte, (n+7)/8)...)
		for i := range n {
			if s.coils[point{unit, p.address + i}] {
				reply[2+i/8] |= 1 << (i % 8)
			}
		}
		return reply
	case 3, 4:
		reply := []byte{function, byte(2 * n)}
		for i := range n {
			reply = binary.BigEndian.AppendUint16(reply, s.words[point{unit, p.address + i}])
		}
		return reply
	case 5:
		s.coils[p] = n != 0
	case 6:
		s.words[p] = n
	default:
		return []byte{function | 0x80, illegalFunction}
	}
	if s.heard != nil {
		s.heard(arrival{p, n, at})
	}
	return append([]byte(nil), request[:5]...)
}

// turn is somebody at the equipment itself who switches a coil. It returns when that was.
func (s *slave) turn(p point, on bool) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.coils[p] = on
	return time.Now()
}

// traffic returns how many frames have arrived and how many bytes have gone over a bus.
func (s *slave) traffic() (frames, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked, s.spoken
}

// hears has a function told of each write from now on.
func (s *slave) hears(f func(arrival)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = f
}

// crc is the checksum of an RTU frame (MODBUS over Serial Line, appendix B).
func crc(b []byte) uint16 {
	sum := uint16(0xFFFF)
	for _, x := range b {
		sum ^= uint16(x)
		for range 8 {
			low := sum & 1
			sum >>= 1
			if low == 1 {
				sum ^= 0xA001
			}
		}
	}
	return sum
}
