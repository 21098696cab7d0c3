// Package hdmimatrix drives the HDMI matrices that many makers sell under many names and that take
// plain ASCII: RS-232 at 9600 baud (Atlona 115200), 8N1, or the same over TCP. There are three
// families, and `dialect` says which one a board belongs to:
//
//	atlona  "x1AVx2" and CR, which the board repeats; "Statusx2" tells "x1AVx2"
//	letter  "1V2." answered "AV:01->02"; "Status2." tells the same (PTN 2.0 commands)
//	out     "OUT02:01." answered "Output 02 Switch To In 01!"; "STA_VIDEO." tells all outputs
//
// A command that was typed into a terminal and worked tells the family.
//
// Within a family boards differ too, and where they do a setting says which it is:
//
//   - digits: AT-HD-1600 wants x01AVx02 where others want x1AVx2; letter boards mostly take both.
//   - signal: the letter between the ports is V, B or A. On boards with one signal V and B differ
//     in whether the infrared goes along; on those with breakaway audio A is the sound.
//   - untie: Atlona switches an output off with "x2$", the UHD-PRO3 with "x2$ off", some not at all.
//
// What no manual says, and what it means here:
//
//   - How Status tells an output that is off. Input 0, the answer to the off command and the
//     word Closed are taken for it; a board that goes on naming the input is believed.
//   - An error reply, but for Atlona's "Command FAILED". See failure in dialect.go.
//   - Whether anything is reported by itself. Nothing is counted on; the board is asked.
//
// Inputs and outputs go by their plain numbers.
package hdmimatrix

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// pauseLeast is kept between commands, where the room file does not ask for more. The manuals give no
// number; the boards are small and take one command at a time.
const (
	pauseLeast = 100 * time.Millisecond
	pauseMost  = 2 * time.Second
)

// Ways to switch an output off.
const (
	untieShort = "short"
	untieLong  = "long"
	untieNone  = "none"
)

// Settings are what a room file says of a board.
type Settings struct {
	Dialect string        `yaml:"dialect" doc:"atlona (x1AVx2), letter (1V2.) or out (OUT02:01.): whichever commands the manual lists"`
	Digits  int           `yaml:"digits" doc:"1 or 2: how many digits a port has in a command; default 0: what the dialect usually has"`
	Signal  string        `yaml:"signal" doc:"dialect letter: the letter between the ports, V (default), B or A"`
	Untie   string        `yaml:"untie" doc:"how an output is switched off: short (default: x2$ and 2$.), long (x2$ off) or none, where the board cannot; dialect out never can"`
	Pause   time.Duration `yaml:"pause" doc:"least time between two commands, 100ms (default) to 2s, for boards that lose what comes faster"`
	Inputs  int           `yaml:"inputs" doc:"how many inputs there are; default 0: not checked before sending"`
	Outputs int           `yaml:"outputs" doc:"how many outputs there are; default 0: not checked before sending"`
}

// most bounds inputs and outputs: no dialect has more than two digits.
const most = 99

// Validate checks the settings.
func (s *Settings) Validate() error {
	_, ok := dialects()[s.Dialect]
	switch {
	case s.Dialect == "":
		return errors.New("dialect is missing: it is atlona, letter or out")
	case !ok:
		return fmt.Errorf("dialect %q: it is atlona, letter or out", s.Dialect)
	case s.Digits < 0 || s.Digits > 2:
		return fmt.Errorf("digits %d: it is 1 or 2, or 0 for what the dialect usually has", s.Digits)
	case s.Signal != "V" && s.Signal != "B" && s.Signal != "A":
		return fmt.Errorf("signal %q: it is V, B or A", s.Signal)
	case s.Untie != untieShort && s.Untie != untieLong && s.Untie != untieNone:
		return fmt.Errorf("untie %q: it is short, long or none", s.Untie)
	case s.Untie == untieLong && s.Dialect != atlona:
		return errors.New(`untie long goes with dialect atlona: no other has "x2$ off"`)
	case s.Pause < pauseLeast || s.Pause > pauseMost:
		return fmt.Errorf("pause %s: it is %s to %s", s.Pause, pauseLeast, pauseMost)
	case s.Inputs < 0 || s.Inputs > most || s.Outputs < 0 || s.Outputs > most:
		return fmt.Errorf("inputs %d and outputs %d: they are 0 to %d", s.Inputs, s.Outputs, most)
	}
	return nil
}

// Driver returns the driver "hdmi-matrix".
func Driver() devices.Driver {
	return devices.Driver{
		Name:      "hdmi-matrix",
		Equipment: "HDMI matrices with plain ASCII commands (Atlona, PTN and the boards sold under other names)",
		Facts: "Atlona AT-UHD-H2H-44M p. 19, AT-UHD-PRO3-44M p. 22, AT-HD-1600-SL p. 9; PTN MDV44A and MMX1616 manuals, " +
			"MuxLab 500412 p. 21, Monoprice 21818 p. 19 (letter); Monoprice 39670 p. 46, Woxcon MUH44-H2 p. 23 (out)",
		Kinds: []string{"matrix"},
		Lines: []line.Kind{line.Serial, line.TCP},
		Settings: func() any {
			return &Settings{Signal: "V", Untie: untieShort, Pause: pauseLeast}
		},
		New: func(env devices.Env, settings any) (any, error) {
			return newMatrix(env, *settings.(*Settings))
		},
	}
}

