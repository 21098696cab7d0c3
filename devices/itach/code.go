package itach

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Code is one infrared command: bursts and pauses on a carrier.
type Code struct {
	Frequency int // of the carrier in Hz
	// Repeat is how often it is sent in all, and Offset where each repetition begins, counted from 1
	// in Pulses: 3 leaves the first pair out. Offset is odd, as a repetition begins with a burst.
	Repeat int
	Offset int
	// Pulses are bursts and pauses in turn, in periods of the carrier. Their number is even.
	Pulses []int
}

// What the equipment takes (iTach API 1.5, sendir; Flex and GC-100 narrow the repeats).
const (
	leastHz    = 15_000
	mostHz     = 500_000
	mostPairs  = 260
	mostPeriod = 50_000
	mostOffset = 383
	shortest   = 80 * time.Microsecond // of a burst or pause
	// longest keeps a command within the patience of a person, and others on the line waiting no more.
	longest = 4 * time.Second
)

// prontoTick is the unit of a Pronto frequency word: 0.241246 µs, a period of the Pronto's clock.
const prontoTick = 0.241246e-6

// Parse reads a code as a room file has it: learned Pronto hex ("0000 006D 0022 ...") or a command of
// the equipment itself ("sendir,1:1,1,38000,1,1,342,171,..."), whose address and ID do not matter. A
// Pronto code is sent repeat times; a sendir says itself how often.
func Parse(text string, repeat int) (Code, error) {
	text = strings.TrimSpace(text)
	var c Code
	var err error
	if strings.HasPrefix(text, "sendir,") {
		c, err = Sendir(text)
	} else {
		c, err = Pronto(text)
		c.Repeat = repeat
	}
	if err != nil {
		return Code{}, err
	}
	return c, c.check()
}

// Pronto reads a learned Pronto code: words of four hex digits, of which the first is 0000, the second
// the carrier, the third and fourth the number of pairs in the sequence that is sent once and in the
// one that repeats. Its Repeat is 1. Where there are both sequences, repetitions begin at the second.
func Pronto(text string) (Code, error) {
	fields := strings.Fields(text)
	if len(fields) < 6 {
		return Code{}, errors.New("it is neither sendir,... nor Pronto hex, which is words of four digits, such as 0000 006D 0022 0002")
	}
	words := make([]int, len(fields))
	for i, f := range fields {
		n, err := strconv.ParseUint(f, 16, 16)
		if err != nil || len(f) != 4 {
			return Code{}, fmt.Errorf("word %d of the Pronto code is %q: it has four hex digits", i+1, shown(f))
		}
		words[i] = int(n)
	}
	kind, carrier, once, repeated := words[0], words[1], words[2], words[3]
	switch {
	case kind != 0:
		return Code{}, fmt.Errorf("the Pronto code begins with %s: only learned codes, which begin with 0000, hold their pulses", fields[0])
	case carrier == 0:
		return Code{}, errors.New("the Pronto code has no carrier: its second word is 0000")
	case len(words)-4 != 2*(once+repeated):
		return Code{}, fmt.Errorf("the Pronto code says %d and %d pairs and has %d words of them: it has been cut, or something was added",
			once, repeated, len(words)-4)
	}
	c := Code{Frequency: int(math.Round(1 / (float64(carrier) * prontoTick))), Repeat: 1, Offset: 1, Pulses: words[4:]}
	if once > 0 && repeated > 0 {
		c.Offset = 2*once + 1
	}
	return c, nil
}

var (
	sendirForm = regexp.MustCompile(`^sendir,[0-9]+:[0-9]+,[0-9]+,([0-9]{1,6}),([0-9]{1,3}),([0-9]{1,3}),([0-9A-O,]+)$`)
	tokenForm  = regexp.MustCompile(`[0-9]+|[A-O]`)
)

