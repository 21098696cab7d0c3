package sim

import (
	"math"
	"time"
)

// Motor is a motor that runs between 0 (closed) and 100 (open) by the clock. It is for simulators of curtain
// motors, which guard it.
type Motor struct {
	Full time.Duration // from one end to the other

	from, to float64
	since    time.Time
}

// Place is where the motor is now and which way it runs: 1 opens, -1 closes, 0 stands.
func (m *Motor) Place() (percent float64, way int) {
	gone := 100 * float64(time.Since(m.since)) / float64(m.Full)
	switch {
	case m.to > m.from && m.from+gone < m.to:
		return m.from + gone, 1
	case m.to < m.from && m.from-gone > m.to:
		return m.from - gone, -1
	}
	return m.to, 0
}

// Percent is where the motor is, as equipment says it.
func (m *Motor) Percent() int {
	percent, _ := m.Place()
	return int(math.Round(percent))
}

// Motion is what the motor does, in the words of the API.
func (m *Motor) Motion() string {
	_, way := m.Place()
	return map[int]string{1: "up", 0: "stop", -1: "down"}[way]
}

// Target is where the motor is sent.
func (m *Motor) Target() int { return int(math.Round(m.to)) }

// GoTo sets the motor going to a height.
func (m *Motor) GoTo(percent float64) {
	m.from, _ = m.Place()
	m.to, m.since = percent, time.Now()
}

// Stop stops the motor, at a whole percent, as those that count turns report it.
func (m *Motor) Stop() { m.Jump(float64(m.Percent())) }

// Jump puts the motor at a height at once: somebody has moved it by hand.
func (m *Motor) Jump(percent float64) { m.from, m.to = percent, percent }
