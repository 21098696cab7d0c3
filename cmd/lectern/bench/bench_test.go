package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goburrow/modbus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestQuantilesAreOfWhatWasMeasured(t *testing.T) {
	var none, one times
	if none.p50() < time.Hour || ms(none.p99()) != "never" {
		t.Error("nothing measured keeps a limit")
	}
	for i := range 1000 {
		one.add(time.Duration(1000-i) * time.Microsecond)
	}
	if one.p50() != 501*time.Microsecond || one.p99() != 991*time.Microsecond || one.at(1) != time.Millisecond {
		t.Errorf("%s %s %s", one.p50(), one.p99(), one.at(1))
	}
	if got := pair(512*time.Microsecond, 12345*time.Microsecond); got != "0.51 / 12.3 ms" {
		t.Error(got)
	}
	if m := median([]int{9, 1, 5}); m != 5 {
		t.Error(m)
	}
}

// The slave is an instrument: it is held against a client that is not ours.
func TestTheSlaveIsModbus(t *testing.T) {
	s := newSlave()
	address, err := s.listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	var heard []arrival
	s.hears(func(a arrival) { heard = append(heard, a) })
	handler := modbus.NewTCPClientHandler(address)
	handler.SlaveId, handler.Timeout = 1, patience
	defer handler.Close()
	c := modbus.NewClient(handler)
	before := time.Now()
	for _, write := range []func() ([]byte, error){
		func() ([]byte, error) { return c.WriteSingleCoil(9, 0xFF00) },
		func() ([]byte, error) { return c.WriteSingleCoil(9, 0) },
		func() ([]byte, error) { return c.WriteSingleCoil(10, 0xFF00) },
		func() ([]byte, error) { return c.WriteSingleRegister(3, 513) },
	} {
		if _, err := write(); err != nil {
			t.Fatal(err)
		}
	}
	coils, err := c.ReadCoils(8, 10)
	if err != nil || !slices.Equal(coils, []byte{4, 0}) {
		t.Errorf("coils % X, %v", coils, err)
	}
	words, err := c.ReadHoldingRegisters(2, 3)
	if err != nil || !slices.Equal(words, []byte{0, 0, 2, 1, 0, 0}) {
		t.Errorf("registers % X, %v", words, err)
	}
	if _, err := c.ReadFIFOQueue(1); err == nil {
		t.Error("a function that it has not is answered")
	}
	want := []arrival{{point: point{1, 9}, value: 0xFF00}, {point: point{1, 9}}, {point: point{1, 10}, value: 0xFF00}, {point: point{1, 3}, value: 513}}
	for i := range heard {
		if heard[i].at.Before(before) {
			t.Errorf("heard at %s", heard[i].at)
		}
		heard[i].at = time.Time{}
	}
	if !slices.Equal(heard, want) {
		t.Errorf("heard %v", heard)
	}
	// The same as a frame on a bus: the vector of the MODBUS specification's section 6.5 for unit 17, with its checksum.
	if got := s.Frame([]byte{0x11, 0x05, 0x00, 0xAC, 0xFF, 0x00, 0x4E, 0x8B}); !slices.Equal(got, []byte{0x11, 0x05, 0x00, 0xAC, 0xFF, 0x00, 0x4E, 0x8B}) {
		t.Errorf("on a bus: % X", got)
	}
}

func TestAPressIsMatchedWithItsArrival(t *testing.T) {
	s := newSlave()
	send := func(_ context.Context, coil int, on bool) error {
		switch coil {
		case 1:
			return errNobody // it never arrives
		case 2: // it arrives twice
			s.answer(1, []byte{5, 0, byte(coil), map[bool]byte{true: 0xFF}[on], 0}, time.Now())
		}
		s.answer(1, []byte{5, 0, byte(coil), map[bool]byte{true: 0xFF}[on], 0}, time.Now())
		return nil
	}
	p := newPresser(s, send)
	for coil := range 4 {
		p.press(t.Context(), coil, true, time.Now())
	}
	p.see("light-0", false, time.Now()) // what it was before
	p.see("light-0", true, time.Now())
	p.see("light-0", true, time.Now()) // told again
	if p.pressed != 4 || p.failed != 1 || p.extra != 1 || len(p.wire.all) != 3 || len(p.seen.all) != 1 || p.lost() != 1 {
		t.Errorf("pressed %d, failed %d, extra %d, on the wire %d, seen %d, lost %d", p.pressed, p.failed, p.extra, len(p.wire.all), len(p.seen.all), p.lost())
	}
}