// matrix is one board. It implements devices.Selector.
type matrix struct {
	line     *line.Line
	settings Settings
	dialect  dialect
}

var _ devices.Selector = (*matrix)(nil)

func newMatrix(env devices.Env, settings Settings) (*matrix, error) {
	m := &matrix{line: env.Line, settings: settings, dialect: dialects()[settings.Dialect]}
	if settings.Untie == untieLong {
		m.dialect.off = atlonaOff
	}
	if settings.Digits != 0 {
		m.dialect.digits = settings.Digits
	}
	err := env.Line.Use(line.Session{Name: "hdmi matrix " + settings.Dialect, Split: split, Explain: m.dialect.explain})
	if err != nil {
		return nil, fmt.Errorf("hdmi matrix: %w", err)
	}
	return m, nil
}

// Selected implements devices.Selector.
func (m *matrix) Selected(ctx context.Context, output string) (string, error) {
	to, err := code("output", output, m.settings.Outputs)
	if err != nil {
		return "", err
	}
	f, err := m.ask(ctx, m.dialect.read(m.port(to)), "read output "+output, m.dialect.list, func(f message) bool {
		return f.output == to && (f.kind == tied && m.carries(f.signal) || f.kind == closed)
	})
	if err != nil || f.kind == closed || f.input == 0 {
		return "", err
	}
	return strconv.Itoa(f.input), nil
}

// Select implements devices.Selector.
func (m *matrix) Select(ctx context.Context, output, input string) error {
	to, err := code("output", output, m.settings.Outputs)
	if err != nil {
		return err
	}
	if input == "" {
		return m.untie(ctx, to)
	}
	from, err := code("input", input, m.settings.Inputs)
	if err != nil {
		return err
	}
	command := m.dialect.route(m.settings.Signal, m.port(from), m.port(to))
	_, err = m.ask(ctx, command, fmt.Sprintf("route input %d to output %d", from, to), 0, func(f message) bool {
		return f.kind == quiet || f.kind == tied && f.output == to && f.input == from && m.carries(f.signal)
	})
	return err
}

// untie switches an output off.
func (m *matrix) untie(ctx context.Context, output int) error {
	if m.settings.Untie == untieNone || m.dialect.off == nil {
		return &devices.Refusal{Reason: devices.Phrase{ZH: "该矩阵不能关闭输出", EN: "This matrix cannot switch an output off"}}
	}
	_, err := m.ask(ctx, m.dialect.off(m.port(output)), fmt.Sprintf("switch output %d off", output), 0, func(f message) bool {
		return f.kind == quiet || f.kind == closed && f.output == output
	})
	return err
}

// ask sends a command and returns the line that answers it; the board's no as a *devices.Rejection.
func (m *matrix) ask(ctx context.Context, command, note string, list time.Duration, accept func(message) bool) (message, error) {
	frame, err := m.line.Do(ctx, line.Exchange{
		Request: []byte(command), Note: note, Explain: m.dialect.explain,
		Pause: max(m.settings.Pause, list),
		Accept: func(f []byte) bool {
			answer := m.dialect.parse(f)
			return answer.kind == failed || accept(answer)
		},
	})
	if err != nil {
		return message{}, fmt.Errorf("hdmi matrix %s: %w", note, err)
	}
	answer := m.dialect.parse(frame)
	if answer.kind == failed {
		return message{}, fmt.Errorf("hdmi matrix %s: %w", note, &devices.Rejection{
			Code:   printable(frame),
			Reason: devices.Phrase{ZH: "矩阵拒绝执行，请检查端口编号", EN: "The matrix refused; check the numbers of its ports"},
		})
	}
	return answer, nil
}

// carries reports whether a tie that is told for a signal is one of ours. AV, and a line that names
// no signal, is all of them.
func (m *matrix) carries(signal string) bool {
	if signal == "" || signal == "AV" {
		return true
	}
	return (signal[0] == 'A') == (m.settings.Signal == "A")
}

// port writes a number as the board wants it.
func (m *matrix) port(n int) string { return fmt.Sprintf("%0*d", m.dialect.digits, n) }

// code reads the code of an input or output: its plain number, however the board writes it.
func code(what, text string, count int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most || strconv.Itoa(n) != text {
		return 0, fmt.Errorf("hdmi matrix %s %q: its code is its plain number, 1 to %d", what, text, most)
	}
	if count > 0 && n > count {
		return 0, &devices.Refusal{Reason: devices.Phrase{
			ZH: fmt.Sprintf("矩阵没有 %d 号端口", n), EN: fmt.Sprintf("The matrix has no %s %d", what, n),
		}}
	}
	return n, nil
}
