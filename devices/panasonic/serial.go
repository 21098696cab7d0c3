package panasonic

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	stx = 0x02
	etx = 0x03
	// serialPause: "be sure to wait until 0.5 seconds has elapsed after receiving the response from
	// the projector before sending the next command" (PT-DS8500U, basic format).
	serialPause = 500 * time.Millisecond
	textMost    = 64 // of a reply; the longest is some 20 characters
)

// Serial describes the driver of the serial port.
func Serial() devices.Driver {
	return devices.Driver{
		Name: "panasonic-serial", Feedback: "state, lamp; faults of PT-D10000 and PT-DW10000", Equipment: "Panasonic projectors, on the serial port",
		Facts: "Panasonic RS-232C Control Specifications of PT-DW10000/D10000, PT-DZ12000 and PT-FW300; operating instructions of PT-DS8500U and PT-VW345NZ, control commands via serial terminal",
		Kinds: []string{"projector"}, Lines: []line.Kind{line.Serial, line.TCP},
		Settings: func() any {
			return &SerialSettings{LampStatus: true, Hours: "Q$L:1", AfterPower: afterPower, AfterInput: afterInput}
		},
		New: newSerial,
	}
}

// SerialSettings are the settings of a projector on its serial port.
type SerialSettings struct {
	ID         string        `yaml:"id" doc:"projector ID: 01 to 64, ZZ for any, or 0A to 0Z for a group, which answer only where the projector's menu says so; default none, for a projector alone on its line"`
	LampStatus bool          `yaml:"lamp_status" doc:"whether the model has the query Q$S; without it warming and cooling are not seen; default true"`
	Hours      string        `yaml:"hours" doc:"query for the hours: Q$L:1 (default) for models with several lamps, Q$L with one, QST for laser models"`
	SelfTest   bool          `yaml:"self_test" doc:"read what is wrong with the self-diagnosis that PT-D10000 and PT-DW10000 have; default false"`
	AfterPower time.Duration `yaml:"after_power" doc:"how long the projector is left alone after a power command; default 8s; some manuals demand 60s"`
	AfterInput time.Duration `yaml:"after_input" doc:"how long the projector is left alone after an input command; default 2s"`
}

func (s *SerialSettings) manners() manners {
	return manners{lampStatus: s.LampStatus, hours: s.Hours, afterPower: s.AfterPower, afterInput: s.AfterInput}
}

// Validate says what is wrong with the settings.
func (s *SerialSettings) Validate() error {
	err := s.manners().validate()
	if !isID(s.ID) {
		err = errors.Join(err, fmt.Errorf("id %q: it is 01 to 64, ZZ, or 0A to 0Z for a group", s.ID))
	}
	if _, ok := binaryID(s.ID); s.SelfTest && !ok {
		err = errors.Join(err, fmt.Errorf("self_test: a group cannot be asked; give the id 01 to 64, ZZ or none"))
	}
	return err
}

func isID(id string) bool {
	_, ok := binaryID(id)
	return ok || len(id) == 2 && id[0] == '0' && id[1] >= 'A' && id[1] <= 'Z'
}

// binaryID is the ID as the self-diagnosis has it; 0 is any projector.
func binaryID(id string) (byte, bool) {
	if id == "" || id == "ZZ" {
		return 0, true
	}
	n, err := strconv.ParseUint(id, 10, 8)
	return byte(n), err == nil && len(id) == 2 && n >= 1 && n <= 64
}

func newSerial(e devices.Env, settings any) (any, error) {
	set := settings.(*SerialSettings)
	if err := e.Line.Use(line.Session{Name: "Panasonic serial", Split: splitSerial, Explain: explainUnasked}); err != nil {
		return nil, fmt.Errorf("panasonic-serial: %w", err)
	}
	p := &Projector{
		line: e.Line, set: set.manners(),
		speech: dialect{frame: serialFrame(set.ID), body: serialBody, pause: serialPause},
	}
	if set.SelfTest {
		id, _ := binaryID(set.ID)
		p.selfTest = selfTestRequest(id)
	}
	return p, nil
}

// serialFrame puts a command between STX and ETX, after the ID where there is one.
func serialFrame(id string) func(string) []byte {
	prefix := ""
	if id != "" {
		prefix = "AD" + id + ";"
	}
	return func(command string) []byte { return []byte(string(rune(stx)) + prefix + command + string(rune(etx))) }
}

// serialBody returns what stands between STX and ETX. Where a projector puts its ID there, it is left
// out.
func serialBody(frame []byte) (text string, ok bool) {
	if len(frame) < 3 || frame[0] != stx || frame[len(frame)-1] != etx {
		return "", false
	}
	body := frame[1 : len(frame)-1]
	for _, b := range body {
		if b < ' ' || b > '~' {
			return "", false
		}
	}
	if len(body) > 5 && bytes.HasPrefix(body, []byte("AD")) && body[4] == ';' {
		body = body[5:]
	}
	return string(body), true
}

// splitSerial cuts the stream into frames from STX to ETX, and the noise between them. The
// self-diagnosis has a fixed length, and any byte may stand in it.
func splitSerial(got []byte) int {
	begin := bytes.IndexByte(got, stx)
	switch {
	case begin < 0:
		return len(got)
	case begin > 0:
		return begin
	case len(got) < 4 && (len(got) < 3 || got[2] == selfTestMark):
		return 0
	case isSelfTest(got):
		if len(got) < selfTestLength {
			return 0
		}
		return selfTestLength
	}
	end := bytes.IndexByte(got, etx)
	again := bytes.IndexByte(got[1:], stx) + 1
	switch {
	case again > 0 && (end < 0 || again < end): // the rest of a frame that was cut off
		return again
	case end > 0:
		return end + 1
	case len(got) > textMost:
		return len(got)
	}
	return 0
}

func explainUnasked(frame []byte) string {
	text, _ := serialBody(frame)
	return text
}
