package itach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longest is the most that a command may have before its CR.
const longest = 8 << 10

// Serve implements sim.Stream.
func (b *Box) Serve(ctx context.Context, conn io.ReadWriter) error {
	var pending []byte
	for buf := make([]byte, 4096); ; {
		n, err := conn.Read(buf)
		for _, c := range buf[:n] {
			if pending = append(pending, c); c != '\r' && len(pending) < longest {
				continue
			}
			said, takes := b.obey(strings.TrimSuffix(string(pending), "\r"))
			pending = pending[:0]
			if takes > 0 && !sleep(ctx, takes) {
				return nil
			}
			if said == "" {
				continue
			}
			if _, err := io.WriteString(conn, said+"\r"); err != nil {
				return fmt.Errorf("simulated itach: %w", err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("simulated itach: %w", err)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

var (
	sendForm = regexp.MustCompile(`^sendir,([0-9]+):([0-9]+),([0-9]+),([0-9]+),([0-9]+),([0-9]+),([0-9A-O,]+)$`)
	stopForm = regexp.MustCompile(`^stopir,([0-9]+:[0-9]+)$`)
)

// obey carries out a command and returns the answer, and how long it takes to come.
func (b *Box) obey(command string) (said string, takes time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch command {
	case "":
		return "", 0
	case "getdevices":
		return "device,0,0 ETHERNET\rdevice,1,3 IR\rendlistdevices", 0
	case "getversion", "getversion,0":
		return "version,0,710-1008-05", 0
	}
	if f := stopForm.FindStringSubmatch(command); f != nil {
		return command, 0
	}
	f := sendForm.FindStringSubmatch(command)
	if f == nil {
		return b.no("0:0", 1), 0
	}
	return b.send(f)
}

// send judges a sendir as the table of errors has it, and carries it out.
func (b *Box) send(f []string) (said string, takes time.Duration) {
	where := f[1] + ":" + f[2]
	id, hz, repeat, offset := number(f[3]), number(f[4]), number(f[5]), number(f[6])
	most := map[string]int{"gc-100": 31, "flex": 20}[b.model]
	if most == 0 {
		most = 50
	}
	spelled := spell(f[7])
	pulses := strings.Split(spelled, ",")
	numbers := strings.FieldsFunc(f[7], func(r rune) bool { return r < '0' || r > '9' })
	code := 0
	switch {
	case !b.modules[f[1]]:
		return b.no("0:0", 2), 0
	case number(f[2]) < 1 || number(f[2]) > 3:
		code = 3
	case id > 65535:
		code = 4
	case hz < 15000 || hz > 500000:
		code = 5
	case repeat < 1 || repeat > most:
		code = 6
	case offset < 1 || offset%2 == 0 || offset > 383:
		code = 7
	case len(numbers)%2 != 0 || spelled == "":
		code = 10
	case len(pulses) > 520:
		code = 20
	case b.fault == "nak":
		code = 13
	}
	if code != 0 {
		return b.no(where, code), 0
	}
	all, again := 0, 0
	for i, p := range pulses {
		n := number(p)
		if n < 1 || n > 50000 || float64(n)/float64(hz) < 80e-6 {
			return b.no(where, 9), 0
		}
		all += n
		if i >= offset-1 {
			again += n
		}
	}
	switch {
	case b.fault == "busy":
		return "busyIR," + where + "," + f[3], 0
	case b.fault == "busy-briefly" && b.tries < 2:
		b.tries++
		return "busyIR," + where + "," + f[3], 0
	case b.fault == "stopped":
		return "stopir," + where, 0
	}
	b.shine(where, spelled)
	takes = time.Duration(float64(all+(repeat-1)*again) / float64(hz) * float64(time.Second))
	return "completeir," + where + "," + f[3], b.options.Scale(takes)
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

// no is an error in the wording of the model.
func (b *Box) no(where string, code int) string {
	switch b.model {
	case "gc-100":
		old, ok := map[int]int{2: 2, 3: 4, 7: 8, 10: 10, 13: 6, 20: 9}[code]
		if !ok {
			old = 14
		}
		return "unknowncommand " + strconv.Itoa(old)
	case "flex":
		return fmt.Sprintf("ERR IR%03d", code)
	}
	return fmt.Sprintf("ERR_%s,%03d", where, code)
}