// Sendir reads a command of the equipment, as its learner prints it. In the compressed form a capital
// letter stands for one of the first fifteen different pairs, in the order of their appearance.
func Sendir(text string) (Code, error) {
	f := sendirForm.FindStringSubmatch(text)
	if f == nil {
		return Code{}, errors.New("a sendir is sendir,1:1,ID,frequency,repeat,offset and then numbers in pairs, with commas and no blanks")
	}
	var c Code
	c.Frequency, _ = strconv.Atoi(f[1])
	c.Repeat, _ = strconv.Atoi(f[2])
	c.Offset, _ = strconv.Atoi(f[3])
	var known [][2]int
	half := 0 // the burst of a pair whose pause has not come yet
	for _, token := range tokenForm.FindAllString(f[4], -1) {
		if letter := token[0]; letter >= 'A' {
			at := int(letter - 'A')
			if half != 0 || at >= len(known) {
				return Code{}, fmt.Errorf("%s in the sendir stands for no pair before it", token)
			}
			c.Pulses = append(c.Pulses, known[at][0], known[at][1])
			continue
		}
		n, err := strconv.Atoi(token)
		if err != nil || n < 1 || n > mostPeriod {
			return Code{}, fmt.Errorf("the sendir has a pulse of %s periods: they are 1 to %d", shown(token), mostPeriod)
		}
		if half == 0 {
			half = n
			continue
		}
		pair := [2]int{half, n}
		c.Pulses, half = append(c.Pulses, pair[0], pair[1]), 0
		if len(known) < 15 && !contains(known, pair) {
			known = append(known, pair)
		}
	}
	if half != 0 {
		return Code{}, errors.New("the sendir ends with a burst: a pause must follow, or it has been cut")
	}
	return c, nil
}

func contains(pairs [][2]int, pair [2]int) bool {
	for _, p := range pairs {
		if p == pair {
			return true
		}
	}
	return false
}

// shown is a text that may be long or strange, fit for an error.
func shown(text string) string {
	if len(text) > 12 {
		text = text[:12] + "…"
	}
	return text
}

// check says whether the equipment can send the code.
func (c Code) check() error {
	switch {
	case len(c.Pulses) == 0 || len(c.Pulses)%2 != 0:
		return errors.New("the code has no pulses, or a burst without its pause")
	case len(c.Pulses) > 2*mostPairs:
		return fmt.Errorf("the code has %d pairs of pulses: the equipment takes %d", len(c.Pulses)/2, mostPairs)
	case c.Frequency < leastHz || c.Frequency > mostHz:
		return fmt.Errorf("the carrier is %d Hz: the equipment takes %d to %d", c.Frequency, leastHz, mostHz)
	case c.Repeat < 1 || c.Repeat > mostRepeat(modelITach):
		return fmt.Errorf("it is to be sent %d times: that is 1 to %d", c.Repeat, mostRepeat(modelITach))
	case c.Offset < 1 || c.Offset > mostOffset || c.Offset%2 == 0 || c.Offset > len(c.Pulses):
		return fmt.Errorf("repetitions begin at pulse %d: that is odd, at most %d and within the code", c.Offset, mostOffset)
	}
	for i, n := range c.Pulses {
		if n > mostPeriod || c.lasts(n) < shortest {
			return fmt.Errorf("pulse %d lasts %d periods: it must be at least %s and at most %d periods", i+1, n, shortest, mostPeriod)
		}
	}
	if d := c.Duration(); d > longest {
		return fmt.Errorf("sending it takes %s, longer than %s: repeat it less", d.Round(time.Millisecond), longest)
	}
	return nil
}

// lasts is how long so many periods of the carrier are.
func (c Code) lasts(periods int) time.Duration {
	return time.Duration(float64(periods) / float64(c.Frequency) * float64(time.Second))
}

// Duration is how long the equipment takes to send the code, repetitions included.
func (c Code) Duration() time.Duration {
	all, again := 0, 0
	for i, n := range c.Pulses {
		all += n
		if i >= c.Offset-1 {
			again += n
		}
	}
	return c.lasts(all + (c.Repeat-1)*again)
}
