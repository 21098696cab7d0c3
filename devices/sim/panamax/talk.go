package panamax

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

func onOff(on bool) string { return map[bool]string{true: "ON", false: "OFF"}[on] }

// end puts the end of a line to a text. The caller holds mu.
func (m *Manager) end(text string) string {
	if m.linefeed {
		return text + "\r\n"
	}
	return text + "\r"
}

func (m *Manager) state(i int) string {
	return fmt.Sprintf("$OUTLET%d = %s", i+1, onOff(m.outlets[i].on))
}

// obey carries out a command and returns what the unit says, in one piece, with the prompt after it.
func (m *Manager) obey(command string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines, ok := []string(nil), true
	words := strings.Fields(command)
	switch {
	case len(words) == 0:
		return ""
	case command[0] == '?':
		lines, ok = m.tell(command)
	case m.fault == "nak":
		ok = false
	default:
		lines, ok = m.act(words)
	}
	if !m.feedback {
		return ""
	}
	if !ok {
		lines = []string{"$INVALID_PARAMETER"}
	}
	var said strings.Builder
	for _, text := range lines {
		said.WriteString(m.end(text))
	}
	if said.Len() == 0 {
		return ""
	}
	return said.String() + ">"
}

// tell answers a question.
func (m *Manager) tell(question string) (lines []string, ok bool) {
	switch question {
	case "?OUTLETSTAT":
		for i := range m.outlets {
			lines = append(lines, m.state(i))
		}
	case "?POWERSTAT":
		lines = []string{"$PWR = NORMAL"}
	case "?VOLTAGE":
		lines = []string{"$VOLTAGE = 230"}
	case "?ID":
		lines = []string{"$PANAMAX", "$M4315", "$FIRMWARE: 1.0"}
	default:
		return nil, false
	}
	return lines, true
}

// act carries out a command.
func (m *Manager) act(words []string) (lines []string, ok bool) {
	on := words[len(words)-1] == "ON"
	mode := len(words) == 2 && (on || words[1] == "OFF")
	switch {
	case words[0] == "!SET_FEEDBACK" && mode:
		m.feedback = on
		return []string{"$FEEDBACK = " + onOff(on)}, true
	case words[0] == "!SET_LINEFEED" && mode:
		m.linefeed = on
		return []string{"$LINEFEED = " + onOff(on)}, true
	case words[0] == "!ALL_ON" && len(words) == 1, words[0] == "!ALL_OFF" && len(words) == 1:
		on = words[0] == "!ALL_ON"
		m.sequence(on)
		return []string{"$PWR = " + onOff(on)}, true
	case words[0] == "!SET_DELAY" && len(words) == 4:
		return m.delay(words[1:])
	case words[0] != "!SWITCH" || len(words) != 3 || !on && words[2] != "OFF":
		return nil, false
	}
	n, err := strconv.Atoi(words[1])
	if err != nil || n < 1 || n > len(m.outlets) {
		return nil, false
	}
	if m.fault == "terse" && m.outlets[n-1].on == on {
		return nil, true
	}
	m.set(n-1, on, false)
	return []string{m.state(n - 1)}, true
}

// delay stores the delays of an outlet, 0 to 255 s each.
func (m *Manager) delay(words []string) (lines []string, ok bool) {
	var numbers [3]int
	for i, text := range words {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 255 {
			return nil, false
		}
		numbers[i] = n
	}
	if numbers[0] < 1 || numbers[0] > len(m.outlets) {
		return nil, false
	}
	o := m.outlets[numbers[0]-1]
	o.onDelay, o.offDelay = time.Duration(numbers[1])*time.Second, time.Duration(numbers[2])*time.Second
	return []string{fmt.Sprintf("$DELAY FOR %d = %d %d", numbers[0], numbers[1], numbers[2])}, true
}