func TestTheTableSaysWhatWasMissed(t *testing.T) {
	var out strings.Builder
	b := &bench{table: table{out: &out}}
	b.ratio("half as quick", 2*time.Millisecond, time.Millisecond, 1.5)
	b.within("in time", time.Millisecond, 2*time.Millisecond, 3*time.Millisecond)
	if missed := b.print(); missed != 1 {
		t.Errorf("%d missed", missed)
	}
	want := `
| figure        | measured       | against       | limit   |      |
| ------------- | -------------- | ------------- | ------- | ---- |
| half as quick | 2.00 ms, 2.00x | floor 1.00 ms | 1.5x    | OVER |
| in time       | 1.00 / 2.00 ms |               | 3.00 ms | ok   |
`
	if got := out.String(); !strings.HasSuffix(got, want) {
		t.Errorf("%s", got)
	}
}

func TestAnUnknownPartIsAnError(t *testing.T) {
	err := Run(t.Context(), Options{Only: []string{"press", "depress"}, Out: new(strings.Builder)})
	if err == nil || errors.Is(err, ErrMissed) || !strings.Contains(err.Error(), `no part "depress"`) || !strings.Contains(err.Error(), "growth") {
		t.Errorf("%v", err)
	}
}

func TestPanelsTellWhatTheFirstIsSentAndWhen(t *testing.T) {
	began := time.Now()
	asked := make(chan struct{}, 3)
	room := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		control := http.NewResponseController(w)
		for _, text := range []string{
			"event: hello\ndata: {}\n\nevent: snap", "shot\ndata: {\"properties\":[{\"device\":\"light-1\",\"property\":\"power\",\"value\":true}]}\n\n",
			"id: 7\nevent: changes\ndata: {\"properties\":[{\"device\":\"light-2\",\"property\":\"power\",\"val", "ue\":true},{\"device\":\"light-3\",\"property\":\"power\",\"value\":null},{\"device\":\"light-3\",\"property\":\"volume\",\"value\":3}]}\n\n",
		} {
			_, _ = io.WriteString(w, text)
			_ = control.Flush()
		}
		<-r.Context().Done()
	}))
	defer room.Close()
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	over := make(chan error, 1)
	go func() { over <- Panels(ctx, strings.TrimPrefix(room.URL, "http://"), 3, in); in.Close() }()
	var heard []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if heard = append(heard, lines.Text()); len(heard) == 2 {
			cancel()
		}
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
	slices.SortFunc(heard, func(a, b string) int { return len(a) - len(b) })
	var device string
	var on bool
	var at int64
	if len(heard) != 2 || heard[0] != "whole" || len(asked) != 3 {
		t.Fatalf("%q, %d panels", heard, len(asked))
	}
	if _, err := fmt.Sscan(heard[1], &device, &on, &at); err != nil || device != "light-2" || !on || at < began.UnixNano() || at > time.Now().UnixNano() {
		t.Errorf("%q, %v", heard[1], err)
	}
}

func TestPanelsThatAreRefusedSaySo(t *testing.T) {
	room := httptest.NewServer(http.NotFoundHandler())
	defer room.Close()
	if err := Panels(t.Context(), strings.TrimPrefix(room.URL, "http://"), 1, io.Discard); err == nil || !strings.Contains(err.Error(), "404 Not Found") {
		t.Error(err)
	}
}
