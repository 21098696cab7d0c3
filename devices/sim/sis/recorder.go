package sis

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// transports are the states of the recorder in the words of the API.
var transports = [...]string{"stop", "record", "pause"}

// record changes what the recorder does, and returns what is said of it.
func (f *Frame) record(state int) string {
	f.length = f.recorded()
	if state == 1 && f.state == 0 {
		f.length = 0 // a new recording
	}
	f.state, f.since = state, time.Now()
	return fmt.Sprintf("RcdrY%d", state)
}

// recorded is how long the recording is; a disk runs at the speed of life.
func (f *Frame) recorded() time.Duration {
	if f.state == 1 {
		return f.length + time.Since(f.since)
	}
	return f.length
}

var recorderForm = regexp.MustCompile(`^(?:Y([0-2]?)|B|E([0-9]{1,2}))RCDR$`)

// recorder carries out an escape command of the recorder (SMP 300 Series, recording).
func (f *Frame) recorder(t *talk, m []string) string {
	switch {
	case m[0] == "YRCDR" && f.fault == "bare":
		return strconv.Itoa(f.state)
	case m[0] == "YRCDR":
		return t.tell(fmt.Sprintf("RcdrY%d", f.state), strconv.Itoa(f.state))
	case m[1] != "":
		state, _ := strconv.Atoi(m[1])
		if state == 2 && f.state == 0 {
			return "E14" // there is nothing to pause
		}
		return f.done(t, f.record(state))
	case f.state == 0: // marks and more time are for a recording
		return "E14"
	}
	return f.done(t, "Rcdr"+m[0][:len(m[0])-len("RCDR")])
}

// elapsed answers 35I, the time of the recording.
func (f *Frame) elapsed(t *talk) string {
	s := int(f.recorded().Seconds())
	if f.state == 0 {
		s = 0 // "Displays 00:00:00 when not recording"
	}
	text := fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
	return t.tell("Inf35*"+text, text)
}
