package sis

import (
	"context"
	"fmt"
	"strconv"

	"lectern/devices"
	"lectern/devices/line"
)

// MatrixSettings are what a room file says of a matrix or switcher.
type MatrixSettings struct {
	Layer    string `yaml:"layer" doc:"what a tie carries: all (default), video or audio"`
	Switcher bool   `yaml:"switcher" doc:"true for a switcher (IN, SW series), whose one output has no number"`
	Inputs   int    `yaml:"inputs" doc:"how many inputs there are; default 0: not checked before sending"`
	Outputs  int    `yaml:"outputs" doc:"how many outputs there are; default 0: not checked before sending"`
	Password string `yaml:"password" doc:"of the telnet port, from ${ENV} or file:; the same for all devices on the line"`
	Tagged   bool   `yaml:"tagged" doc:"default true; false for old equipment whose answers to reads are bare numbers (no verbose mode 3), which then must be alone on its line"`
}

// Validate checks the settings.
func (s *MatrixSettings) Validate() error {
	switch l := layer(s.Layer); {
	case l != layerAll && l != layerVideo && l != layerAudio:
		return fmt.Errorf("layer %q: it is all, video or audio", s.Layer)
	case s.Inputs < 0 || s.Inputs > most || s.Outputs < 0 || s.Outputs > most:
		return fmt.Errorf("inputs %d and outputs %d: they are 0 to %d", s.Inputs, s.Outputs, most)
	}
	return nil
}

// most bounds inputs and outputs; the largest matrices of the family have three digits.
const most = 999

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
	m.client, err = newClient(env, manner{settings.Password, settings.Tagged}, func(f message) bool {
		return f.kind == tied && m.layer().carries(f.word)
	})
	return m, err
}

func (m *matrix) layer() layer { return layer(m.settings.Layer) }

// Selected implements devices.Selector.
func (m *matrix) Selected(ctx context.Context, output string) (string, error) {
	to, err := m.output(output)
	if err != nil {
		return "", err
	}
	q := query{
		command: readTie(m.layer(), to), note: "read output " + output, bare: true,
		accept: func(f message) bool { return m.tells(f, to) },
	}
	if m.settings.Switcher {
		q.command = readChoice(m.layer())
	}
	f, err := m.ask(ctx, q)
	if err != nil {
		return "", err
	}
	if f.value < 0 {
		return "", fmt.Errorf("sis read output %s: input %d: %w", output, f.value, line.ErrGarbled)
	}
	if f.value == 0 {
		return "", nil
	}
	return strconv.Itoa(f.value), nil
}

// Select implements devices.Selector. Input 0 is how the equipment unties an output.
func (m *matrix) Select(ctx context.Context, output, input string) error {
	to, err := m.output(output)
	if err != nil {
		return err
	}
	from := 0
	if input != "" {
		if from, err = code("input", input, m.settings.Inputs); err != nil {
			return err
		}
	}
	q := query{
		command: tie(m.layer(), to, from), note: fmt.Sprintf("tie input %d to output %s", from, output),
		// A tie of another input to the same output is somebody at the front panel.
		accept: func(f message) bool { return m.tells(f, to) && f.value == from },
	}
	if m.settings.Switcher {
		q.command = choose(m.layer(), from)
	}
	_, err = m.ask(ctx, q)
	return err
}

// tells reports whether a frame tells what the output shows on this layer.
func (m *matrix) tells(f message, output int) bool {
	return f.kind == tied && f.to == output && m.layer().carries(f.word)
}

// output reads the code of an output; -1 for the only one of a switcher, whatever it is called.
func (m *matrix) output(text string) (int, error) {
	if m.settings.Switcher {
		return -1, nil
	}
	return code("output", text, m.settings.Outputs)
}

// code reads the code of an input or output. Leading zeros are refused, as the equipment's answer
// "In1" could not be told from a code "01" that the room file means by it.
func code(what, text string, count int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most || strconv.Itoa(n) != text {
		return 0, fmt.Errorf("sis %s %q: its code is its plain number, 1 to %d", what, text, most)
	}
	if count > 0 && n > count {
		return 0, &devices.Refusal{Reason: devices.Phrase{
			ZH: fmt.Sprintf("矩阵没有 %d 号端口", n), EN: fmt.Sprintf("The matrix has no %s %d", what, n),
		}}
	}
	return n, nil
}
