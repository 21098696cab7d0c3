package kramer

import (
	"context"
	"fmt"
	"strconv"

	"lectern/devices"
)

// How a model is told to route.
const (
	byRoute  = "route"  // #ROUTE 12,3,1
	byLegacy = "legacy" // #AV 1>3, #VID, #AUD
)

// How a model is told in ROUTE that an output is to show nothing.
const (
	untieZero = "0"
	untieX    = "x"
)

// MatrixSettings are what a room file says of a matrix or switcher.
type MatrixSettings struct {
	Machine int    `yaml:"machine" doc:"number of the machine, 1 to 99, where several share a line; default 0: not named, whoever hears answers"`
	Command string `yaml:"command" doc:"route (default) for models with #ROUTE; legacy for those with #AV, #VID and #AUD only"`
	Layer   string `yaml:"layer" doc:"what a tie carries: all (default: video and audio), video, audio or usb. Models without audio of their own take video only"`
	Untie   string `yaml:"untie" doc:"the source that ROUTE disconnects an output with: 0 (default) or x, as the model's manual has it"`
	Inputs  int    `yaml:"inputs" doc:"how many inputs there are; default 0: not checked before sending"`
	Outputs int    `yaml:"outputs" doc:"how many outputs there are; default 0: not checked before sending"`
}

// most bounds inputs, outputs and channels; the largest matrices of the family have two digits.
const most = 999

// Validate checks the settings.
func (s *MatrixSettings) Validate() error {
	l := layer(s.Layer)
	switch {
	case s.Machine < 0 || s.Machine > 99:
		return fmt.Errorf("machine %d: it is 1 to 99, or 0 to leave it out", s.Machine)
	case s.Command != byRoute && s.Command != byLegacy:
		return fmt.Errorf("command %q: it is route or legacy", s.Command)
	case l.number() == 0:
		return fmt.Errorf("layer %q: it is all, video, audio or usb", s.Layer)
	case l == layerUSB && s.Command == byLegacy:
		return fmt.Errorf("layer usb goes with command route: models without #ROUTE do not switch USB")
	case s.Untie != untieZero && s.Untie != untieX:
		return fmt.Errorf("untie %q: it is 0 or x", s.Untie)
	case s.Inputs < 0 || s.Inputs > most || s.Outputs < 0 || s.Outputs > most:
		return fmt.Errorf("inputs %d and outputs %d: they are 0 to %d", s.Inputs, s.Outputs, most)
	}
	return nil
}

// claims are the layers of the machine that a device switches.
func (s *MatrixSettings) claims() []string {
	layers := []layer{layer(s.Layer)}
	if s.Layer == string(layerAll) {
		layers = []layer{layerVideo, layerAudio}
	}
	var all []string
	for _, l := range layers {
		all = append(all, machine(s.Machine)+string(l)+" of the matrix")
	}
	return all
}

// machine names a machine before what is claimed of it.
func machine(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("machine %d ", n)
}

// matrix is one layer of a matrix. It implements devices.Selector and devices.Notifier.
type matrix struct {
	*client
	settings MatrixSettings
}

var (
	_ devices.Selector = (*matrix)(nil)
	_ devices.Notifier = (*matrix)(nil)
)

func newMatrix(env devices.Env, settings MatrixSettings) (*matrix, error) {
	m := &matrix{settings: settings}
	var err error
	m.client, err = newClient(env, settings.Machine, func(f message) bool {
		for _, t := range f.ties {
			if m.layer().carries(t.layer) {
				return true
			}
		}
		return false
	})
	return m, err
}

func (m *matrix) layer() layer { return layer(m.settings.Layer) }

// Selected implements devices.Selector.
func (m *matrix) Selected(ctx context.Context, output string) (string, error) {
	to, err := code("output", output, m.settings.Outputs)
	if err != nil {
		return "", err
	}
	q := query{command: readRoute(m.layer(), to), word: "ROUTE", note: "read output " + output}
	if m.settings.Command == byLegacy {
		q.command, q.word = readTie(m.layer(), to), m.layer().asked().word()
	}
	q.accept = func(f message) bool {
		_, ok := m.tells(f, to)
		return ok
	}
	f, err := m.ask(ctx, q)
	if err != nil {
		return "", err
	}
	input, _ := m.tells(f, to)
	if input == 0 {
		return "", nil
	}
	return strconv.Itoa(input), nil
}

// Select implements devices.Selector.
func (m *matrix) Select(ctx context.Context, output, input string) error {
	to, err := code("output", output, m.settings.Outputs)
	if err != nil {
		return err
	}
	from, source := 0, m.settings.Untie
	if input != "" {
		if from, err = code("input", input, m.settings.Inputs); err != nil {
			return err
		}
		source = strconv.Itoa(from)
	}
	q := query{
		command: route(m.layer(), to, source), word: "ROUTE", note: fmt.Sprintf("route input %d to output %d", from, to),
		// A tie of another input to the same output is somebody at the front panel.
		accept: func(f message) bool {
			got, ok := m.tells(f, to)
			return ok && got == from
		},
	}
	if m.settings.Command == byLegacy {
		q.command, q.word = tieTo(m.layer(), to, from), m.layer().word()
	}
	_, err = m.ask(ctx, q)
	return err
}

// tells says which input a frame tells of the output on this layer; ok is false where it tells none.
func (m *matrix) tells(f message, output int) (input int, ok bool) {
	for _, t := range f.ties {
		if (t.output == output || t.output == everyOutput) && m.layer().carries(t.layer) {
			return t.input, true
		}
	}
	return 0, false
}

// code reads the code of an input or output: its plain number. Leading zeros are refused, as the
// equipment's answer could not be told from a code "01" that the room file means by it.
func code(what, text string, count int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most || strconv.Itoa(n) != text {
		return 0, fmt.Errorf("kramer %s %q: its code is its plain number, 1 to %d", what, text, most)
	}
	if count > 0 && n > count {
		return 0, &devices.Refusal{Reason: devices.Phrase{
			ZH: fmt.Sprintf("矩阵没有 %d 号端口", n), EN: fmt.Sprintf("The matrix has no %s %d", what, n),
		}}
	}
	return n, nil
}
